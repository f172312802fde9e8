"""`lic decompress`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files, options
from lic.cli.compress import ENDING


def decompress(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN... [OUT]",
            help="Streams or folders of streams; OUT is an image file or a folder.",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output file, or folder.")] = None,
    model: Annotated[str, typer.Option(help="Name of a model that ships, or a .codec file.")] = "default",
    parts: Annotated[
        int | None,
        typer.Option(min=0, metavar="K", help="Preview: decode only the first K parts and predict the rest."),
    ] = None,
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "float32",
    tile: Annotated[str, typer.Option(metavar="N", help=options.TILE)] = "auto",
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print bpp and times.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Decode .lic streams into images: PNG, or the format of OUT's suffix."""
    paths, out = files.split_output(paths, out, lambda path: path.suffix != ENDING)
    jobs = files.plan(paths, out, ".png", lambda path: path.suffix == ENDING)
    codec = options.load(model, precision, tile)
    files.run(jobs, lambda job, _: _decompress_one(codec, job, parts, verbose), force, as_json, "Decoding")


def _decompress_one(codec: Any, job: files.Job, parts: int | None, verbose: bool) -> files.Report:
    from lic.images import write_image

    stream = files.read_stream(job.source)
    began = time.perf_counter()
    with files.naming(job.source):
        pixels = codec.decompress(stream, parts=parts)
    seconds = time.perf_counter() - began
    write_image(job.target, pixels)
    report = {"height": pixels.shape[0], "width": pixels.shape[1], "grey": pixels.ndim == 2}
    if verbose:
        report |= {"bpp": 8 * len(stream) / (pixels.shape[0] * pixels.shape[1]), "seconds": seconds}
    return report
