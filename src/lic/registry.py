"""Names of parts and models, and the decorators that register them."""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import pathlib
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from lic.errors import RegistryError

ENTRY_POINT_GROUP = "lic.parts"
OWN_PARTS = "LIC_PARTS"  # The environment variable that lists files and modules of parts.
_log = logging.getLogger(__name__)
_BUILT_IN = ("lic.transforms", "lic.entropy")

Registered = TypeVar("Registered", bound=Callable)


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Returns the end of an error message: the names that are near to a wrong one, or all names if none is near."""
    return near_names(name, allowed := sorted(allowed)) or f"Known: {', '.join(allowed) or 'none'}."


def near_names(name: str, allowed: Iterable[str]) -> str:
    """Returns the end of an error message with the names that are near to a wrong one; empty if none is near."""
    near = difflib.get_close_matches(str(name), sorted(allowed), n=3)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


class Registry:
    """Classes or functions of one kind by name; to register a name again is an error, never a replacement.

    Args:
      kind: The key of the kind in configurations, such as "hyper_transform". Files hold it, so it must never change.
      modules: Modules whose import registers what comes with `lic`.
    """

    def __init__(self, kind: str, modules: tuple[str, ...]):
        self.kind = kind
        self._words = kind.replace("_", " ")
        self._modules = modules
        self._entries: dict[str, Callable] = {}

    def register(self, name: str) -> Callable[[Registered], Registered]:
        """Returns a decorator that registers a class or function under `name`.

        Raises:
          RegistryError: The name is taken or is not a non-empty string, or the class is of another kind.
        """
        if not isinstance(name, str) or not name:
            raise RegistryError(
                f"register_{self.kind}: expected a non-empty string as name. "
                f"Received: {name!r}. Write the decorator with a name in brackets."
            )

        def decorate(entry: Registered) -> Registered:
            function = getattr(entry, "func", entry)  # Of a `functools.partial`, whose own module is functools.
            if not getattr(function, "__module__", "").startswith("lic."):  # What comes with lic has its name first.
                self._load_own()
            if name in self._entries:
                raise RegistryError(
                    f"The {self._words} {name!r} is registered already, as {self._entries[name]!r}. "
                    f"Choose another name for {entry!r}."
                )
            if self in PARTS.values() and getattr(entry, "registry", None) is not self:
                base = "".join(word.capitalize() for word in self.kind.split("_"))
                raise RegistryError(
                    f"register_{self.kind}: expected a subclass of lic.{base}. Received: {entry!r}. Derive it from "
                    f"lic.{base}."
                )
            self._entries[name] = entry
            return entry

        return decorate

    def get(self, name: str) -> Callable:
        """Returns the class or function that is registered under `name`.

        Raises:
          RegistryError: The name is unknown; the message suggests near ones.
        """
        self._load()
        if not isinstance(name, str):
            raise RegistryError(f"Expected the name of a {self._words}. Received: {type(name).__name__}.")
        if name not in self._entries:
            advice = suggestion(name, self._entries)
            if self in PARTS.values():
                advice += f" {OWN_PARTS}=FILE.py imports parts of your own."
            raise RegistryError(f"There is no {self._words} named {name!r}. {advice}")
        return self._entries[name]

    def names(self) -> list[str]:
        """Returns all names, sorted."""
        self._load()
        return sorted(self._entries)

    def name_of(self, entry: Callable) -> str:
        """Returns the name that a class or function is registered under.

        Raises:
          RegistryError: The class or function is not registered.
        """
        for name, candidate in self._entries.items():
            if candidate is entry:
                return name
        raise RegistryError(
            f"{entry!r}: expected a registered {self._words}, since a configuration names it. "
            f"Put @lic.register_{self.kind}(...) above it."
        )

    def _load(self) -> None:
        self._load_own()
        load_entry_points()
        load_own_parts()

    def _load_own(self) -> None:
        for module in self._modules:
            importlib.import_module(module)


@functools.cache
def load_entry_points() -> None:
    """Imports the parts that other installed packages offer in the entry point group `lic.parts`.

    A warning names a package whose parts cannot be imported, and the parts of the others are imported all the same.
    """
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            entry_point.load()
        except Exception as error:
            _log.warning("The parts of %r could not be imported: %s", entry_point.value, error)


@functools.cache
def load_own_parts() -> None:
    """Imports the parts that the environment variable LIC_PARTS lists, so that the command knows them.

    It holds Python files, or modules that can be imported, separated by the system's separator of paths (":" on Linux).

    Raises:
      RegistryError: One of them cannot be imported.
    """
    for place in filter(None, os.environ.get(OWN_PARTS, "").split(os.pathsep)):
        try:
            _import_file(pathlib.Path(place)) if place.endswith(".py") else importlib.import_module(place)
        except RegistryError:
            raise
        except Exception as error:
            raise RegistryError(
                f"{OWN_PARTS}: {place} cannot be imported ({type(error).__name__}: {error}). Name a Python file, or a "
                "module that can be imported."
            ) from error


def _import_file(file: pathlib.Path) -> None:
    loaded = sys.modules.get(file.stem)
    if loaded:
        if getattr(loaded, "__file__", None) and pathlib.Path(loaded.__file__).resolve() == file.resolve():
            return
        raise RegistryError(
            f"{OWN_PARTS}: {file} cannot be imported, since another module has the name {file.stem!r}: "
            f"{getattr(loaded, '__file__', None) or 'one of Python'}. Give the file another name."
        )
    spec = importlib.util.spec_from_file_location(file.stem, file)
    sys.modules[file.stem] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[file.stem]
        raise


transforms = Registry("transform", _BUILT_IN)
hyper_transforms = Registry("hyper_transform", _BUILT_IN)
entropy_models = Registry("entropy_model", _BUILT_IN)
likelihoods = Registry("likelihood", _BUILT_IN)
models = Registry("model", ("lic.models.published", "lic.models.published_pytorch"))

# The registries of the parts that a configuration describes, by kind.
PARTS = {each.kind: each for each in (transforms, hyper_transforms, entropy_models, likelihoods)}

register_transform = transforms.register
register_hyper_transform = hyper_transforms.register
register_entropy_model = entropy_models.register
register_likelihood = likelihoods.register
register_model = models.register

list_transforms = transforms.names
list_hyper_transforms = hyper_transforms.names
list_entropy_models = entropy_models.names
list_likelihoods = likelihoods.names
list_models = models.names
