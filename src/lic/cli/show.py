"""`lic show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lic.cli import files, options
from lic.cli.standard_streams import printable
from lic.errors import LicError

if TYPE_CHECKING:
    from lic.evaluation.inspect import Inspection

FIGURES, PAGES = (".png", ".svg"), (".html", ".htm")


def show(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The image.")],
    model: Annotated[str, typer.Option(help=options.MODEL)] = "default",
    quality: Annotated[
        float | None,
        typer.Option("--quality", "-q", metavar="Q", help="Quality of a model that has several; 1 is the lowest rate."),
    ] = None,
    roi: Annotated[Path | None, typer.Option(metavar="MASK", help=options.ROI)] = None,
    roi_quality: Annotated[float | None, typer.Option(metavar="Q", help=options.ROI_QUALITY)] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The figure, .png or .svg; default: the image's name and .show.png."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="A page to compare the pictures on, in one file.")
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="LEFT,TOP,WIDTH,HEIGHT", help="Pixels to be enlarged; default: where the error is largest."
        ),
    ] = None,
    background: Annotated[
        str | None, typer.Option(metavar="COLOUR", help="Lay transparent pixels over this colour.")
    ] = None,
    to_8_bit: Annotated[
        bool, typer.Option("--to-8-bit", help="Take images of more than 8 bits a channel, rounded to 8.")
    ] = False,
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "float32",
    tile: Annotated[str, typer.Option(metavar="N", help=options.TILE)] = "auto",
    frame: Annotated[
        int | None, typer.Option(metavar="N", help="Number of the frame, from 0, in a file that has several.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")] = False,
) -> None:
    """Draw an image beside the decoded image, with the errors and with the bits of each position and part.

    The page of --html has a slider between the original, the decoded image, and a JPEG with the same bytes.
    """
    box = _box(crop)
    out = image.with_suffix(".show.png") if out is None and html is None else out
    _check_ending("--out", out, FIGURES)
    _check_ending("--html", html, PAGES)
    if crop and out is None:
        raise typer.BadParameter("--crop is for the figure, not for the page of --html. Add --out, or leave --crop out")
    region = options.region(roi, roi_quality)
    for target in filter(None, (out, html)):
        files.refuse_inputs(target, *filter(None, (image, model, roi)))
        files.refuse_existing(target, force)
    from lic.evaluation.plots.theme import check_matplotlib

    check_matplotlib()  # Before the codec is loaded, which takes seconds.
    from lic.evaluation.inspect import Box, inspect_image
    from lic.images import read_image

    loader = options.CodecLoader(model, precision, tile)
    if not loader.takes_photographs:
        raise LicError(f"lic show draws images of 3 channels of 8 bits, and {model} is for others.")
    pixels = read_image(image, background=background, to_8_bit=to_8_bit, frame=frame)
    codec = loader.codec
    options.check_qualities(len(codec.qualities), quality, region)
    try:
        chosen = region.over(codec, quality) if region else quality
        inspection = inspect_image(codec, pixels, quality=chosen, crop=Box(**box) if box else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    about = f"{model}, quality {quality:g}" if quality is not None else model
    about += f", {roi_quality:g} in the region of {roi.name}" if region else ""
    for target in filter(None, (out, html)):
        with files.new_file(target, force) as path:
            (_write_figure if target is out else _write_page)(path, inspection, printable(image.name), about)
        print(printable(f"{image} -> {target}  {inspection.decoded.figures}"))


def _box(crop: str | None) -> dict[str, int] | None:
    if crop is None:
        return None
    try:
        left, top, width, height = (int(number) for number in crop.split(","))
    except ValueError:
        raise typer.BadParameter(f"--crop {crop}: expected LEFT,TOP,WIDTH,HEIGHT in pixels") from None
    return {"top": top, "left": left, "height": height, "width": width}


def _check_ending(option: str, path: Path | None, endings: tuple[str, ...]) -> None:
    if path is not None and path.suffix.lower() not in endings:
        raise typer.BadParameter(f"{option} {path}: expected a name that ends in {' or '.join(endings)}")


def _write_figure(path: Path, inspection: Inspection, name: str, about: str) -> None:
    from lic.evaluation.inspect import inspection_figure
    from lic.evaluation.plots import save_figure

    save_figure(path, inspection_figure(inspection, f"{name}  ·  {about}"))


def _write_page(path: Path, inspection: Inspection, name: str, about: str) -> None:
    from lic.evaluation.inspect import inspection_page

    height, width = inspection.original.pixels.shape[:2]
    text = inspection_page(inspection, name, f"{width}x{height} pixels, {about}")
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
