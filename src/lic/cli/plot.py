"""`lic plot`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import files, options
from lic.errors import LicError, RegistryError

PAGE = "html"
FORMATS = ("png", "svg", PAGE)
_ENDS = {"psnr": "", "ms_ssim_db": "-ms-ssim"}  # Of the names of pictures.


def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders that `lic eval` wrote.")],
    published: Annotated[list[str] | None, typer.Option(metavar="NAME...", help=options.PUBLISHED)] = None,
    anchor: Annotated[str | None, typer.Option(metavar="NAME", help=options.ANCHOR)] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the pictures.")] = Path("plots"),
    form: Annotated[list[str] | None, typer.Option("--format", metavar="F...", help="Of png, svg, html; all.")] = None,
    measure: Annotated[
        list[str] | None, typer.Option(metavar="M...", help="Of psnr, ms_ssim_db: what the decibels are of; both.")
    ] = None,
    method: Annotated[str, typer.Option(help="Interpolation of the curves: pchip, akima or cubic.")] = "pchip",
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="What stands above the pictures.")] = None,
    max_bpp: Annotated[
        float | None, typer.Option(min=0.01, metavar="B", help="Right end of the axis of bits per pixel.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing pictures.")] = False,
) -> None:
    """Draw rate-distortion curves, bars of BD-rate, and speed against rate savings, one column of a paper wide.

    OUT gets rate-distortion, bd-rate and speed as PNG and SVG, for MS-SSIM with -ms-ssim behind the name, and
    rate-distortion.html to explore. A picture that cannot be made is left out, and a line says why.
    """
    forms, measures = form or list(FORMATS), measure or list(options.MEASURES)
    for option, values, among in (("format", forms, FORMATS), ("measure", measures, options.MEASURES)):
        for value in values:
            options.check_choice(option, value, among)
    options.check_choice("method", method, options.METHODS)
    groups = _groups(runs, options.published_of(published), measures)
    if not groups:
        raise LicError("There is nothing to draw: no codec has any of these measures.")
    figures, stills = {}, [each for each in forms if each != PAGE]
    for measured, group in groups.items() if stills else ():
        figures |= _figures(group, measured, anchor, method, title, max_bpp)
    targets = {name: [out / f"{name}.{still}" for still in stills] for name in figures}
    pages = [out / f"rate-distortion.{PAGE}"] if PAGE in forms else []
    for target in (*itertools.chain(*targets.values()), *pages):
        files.refuse_existing(target, force)
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in figures.items():
        _attempt(name, targets[name], draw)
    for page in pages:
        from lic.evaluation.curves_page import write_page

        write_page(page, groups, title, max_bpp)
        print(page)


def _groups(runs: list[Path], published: list[str], measures: list[str]) -> dict[str, list[Any]]:
    """What is drawn for each measure that there is, after saying what is missing."""
    from lic.evaluation.contenders import contenders, read_runs

    read, groups, notes = read_runs(runs), {}, []
    for measure in measures:
        groups[measure], said = contenders(read, published, measure)
        notes += said
    for note in dict.fromkeys(notes):
        print(f"lic: {note}", file=sys.stderr)
    return {measure: group for measure, group in groups.items() if group}


def _figures(
    group: list[Any], measure: str, anchor: str | None, method: Any, title: str | None, max_bpp: float | None
) -> dict[str, Callable[[], Any]]:
    """Name of each picture of a measure -> what draws it."""
    from lic.evaluation import plots
    from lic.evaluation.compare import compare

    def comparison() -> Any:
        return compare(group, anchor, measure, method)

    return {
        f"rate-distortion{_ENDS[measure]}": lambda: plots.rate_distortion(group, measure, title, max_bpp),
        f"bd-rate{_ENDS[measure]}": lambda: plots.bd_rate_bars(comparison(), title),
        f"speed{_ENDS[measure]}": lambda: plots.speed(comparison(), title),
    }


def _attempt(name: str, targets: list[Path], draw: Callable[[], Any]) -> None:
    """Draws a picture and writes its files, or says why there is none; a name that is unknown ends the command."""
    from lic.evaluation.style import save

    try:
        figure = draw()
    except RegistryError:
        raise
    except LicError as error:
        print(f"lic: {name} is left out. {error}", file=sys.stderr)
        return
    for target in targets:
        save(figure, target)
        print(target)
