"""`lic plot`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lic.cli import files, options
from lic.cli.standard_streams import printable
from lic.errors import EvaluationError

if TYPE_CHECKING:
    from lic.evaluation.compare import Entry

PAGE = "html"
FORMATS = ("png", "svg", PAGE)
_SUFFIXES = {"psnr": "", "ms_ssim_db": "-ms-ssim"}  # Behind the names of the figures of each measure.


def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders that `lic eval` wrote.")],
    published: Annotated[list[str] | None, typer.Option(metavar="NAME...", help=options.PUBLISHED)] = None,
    anchor: Annotated[str | None, typer.Option(metavar="NAME", help=options.ANCHOR)] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the figures.")] = Path("plots"),
    form: Annotated[
        list[str] | None, typer.Option("--format", metavar="F...", help="Formats among png, svg, html; default: all.")
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="M...", help="The decibels to draw, psnr or ms_ssim_db; default: both."),
    ] = None,
    method: Annotated[str, typer.Option(help="Interpolation of the curves: pchip, akima or cubic.")] = "pchip",
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Text above the figures.")] = None,
    max_bpp: Annotated[
        float | None, typer.Option(min=0.01, metavar="B", help="Right end of the axis of bits per pixel.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing figures.")] = False,
) -> None:
    """Draw rate-distortion curves, bars of BD-rate, and speed against rate savings, one column of a paper wide.

    The command writes rate-distortion, bd-rate and speed as PNG and SVG, for MS-SSIM with -ms-ssim behind the name, and
    rate-distortion.html to explore. It leaves out a figure that cannot be drawn, and prints the reason.
    """
    forms, measures = form or list(FORMATS), measure or list(options.MEASURES)
    for option, values, among in (("format", forms, FORMATS), ("measure", measures, options.MEASURES)):
        for value in values:
            options.check_choice(option, value, among)
    options.check_choice("method", method, options.METHODS)
    if forms == [PAGE] and (anchor or method != options.METHODS[0]):
        raise typer.BadParameter("--anchor and --method are for bd-rate, which --format png or svg draws")
    groups = _entries_by_measure(runs, options.published_of(published), measures)
    if not groups:
        raise EvaluationError("There is nothing to draw: no codec has any of these measures.")
    if anchor:
        from lic.evaluation.compare import find_entry

        for entries in groups.values():
            find_entry(anchor, entries)  # An unknown anchor ends the command before it writes anything.
    figures, stills = {}, [each for each in forms if each != PAGE]
    for measured, entries in groups.items() if stills else ():
        figures |= _figures(entries, measured, anchor, method, title, max_bpp)
    targets = {name: [out / f"{name}.{still}" for still in stills] for name in figures}
    pages = [out / f"rate-distortion.{PAGE}"] if PAGE in forms else []
    for target in (*itertools.chain(*targets.values()), *pages):
        files.refuse_existing(target, force)
    for name, draw in figures.items():
        _draw_or_explain(name, targets[name], draw, force)
    for page in pages:
        from lic.evaluation.plots import write_curves_page

        try:
            with files.new_file(page, force) as path:
                write_curves_page(path, groups, title, max_bpp)
        except EvaluationError as error:
            print(f"lic: {page.name} is left out. {error}", file=sys.stderr)
        else:
            print(printable(str(page)))


def _entries_by_measure(runs: list[Path], published: list[str], measures: list[str]) -> dict[str, list[Entry]]:
    """Returns the entries of each measure that any codec has, and prints notes on what is missing."""
    from lic.evaluation.compare import entries_of, read_runs

    results, groups, notes = read_runs(runs), {}, []
    for measure in measures:
        groups[measure], notes_on_measure = entries_of(results, published, measure)
        notes += notes_on_measure
    for note in dict.fromkeys(notes):
        print(f"lic: {note}", file=sys.stderr)
    return {measure: entries for measure, entries in groups.items() if entries}


def _figures(
    entries: list[Entry], measure: str, anchor: str | None, method: Any, title: str | None, max_bpp: float | None
) -> dict[str, Callable[[], Any]]:
    """Returns for the name of each figure of a measure the function that draws it."""
    from lic.evaluation import plots
    from lic.evaluation.compare import compare

    def comparison() -> Any:
        return compare(entries, anchor, measure, method)

    suffix = _SUFFIXES[measure]
    return {
        f"rate-distortion{suffix}": lambda: plots.rate_distortion(entries, measure, title, max_bpp),
        f"bd-rate{suffix}": lambda: plots.bd_rate_bars(comparison(), title),
        f"speed{suffix}": lambda: plots.speed(comparison(), title),
    }


def _draw_or_explain(name: str, targets: list[Path], draw: Callable[[], Any], force: bool) -> None:
    """Draws a figure and writes its files, or prints why it cannot be drawn."""
    from lic.evaluation.plots import save_figure

    try:
        figure = draw()
    except EvaluationError as error:
        print(f"lic: {name} is left out. {error}", file=sys.stderr)
        return
    for target in targets:
        with files.new_file(target, force) as path:
            save_figure(path, figure)
        print(printable(str(target)))
