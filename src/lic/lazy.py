"""Public names of a package that are imported when they are first used, so that `import lic` stays fast."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, Iterable[str]], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns `__getattr__` and `__dir__` of a package whose names are imported when they are first used.

    The package imports the same names in `if TYPE_CHECKING`, and takes these two functions in `if not TYPE_CHECKING`: a
    type checker that saw a `__getattr__` would let every misspelt name pass.

    Args:
      package: The package's `__name__`.
      homes: For each module the names that it defines.
      submodules: Packages and modules inside the package that are attributes, too.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name not in home_of:
            known = [*home_of, *submodules]
            near = difflib.get_close_matches(name, known, 1)
            advice = f". Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"module {package!r} has no attribute {name!r}{advice}")
        value = getattr(importlib.import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    names = sorted({*sys.modules[package].__all__, *submodules})
    return load, lambda: names
