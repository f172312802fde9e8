"""`lic models`."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from lic.cli.table import print_table

_COLUMNS = {"model": "{}", "parts": "{}", "parameters": "{:,}", "weights": "{}", "licence": "{}", "paper": "{}"}


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the registered models with parts, number of parameters, paper and licence."""
    from lic import registry

    systems = {name: dataclasses.asdict(registry.models.get(name)()) for name in registry.list_models()}
    if as_json:
        print(json.dumps(systems, indent=1))
        return
    rows = []
    for name, system in systems.items():
        shown = {
            "parts": f"{system['transform']} + {system['entropy']}",
            "weights": "ship" if system["weights"] else "none",
        }
        rows.append(system | shown | {"model": name})
    print_table(rows, _COLUMNS)
