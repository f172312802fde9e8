"""`lic compress`."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files, options

ENDING = ".lic"


def compress(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN... [OUT]",
            help="Images or folders of images; OUT ends in .lic or is a folder.",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output file, or folder.")] = None,
    model: Annotated[str, typer.Option(help="Name of a model that ships, or a .codec file.")] = "default",
    quality: Annotated[
        float | None,
        typer.Option(
            "--quality",
            "-q",
            metavar="Q",
            help="Quality, for models with several: 1 has the lowest rate.",
        ),
    ] = None,
    bpp: Annotated[
        float | None, typer.Option(metavar="B", help="Highest quality with at most B bits per pixel.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--bytes", metavar="N", help="Highest quality with at most N bytes a stream.")
    ] = None,
    effort: Annotated[
        int,
        typer.Option(
            min=0,
            max=9,
            metavar="0..9",
            help="Refine each stream: compressing is slower, streams are smaller or better.",
        ),
    ] = 0,
    verify: Annotated[
        bool | None,
        typer.Option(
            "--verify/--no-verify", help="Decode each stream before it is written. [default: with many files]"
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(metavar="COLOUR", help="Colour behind transparent pixels."),
    ] = None,
    to_8_bit: Annotated[bool, typer.Option("--to-8-bit", help="Round more than 8 bits a channel to 8.")] = False,
    deterministic: Annotated[bool, typer.Option("--deterministic", help=options.DETERMINISTIC)] = False,
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "float32",
    tile: Annotated[str, typer.Option(metavar="N", help=options.TILE)] = "auto",
    frame: Annotated[
        int | None, typer.Option(metavar="N", help="Number of the frame, from 0, in a file with several.")
    ] = None,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help=options.RAY)] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Decode too, and print bpp, PSNR and times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compress images into .lic streams.

    Images are coded upright (EXIF orientation is applied) and in sRGB (other colour profiles are converted). Grey
    images stay grey, CMYK becomes RGB. All metadata is dropped: EXIF, GPS, captions, colour profiles.
    """
    paths, out = files.split_output(paths, out, lambda path: path.suffix == ENDING or not path.exists())
    jobs = files.plan(paths, out, ENDING, _is_image)
    _refuse_other_endings(jobs)
    reading = {"background": background, "to_8_bit": to_8_bit, "frame": frame}
    target = _target_of(quality, bpp, max_bytes)
    codec = options.load(model, precision, tile, deterministic)
    verify = len(jobs) > 1 if verify is None else verify

    def work(job: files.Job, show_progress: files.ShowProgress) -> files.Report:
        settings = {"effort": effort, "progress": show_progress, "verify": verify}
        encode = functools.partial(_encode, codec, settings=settings, **target)
        return _compress_one(codec, encode, job, reading, verbose)

    files.run(jobs, work, force, as_json, "Compressing", slow=effort > 0, ray=ray)


def _target_of(quality: float | None, bpp: float | None, max_bytes: int | None) -> dict[str, Any]:
    given = {"quality": quality, "bpp": bpp, "max_bytes": max_bytes}
    target = {name: value for name, value in given.items() if value is not None}
    if len(target) > 1:
        raise typer.BadParameter("give one of --quality, --bpp and --bytes")
    if not all(0 < value < math.inf for value in target.values()):
        raise typer.BadParameter("expected --quality, --bpp or --bytes over 0")
    return target


def _encode(
    codec: Any,
    pixels: Any,
    settings: dict[str, Any],
    quality: float | None = None,
    bpp: float | None = None,
    max_bytes: int | None = None,
) -> bytes:
    if bpp is not None:
        max_bytes = int(bpp * pixels.shape[0] * pixels.shape[1] / 8)
    try:
        if max_bytes is not None:
            return codec.compress_to(pixels, max_bytes, **settings)
        return codec.compress(pixels, quality=quality, **settings)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _compress_one(
    codec: Any, encode: Callable[[Any], bytes], job: files.Job, reading: dict[str, Any], verbose: bool
) -> files.Report:
    from lic.atomic_write import atomic_write
    from lic.images import read_image

    pixels = read_image(job.source, **reading)
    began = time.perf_counter()
    stream = encode(pixels)
    seconds = time.perf_counter() - began
    with atomic_write(job.target) as file:
        file.write(stream)
    report = {"bytes": len(stream), "bpp": 8 * len(stream) / (pixels.shape[0] * pixels.shape[1])}
    if verbose:
        report |= {"psnr": _psnr(pixels, codec.decompress(stream)), "seconds": seconds}
    return report


def _psnr(pixels: Any, decoded: Any) -> float | None:
    """PSNR in dB, or None for equal images, since JSON has no infinity."""
    from lic.evaluation.run.metrics import psnr

    decibels = psnr(pixels, decoded)
    return decibels if math.isfinite(decibels) else None


def _is_image(path: Path) -> bool:
    from lic.images import is_image

    return is_image(path)


def _refuse_other_endings(jobs: list[files.Job]) -> None:
    for job in jobs:
        if job.target.suffix != ENDING:
            raise typer.BadParameter(f"the output {job.target} should end in {ENDING}, or be a folder")
