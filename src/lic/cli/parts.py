"""`lic parts`."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import typer

from lic.cli.table import print_table
from lic.errors import RegistryError


def parts(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A part, such as klt, whose sizes are listed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the parts that models are made of, or the sizes of one with their defaults.

    `lic train` takes them as --transform, --entropy, --hyper and --likelihood, and sizes as --size NAME=VALUE.
    """
    from lic import registry

    kinds = {kind.replace("_", " "): each for kind, each in registry.PARTS.items()}
    if name is None:
        names = {kind: each.names() for kind, each in kinds.items()}
        if as_json:
            print(json.dumps(names, indent=1))
        else:
            rows = [{"kind": kind, "names": ", ".join(each)} for kind, each in names.items()]
            print_table(rows, {"kind": "{}", "names": "{}"})
        return
    found = {kind: each.get(name) for kind, each in kinds.items() if name in each.names()}
    if not found:
        known = {each for part in kinds.values() for each in part.names()}
        raise RegistryError(f"There is no part named {name!r}. {registry.suggestion(name, known)}")
    if as_json:
        print(json.dumps({kind: _sizes_of(part) for kind, part in found.items()}, indent=1))
        return
    for kind, part in found.items():
        print(f"{kind} {name}: {inspect.getdoc(part).splitlines()[0]}")
        rows = [{"size": size, "default": json.dumps(default)} for size, default in _sizes_of(part).items()]
        print_table(rows, {"size": "{}", "default": "{}"})


def _sizes_of(part: type) -> dict[str, Any]:
    """Returns the arguments of a part's constructor that are plain data, with their defaults."""
    from lic import registry
    from lic.config import constructor_arguments

    others = {"hyper", "likelihood", "hyper_entropy"}  # Parts inside, which have options of their own.
    arguments = {name: each for name, each in constructor_arguments(part).items() if name not in others}
    if part.registry is not registry.transforms:
        arguments.pop("latent_depth", None)  # It is that of the transform.
    return {name: None if each.default is each.empty else each.default for name, each in arguments.items()}
