"""`lic models`."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the registered models: parts, size, paper and licence."""
    from lic import registry

    recipes = {name: registry.models.get(name)() for name in registry.list_models()}
    if as_json:
        print(json.dumps({name: dataclasses.asdict(recipe) for name, recipe in recipes.items()}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "transform", "entropy model", "parameters", "weights", "licence", "paper")
    for name, recipe in recipes.items():
        ships = "yes" if recipe.weights else "no"
        size = f"{recipe.parameters:,}"
        table.add_row(name, recipe.transform, recipe.entropy, size, ships, recipe.licence, recipe.paper)
    Console().print(table)
