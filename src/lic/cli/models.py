"""`lic models`."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from lic.cli.table import print_whole


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the registered models: parts, size, paper and licence."""
    from lic import registry

    recipes = {name: registry.models.get(name)() for name in registry.list_models()}
    if as_json:
        print(json.dumps({name: dataclasses.asdict(recipe) for name, recipe in recipes.items()}, indent=1))
        return
    from rich.table import Column, Table

    heads = ("model", "parts", "parameters", "weights", "licence", "paper")
    table = Table(*(Column(head, no_wrap=True) for head in heads), box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name, recipe in recipes.items():
        parts = f"{recipe.transform} + {recipe.entropy}"
        ships = "ship" if recipe.weights else "none"
        table.add_row(name, parts, f"{recipe.parameters:,}", ships, recipe.licence, recipe.paper)
    print_whole(table)
