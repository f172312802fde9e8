"""`lic verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files, options
from lic.cli.compress import ENDING
from lic.cli.streams import naming, read_stream


def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Streams or folders of streams.")],
    model: Annotated[str, typer.Option(help="Name of a model that ships, or a .codec file.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check that .lic streams are whole and decode here to what was coded; nothing is written.

    Exits with 1 if one is damaged, made by another codec, or decodes to something else on this machine.
    """
    jobs = files.only_read(paths, lambda path: path.suffix == ENDING)
    codec = options.load(model, "float32", "auto")
    files.run(jobs, lambda job, _: _verify_one(codec, job), False, as_json, "Verifying")


def _verify_one(codec: Any, job: files.Job) -> dict[str, Any]:
    stream = read_stream(job.source)
    with naming(job.source):
        codec.verify(stream)
    return {"verified": True, "bytes": len(stream)}
