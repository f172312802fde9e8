"""`lic verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from lic.cli import batch, files, options
from lic.cli.compress import ENDING


def verify(
    paths: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Streams or folders of streams; - is standard input.")
    ],
    model: Annotated[str, typer.Option(help=options.MODEL)] = "default",
    max_pixels: Annotated[int | None, typer.Option(min=1, metavar="N", help=options.MAX_PIXELS)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check that .lic streams are complete and decode to the coded symbols here. No file is written.

    Exits with 1 if a stream is damaged, was made by another codec, or decodes to other symbols on this machine.
    """
    jobs = files.only_read(paths, lambda path: path.suffix.lower() == ENDING)
    loader = options.CodecLoader(model, "float32", "auto", max_pixels=max_pixels)
    batch.run(jobs, lambda job, _: _verify_one(loader, job), batch.Existing(), as_json, "Verifying")


def _verify_one(loader: options.CodecLoader, job: files.Job) -> batch.Report:
    from lic.codec.bitstream import Stream

    data = files.read_bytes(job.source)
    with files.naming(job.source):
        loader.check(Stream.parse(data))
        loader.codec.verify(data, max_pixels=loader.max_pixels)
    return {"verified": True, "bytes": len(data)}
