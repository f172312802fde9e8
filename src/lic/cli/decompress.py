"""`lic decompress`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lic.cli import batch, files, options
from lic.cli.compress import ENDING

if TYPE_CHECKING:
    from lic.codec.bitstream import Stream
    from lic.images.writing import Format


def decompress(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... [OUT]",
            help="Streams or folders of streams; OUT is an image file or a folder. - is standard input or output.",
        ),
    ],
    out: Annotated[str | None, typer.Option("--out", "-o", help=options.OUT)] = None,
    model: Annotated[str, typer.Option(help=options.MODEL)] = "default",
    parts: Annotated[
        int | None,
        typer.Option(min=0, metavar="K", help="Preview: decode only the first K parts and predict the rest."),
    ] = None,
    jpeg_quality: Annotated[
        int, typer.Option(min=1, max=100, metavar="1..100", help="Quality of outputs that end in .jpg.")
    ] = 95,
    max_pixels: Annotated[int | None, typer.Option(min=1, metavar="N", help=options.MAX_PIXELS)] = None,
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "float32",
    tile: Annotated[str, typer.Option(metavar="N", help=options.TILE)] = "auto",
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")] = False,
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help=options.SKIP_EXISTING)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print bpp and times.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Decode .lic streams into images: PNG, or the format of OUT's suffix.

    PNG, TIFF, .npy, BMP, PPM, TGA, WebP and JPEG 2000 are written without loss, JPEG at --jpeg-quality and with all of
    its colours (4:4:4). Other formats are refused. The image of photo.lic is photo.lic.png unless OUT names it, and
    that of --parts K is photo.lic.partsK.png; standard output gets PNG. TIFF takes the place of PNG for models of other
    channels than grey and colour, and of 9 to 15 bits.
    """
    loader = options.CodecLoader(model, precision, tile, max_pixels=max_pixels)
    ending = _default_ending(loader) if parts is None else f".parts{parts}{_default_ending(loader)}"
    naming = files.Naming(ending, True, _is_image)
    paths, out = files.split_output(paths, out, naming, lambda path: path.suffix.lower() != ENDING)
    jobs = files.plan(paths, out, naming, lambda path: path.suffix.lower() == ENDING)
    existing = batch.existing(force, skip_existing)

    def work(job: files.Job, _: batch.ShowProgress) -> batch.Report:
        return _decompress_one(loader, job, parts, jpeg_quality, force, verbose)

    batch.run(jobs, work, existing, as_json, "Decoding", check=lambda job: _check(loader, job), verbose=verbose)


def _is_image(path: Path) -> bool:
    from lic.images.writing import is_written

    return is_written(path)


def _default_ending(loader: options.CodecLoader) -> str:
    return ".png" if loader.channels in (1, 3) and loader.bit_depth in (8, 16) else ".tif"


def _format_of(loader: options.CodecLoader, job: files.Job) -> Format:
    from lic.images.writing import format_of

    return format_of(f"output{_default_ending(loader)}" if job.target == files.STANDARD else job.target)


def _check(loader: options.CodecLoader, job: files.Job) -> None:
    """Raises an error if a stream is none, is another codec's, or is of a picture that the output cannot hold."""
    _format_of(loader, job)
    if job.source != files.STANDARD and (job.source.is_file() or not job.source.exists()):
        _parsed(loader, job, files.read_bytes(job.source))


def _parsed(loader: options.CodecLoader, job: files.Job, data: bytes) -> Stream:
    from lic.codec.bitstream import Flag, Stream
    from lic.images.writing import check_picture

    with files.naming(job.source):
        stream = Stream.parse(data)
        loader.check(stream)
    grey = Flag.GREY in stream.flags
    size = (stream.height, stream.width)
    check_picture(job.target, _format_of(loader, job), *size, grey, loader.channels, loader.bit_depth)
    return stream


def _decompress_one(
    loader: options.CodecLoader, job: files.Job, parts: int | None, jpeg_quality: int, force: bool, verbose: bool
) -> batch.Report:
    from lic.images.writing import encoded

    data = files.read_bytes(job.source)
    _parsed(loader, job, data)
    codec = loader.codec
    if parts is not None and parts > len(codec.parts):
        raise typer.BadParameter(
            f"--parts {parts}: expected at most {len(codec.parts)}, which are {', '.join(codec.parts)}"
        )
    began = time.perf_counter()
    with files.naming(job.source):
        pixels = codec.decompress(data, parts=parts, max_pixels=loader.max_pixels)
    seconds = time.perf_counter() - began
    files.write_bytes(job.target, encoded(pixels, _format_of(loader, job), jpeg_quality), force)
    report = {"height": pixels.shape[0], "width": pixels.shape[1], "grey": pixels.ndim == 2}
    if verbose:
        report |= {"bpp": 8 * len(data) / (pixels.shape[0] * pixels.shape[1]), "seconds": seconds}
    return report
