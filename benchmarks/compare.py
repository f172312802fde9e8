"""Compares results with the published code's figures, or with other results.

    python benchmarks/compare.py benchmarks/results/bench_codec.csv
    python benchmarks/compare.py NEW.csv --baseline OLD.csv

Machines differ, so seconds are compared as seconds x the machine's matrix product rate at that time, here and there.
If a file holds several results of one quantity, the last one counts.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
from collections.abc import Sequence

import results
from results import Row
from tasks import Parser

BASELINE = pathlib.Path(__file__).parent / "baseline.csv"
BASELINE_COLUMNS = ("code", "model", "size", "quantity", "unit", "median", "rate", "machine")
WHAT = ("model", "size", "quantity")
HOW = (*WHAT, "weights", "precision", "tile")
SHOWN = (*HOW, "unit", "there", "rate there", "here", "rate here", "times better")
STEADY = 1.15  # Calibrations before and after that differ by more than this factor are marked.
COMPARED = ("s", "symbols/s", "GiB")  # Less is better in s and GiB, and more in symbols/s.


def rate(row: Row) -> float:
    """Returns the matrix product rate of a result in GFLOP/s: the mean of those before and after."""
    return statistics.mean((float(row["rate_before"]), float(row["rate_after"])))


def steady(row: Row) -> bool:
    """Returns whether the machine was about as fast after the measurement as before it."""
    rates = float(row["rate_before"]), float(row["rate_after"])
    return max(rates) <= STEADY * min(rates)


def times_better(there: Row, here: Row) -> float:
    """Returns how many times better a result is; seconds and rates are relative to the machine's rate."""
    ratio = float(there["median"]) / float(here["median"])
    machines = float(there["rate"]) / rate(here)
    return {"s": ratio * machines, "symbols/s": 1 / ratio * machines}.get(here["unit"], ratio)


def read_baseline(path: pathlib.Path) -> tuple[list[Row], tuple[str, ...]]:
    """Reads published figures or results of ours, and returns them and the columns that identify a figure.

    Raises:
      ValueError: The file holds neither.
    """
    rows = results.read(path, WHAT)
    if not rows or "rate_before" not in rows[0]:
        return results.read(path, BASELINE_COLUMNS), WHAT
    rows = results.read(path, results.COLUMNS)
    return [row | _origin(row) for row in rows if row["unit"] in COMPARED], HOW


def _origin(row: Row) -> Row:
    machine = f"{row['cpu']}, {row['cores']} cores, TensorFlow {row['tensorflow']}"
    return {"code": f"lic {row['lic']} {row['commit']}", "machine": machine, "rate": f"{rate(row):.4g}"}


def compared(there: Sequence[Row], here: Sequence[Row], what: tuple[str, ...] = WHAT) -> list[Row]:
    """Returns one row for each result here that has a figure there.

    Args:
      there: Figures, published or of another run.
      here: Results.
      what: The columns that identify a figure.
    """
    figures = {tuple(row[name] for name in what): row for row in there}
    latest = {tuple(row[name] for name in HOW): row for row in here}
    return [_compared(figures[key], row) for row in latest.values() if (key := tuple(row[n] for n in what)) in figures]


def _compared(there: Row, here: Row) -> Row:
    if there["unit"] != here["unit"]:
        raise ValueError(f"{here['quantity']} is in {here['unit']} here and in {there['unit']} there.")
    better = f"{times_better(there, here):.2f}" + ("" if steady(here) else " (unsteady)")
    return here | {
        "there": there["median"],
        "rate there": there["rate"],
        "here": here["median"],
        "rate here": f"{rate(here):.4g}",
        "times better": better,
    }


def notes(there: Sequence[Row], rows: Sequence[Row]) -> list[str]:
    """Returns the notes below the table: the sources of figures, and a warning about unsteady machines."""
    models = {row["model"] for row in rows}
    sources = dict.fromkeys(f"{row['code']} on {row['machine']}" for row in there if row["model"] in models)
    lines = [f"there: {source}" for source in sources]
    if not all(map(steady, rows)):
        lines.append("unsteady: the matrix product rates before and after differ by over 15 %; measure again")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Prints the table of the command line's results."""
    parser = Parser(prog="compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=pathlib.Path, metavar="RESULTS.csv")
    parser.add_argument(
        "--baseline", type=pathlib.Path, default=BASELINE, metavar="CSV", help="published figures, or other results"
    )
    options = parser.parse_args(arguments)
    try:
        there, what = read_baseline(options.baseline)
        here = [row for path in options.results for row in results.read(path, results.COLUMNS)]
        rows = compared(there, here, what)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if not rows:
        parser.error(f"No result has a figure in {options.baseline.name}; there are some of {_names(there)}.")
    print(results.table(rows, SHOWN))
    print("\n".join(notes(there, rows)))


def _names(there: Sequence[Row]) -> str:
    return ", ".join(dict.fromkeys(f"{row['model']} at {row['size']}" for row in there))


if __name__ == "__main__":
    main()
