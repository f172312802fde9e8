"""`lic eval`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lic.cli import options
from lic.cli.progress import progress_bar
from lic.cli.standard_streams import printable
from lic.cli.table import print_table

_COLUMNS = {
    "codec": "{}",
    "quality": "{:g}",
    "bpp": "{:.4f}",
    "psnr": "{:.3f}",
    "ms_ssim": "{:.5f}",
    "ms_ssim_db": "{:.3f}",
    "encode_seconds": "{:.3f}",
    "decode_seconds": "{:.3f}",
}


def evaluate(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="A folder of images, or one image.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M...", help="Names of models that ship, or .codec files; M=Q,Q gives qualities, NAME=M a name."
        ),
    ] = None,
    codec: Annotated[
        list[str] | None,
        typer.Option(metavar="C...", help="Classical codecs: jpeg, webp, avif, jpegxl, jpeg2000; C=Q,Q as above."),
    ] = None,
    quality: Annotated[
        list[float] | None,
        typer.Option("--quality", "-q", metavar="Q...", help="Qualities of all models and codecs that give none."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the results; an existing evaluation is resumed.")
    ] = Path("eval"),
    jobs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Number of images at once; times are then those of a busy machine.")
    ] = 1,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help=options.RAY)] = None,
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "float32",
    tile: Annotated[str, typer.Option(metavar="N", help=options.TILE)] = "auto",
    deterministic: Annotated[bool, typer.Option("--deterministic", help=options.DETERMINISTIC)] = False,
) -> None:
    """Measure codecs over a folder of images: bytes, PSNR, MS-SSIM, times and memory.

    The command writes eval.json with all rows, means, conventions and versions, eval.csv with the rows, and means.csv.
    When it runs again, it resumes an evaluation that was stopped, and adds codecs and qualities. Without --model and
    --codec it measures `default`.
    """
    arguments = options.codec_arguments(precision, tile)
    models = model or ([] if codec else ["default"])
    if ray and jobs > 1:
        raise typer.BadParameter("give one of --jobs and --ray, whose workers measure an image each")
    if not models and (arguments != options.codec_arguments("float32", "auto") or deterministic):
        raise typer.BadParameter(
            "--precision, --tile and --deterministic are for learned codecs. Name one: --model NAME"
        )
    import lic

    with progress_bar() as bar:
        shown = bar.add_task("Measuring", total=None)

        def show_progress(done: int, total: int, last: str) -> None:
            bar.update(shown, completed=done, total=total, description=last)

        results = lic.evaluate(
            images,
            out,
            models=models,
            codecs=codec or [],
            qualities=quality or [],
            jobs=jobs,
            deterministic=deterministic,
            ray=ray,
            progress=show_progress,
            **arguments,
        )
    print_table(results.means(), _COLUMNS)
    count = len(results.common)
    print(printable(f"These are means over {count} image{'s' * (count != 1)}; all results are in {out}."))
    for failure in results.failures:
        where = f"{failure.image}, {failure.codec}: " if failure.codec else ""
        print(printable(f"lic: {where}{failure.error}"), file=sys.stderr)
    if results.failures:
        raise typer.Exit(1)
