"""`lic verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files, options
from lic.cli.compress import ENDING


def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Streams or folders of streams.")],
    model: Annotated[str, typer.Option(help="Name of a model that ships, or a .codec file.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check that .lic streams are complete and decode to the coded symbols here. No file is written.

    Exits with 1 if a stream is damaged, was made by another codec, or decodes to other symbols on this machine.
    """
    jobs = files.only_read(paths, lambda path: path.suffix == ENDING)
    codec = options.load(model, "float32", "auto")
    files.run(jobs, lambda job, _: _verify_one(codec, job), False, as_json, "Verifying")


def _verify_one(codec: Any, job: files.Job) -> files.Report:
    stream = files.read_stream(job.source)
    with files.naming(job.source):
        codec.verify(stream)
    return {"verified": True, "bytes": len(stream)}
