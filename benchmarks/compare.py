"""Compares results with the published code's figures.

    python benchmarks/compare.py benchmarks/results/bench_codec.csv

Machines differ, so seconds are compared as seconds x the machine's matrix product rate at that time, here and there.
Of several results of one thing the last one counts.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics

import results
from results import Row
from tasks import Parser

BASELINE = pathlib.Path(__file__).parent / "baseline.csv"
BASELINE_COLUMNS = ("code", "model", "size", "quantity", "unit", "median", "rate", "machine")
WHAT = ("model", "size", "quantity")
HOW = (*WHAT, "weights", "precision", "tile")
SHOWN = (*HOW, "unit", "published", "rate there", "ours", "rate here", "times better")
STEADY = 1.15  # Calibrations before and after that differ by more than this factor are marked.


def rate(row: Row) -> float:
    """Returns the matrix product rate of a result, the mean of before and after."""
    return statistics.mean((float(row["rate_before"]), float(row["rate_after"])))


def steady(row: Row) -> bool:
    """Whether the machine was about as fast after the measurement as before it."""
    rates = float(row["rate_before"]), float(row["rate_after"])
    return max(rates) <= STEADY * min(rates)


def times_better(published: Row, ours: Row) -> float:
    """Returns how many times less a result needs: of seconds times rate, or of memory as it is."""
    ratio = float(published["median"]) / float(ours["median"])
    return ratio * float(published["rate"]) / rate(ours) if ours["unit"] == "s" else ratio


def compared(published: list[Row], ours: list[Row]) -> list[Row]:
    """Returns one row for each of our results that has a published figure."""
    figures = {tuple(row[name] for name in WHAT): row for row in published}
    latest = {tuple(row[name] for name in HOW): row for row in ours}
    return [
        _compared(figures[what], row) for row in latest.values() if (what := tuple(row[n] for n in WHAT)) in figures
    ]


def _compared(published: Row, ours: Row) -> Row:
    if published["unit"] != ours["unit"]:
        raise ValueError(f"{ours['quantity']} is in {ours['unit']} here and in {published['unit']} there.")
    better = f"{times_better(published, ours):.2f}" + ("" if steady(ours) else " (unsteady)")
    return ours | {
        "published": published["median"],
        "rate there": published["rate"],
        "ours": ours["median"],
        "rate here": f"{rate(ours):.4g}",
        "times better": better,
    }


def notes(published: list[Row], rows: list[Row]) -> list[str]:
    """Returns what the reader of the table needs to know."""
    models = {row["model"] for row in rows}
    sources = dict.fromkeys(f"{row['code']} on {row['machine']}" for row in published if row["model"] in models)
    lines = [f"published: {source}" for source in sources]
    if not all(map(steady, rows)):
        lines.append("unsteady: the matrix product rates before and after differ by over 15 %; measure again")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Prints the table of the command line's results."""
    parser = Parser(prog="compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=pathlib.Path, metavar="RESULTS.csv")
    parser.add_argument("--baseline", type=pathlib.Path, default=BASELINE, metavar="CSV", help="published figures")
    options = parser.parse_args(arguments)
    try:
        published = results.read(options.baseline, BASELINE_COLUMNS)
        ours = [row for path in options.results for row in results.read(path, results.COLUMNS)]
        rows = compared(published, ours)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if not rows:
        parser.error(f"No result has a published figure; there are some of {_names(published)}.")
    print(results.table(rows, SHOWN))
    print("\n".join(notes(published, rows)))


def _names(published: list[Row]) -> str:
    return ", ".join(dict.fromkeys(f"{row['model']} at {row['size']}" for row in published))


if __name__ == "__main__":
    main()
