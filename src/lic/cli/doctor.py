"""`lic doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files
from lic.cli.table import listed


def doctor(
    model: Annotated[str, typer.Option(help="Name of a model that ships, or a .codec file.")] = "default",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write streams and what they decode to here, for --check.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decode what another machine has exported.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing export.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what of this machine matters for decoding, and test that streams decode here.

    With --export and --check, streams are made on one machine and tried on another. Exits with 1 if a test fails.
    """
    if export:
        files.refuse_existing(export, force)
    from lic import doctor

    facts = doctor.facts()
    findings = [*(doctor.check(check, model) if check else doctor.self_test(model))]
    if export:
        doctor.export(export, model)
    if as_json:
        print(json.dumps(facts | {"tests": [finding._asdict() for finding in findings]}, indent=1))
    else:
        print("\n".join([listed(_flat(facts)), *map(_line, findings)]))
        if export:
            print(f"Exported to {export}; try it elsewhere with: lic doctor --check {export.name}")
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without the groups that they are in."""
    flat = {**facts["machine"], **facts["versions"], "devices": ", ".join(facts["devices"])}
    return flat | {"range coder": facts["range coder"], **facts["settings"]}


def _line(finding: Any) -> str:
    return f"{'passed' if finding.passed else 'FAILED'}  {finding.name}: {finding.found}"
