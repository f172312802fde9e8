"""`lic compare`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import options
from lic.cli.table import print_table

_LEGEND = (
    "overlap is the share of the shorter range; s/MP is seconds per megapixel, the mean over images and qualities."
)


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders that `lic eval` wrote.")],
    anchor: Annotated[str | None, typer.Option(metavar="NAME", help=options.ANCHOR)] = None,
    published: Annotated[list[str] | None, typer.Option(metavar="NAME...", help=options.PUBLISHED)] = None,
    measure: Annotated[str, typer.Option(help="The decibels to compare: psnr or ms_ssim_db.")] = "psnr",
    method: Annotated[str, typer.Option(help="Interpolation of the curves: pchip, akima or cubic.")] = "pchip",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare codecs with an anchor: BD-rate, BD-PSNR, and seconds per megapixel.

    BD-rate is the mean change of rate at equal distortion, so that a negative one saves bits. A codec with one rate has
    no BD-rate; the table has the changes of rate and of dB at its point instead, against the anchor's curve.
    """
    options.check_choice("measure", measure, options.MEASURES)
    options.check_choice("method", method, options.METHODS)
    from lic.evaluation.compare import compare as compare_entries
    from lic.evaluation.compare import entries_of, read_runs

    entries, notes = entries_of(read_runs(runs), options.published_of(published), measure)
    data = compare_entries(entries, anchor, measure, method).as_data()
    if as_json:
        print(json.dumps(data | {"notes": notes}, indent=1))
        return
    _print(data["rows"], "MS-SSIM" if measure == "ms_ssim_db" else "PSNR")
    print(f"The anchor is {data['anchor']}, the interpolation {method}; {_LEGEND}")
    for note in notes:
        print(f"lic: {note}", file=sys.stderr)


def _print(rows: list[dict[str, Any]], measure: str) -> None:
    """Prints the table without the columns that are empty in all rows."""
    columns = {
        "codec": ("codec", "{}"),
        "bd_rate": ("BD-rate %", "{:+.2f}"),
        "bd_rate_overlap": ("overlap", "{:.0%}"),
        "bd_decibels": (f"BD-{measure} dB", "{:+.3f}"),
        "bd_decibels_overlap": ("overlap of rates", "{:.0%}"),
        "rate_at_point": ("rate % at point", "{:+.2f}"),
        "decibels_at_point": ("dB at point", "{:+.3f}"),
        "encode_seconds": ("encode s/MP", "{:.3f}"),
        "decode_seconds": ("decode s/MP", "{:.3f}"),
        "note": ("note", "{}"),
    }
    filled = {name: column for name, column in columns.items() if any(row[name] not in (None, "") for row in rows)}
    print_table([{head: row[name] for name, (head, _) in filled.items()} for row in rows], dict(filled.values()))
