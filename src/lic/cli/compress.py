"""`lic compress`."""

from __future__ import annotations

import collections
import logging
import math
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import batch, files, options
from lic.errors import ImageError, LicError

ENDING = ".lic"
_log = logging.getLogger(__name__)
# Endings of pictures, most of them of cameras, which would otherwise be passed over without a word.
_UNREAD = {
    ".arw",
    ".cr2",
    ".cr3",
    ".dng",
    ".exr",
    ".hdr",
    ".jxr",
    ".nef",
    ".orf",
    ".pef",
    ".raf",
    ".raw",
    ".rw2",
    ".srw",
    ".svg",
    ".xcf",
}


def compress(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... [OUT]",
            help="Images or folders of images; OUT ends in .lic or is a folder. - is standard input or output.",
        ),
    ],
    out: Annotated[str | None, typer.Option("--out", "-o", help=options.OUT)] = None,
    model: Annotated[str, typer.Option(help=options.MODEL)] = "default",
    quality: Annotated[
        float | None,
        typer.Option(
            "--quality",
            "-q",
            metavar="Q",
            help="Quality, for models with several: 1 has the lowest rate. [default: the middle one, 4 for default]",
        ),
    ] = None,
    bpp: Annotated[
        float | None, typer.Option(metavar="B", help="Highest quality with at most B bits per pixel.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--bytes", metavar="N", help="Highest quality with at most N bytes a stream.")
    ] = None,
    roi: Annotated[Path | None, typer.Option(metavar="MASK", help=options.ROI)] = None,
    roi_quality: Annotated[float | None, typer.Option(metavar="Q", help=options.ROI_QUALITY)] = None,
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
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help=options.SKIP_EXISTING)] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Decode too, and print bpp, PSNR and times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compress images into .lic streams.

    Images are coded upright (EXIF orientation is applied) and in sRGB (other colour profiles are converted). Grey
    images stay grey, CMYK becomes RGB. All metadata is dropped: EXIF, GPS, captions, colour profiles. A model of other
    channels than 3, or of more than 8 bits, takes TIFF, .npy and PNG of 16 bits, whose samples are coded as they are.
    """
    naming = files.Naming(ENDING, False, _is_stream)
    paths, out = files.split_output(paths, out, naming, lambda path: _is_stream(path) or not path.exists())
    unread: collections.Counter[str] = collections.Counter()
    loader = options.CodecLoader(model, precision, tile, deterministic)
    jobs = files.plan(paths, out, naming, lambda path: _is_image(path, unread, not loader.takes_photographs))
    _refuse_other_endings(jobs)
    for ending, count in sorted(unread.items()):
        _log.warning("lic does not read files that end in %s, and passes %d over; convert them", ending, count)
    existing = batch.existing(force, skip_existing)
    if ray and files.STANDARD in jobs[0]:
        raise typer.BadParameter("the workers of --ray have no standard input and output; name files")
    reading = {"background": background, "to_8_bit": to_8_bit, "frame": frame}
    region = options.region(roi, roi_quality)
    target = _target_of(quality, bpp, max_bytes, region)
    if quality is not None or region is not None:
        options.check_qualities(loader.qualities, quality, region)
    verify = len(jobs) > 1 if verify is None else verify

    def work(job: files.Job, show_progress: batch.ShowProgress) -> batch.Report:
        settings = {"effort": effort, "progress": show_progress, "verify": verify} | target
        return _compress_one(loader, job, reading, settings, force, verbose)

    batch.run(
        jobs,
        work,
        existing,
        as_json,
        "Compressing",
        check=_check,
        slow=effort > 0,
        verbose=verbose,
        ray=ray,
        before_ray=lambda: loader.codec,
    )


def _target_of(
    quality: float | None, bpp: float | None, max_bytes: int | None, region: options.Region | None
) -> dict[str, Any]:
    given = {"quality": quality, "bpp": bpp, "max_bytes": max_bytes}
    target = {name: value for name, value in given.items() if value is not None}
    if len(target) > 1 and not (region and (bpp is None or max_bytes is None)):
        raise typer.BadParameter(f"give one of {'--quality, ' * (not region)}--bpp and --bytes")
    for option, value in (("--bpp", bpp), ("--bytes", max_bytes)):
        if value is not None and not 0 < value < math.inf:
            raise typer.BadParameter(f"{option} {value:g}: expected a number over 0")
    return target | {"region": region}


def _encode(
    codec: Any,
    pixels: Any,
    quality: float | None = None,
    bpp: float | None = None,
    max_bytes: int | None = None,
    region: options.Region | None = None,
    **settings: Any,
) -> bytes:
    if bpp is not None:
        max_bytes = int(bpp * pixels.shape[0] * pixels.shape[1] / 8)
    given = region.over(codec, quality) if region else quality
    if max_bytes is not None:
        return codec.compress_to(pixels, max_bytes, quality=given, **settings)
    return codec.compress(pixels, quality=given, **settings)


def _check(job: files.Job) -> None:
    from lic.codec.bitstream import MAGIC

    if job.source != files.STANDARD and not job.source.exists():
        raise ImageError(f"There is no file {str(job.source)!r}.")
    if files.beginning(job.source, len(MAGIC)) == MAGIC:
        raise ImageError(f"{job.source} is not an image, but a stream of lic already.")


def _compress_one(
    loader: options.CodecLoader,
    job: files.Job,
    reading: dict[str, Any],
    settings: dict[str, Any],
    force: bool,
    verbose: bool,
) -> batch.Report:
    from lic.images import read_samples

    with files.ordinary_file(job.source) as path:
        pixels = read_samples(path, channels=loader.channels, bit_depth=loader.bit_depth, **reading)
    codec = loader.codec  # It is loaded now, since a wrong image should be refused at once.
    began = time.perf_counter()
    try:
        with files.naming(job.source):
            stream = _encode(codec, pixels, **settings)
    except ValueError as error:  # The options have been checked, so it is about this image, which may be too small.
        raise LicError(str(error)) from None
    seconds = time.perf_counter() - began
    files.write_bytes(job.target, stream, force)
    report = {"bytes": len(stream), "bpp": 8 * len(stream) / (pixels.shape[0] * pixels.shape[1])}
    if verbose:
        decoded = codec.decompress(stream, max_pixels=sys.maxsize)
        report |= {"psnr": _psnr(pixels, decoded, loader.bit_depth), "seconds": seconds}
    return report


def _psnr(pixels: Any, decoded: Any, bit_depth: int) -> float | None:
    """Returns PSNR in dB, or None for equal images, since JSON has no infinity."""
    from lic.evaluation.run.metrics import psnr

    decibels = psnr(pixels, decoded, bit_depth)
    return decibels if math.isfinite(decibels) else None


def _is_stream(path: Path) -> bool:
    return path.suffix.lower() == ENDING


def _is_image(path: Path, unread: collections.Counter[str], arrays: bool) -> bool:
    """Returns whether a file in a folder is an image; one in a format that nobody reads is known by its ending."""
    from lic.images.folders import is_image

    if path.suffix.lower() in _UNREAD and not is_image(path):
        unread[path.suffix.lower()] += 1
    return is_image(path, arrays)


def _refuse_other_endings(jobs: list[files.Job]) -> None:
    for job in jobs:
        is_missing = job.source != files.STANDARD and not job.source.exists()  # Which has an error of its own.
        if job.target != files.STANDARD and not is_missing and not _is_stream(job.target):
            raise files.wrong_use(
                f"the output {job.target} should end in {ENDING}, or be a folder, which is made if its name ends in /"
            )
