"""Results of measurements: rows of CSV files, and tables of text."""

from __future__ import annotations

import argparse
import csv
import datetime
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from measuring import Jobs, Measured, Quantity, measured

import lic
from lic.versions import machine, versions

COLUMNS = (
    "date",
    "lic",
    "commit",
    "python",
    "tensorflow",
    "keras",
    "cpu",
    "cores",
    "model",
    "weights",
    "size",
    "precision",
    "tile",
    "quantity",
    "unit",
    "median",
    "least",
    "most",
    "repeats",
    "rate_before",
    "rate_after",
    "convolution_rate",
    "bfloat16_rate",
    "memory_rate",
)
SHOWN = ("model", "weights", "size", "precision", "quantity", "unit", "median", "least", "most", "rate_before")
Row = dict[str, str]


def record(
    jobs: Jobs,
    out: pathlib.Path,
    calibration_repeats: int,
    derive: Callable[[Measured], list[Quantity]] = lambda each: [],
) -> Iterator[list[Row]]:
    """Measures jobs, appends the rows of each to a CSV file at once, and yields them.

    Args:
      jobs: Pairs of a measuring function and a task.
      out: The file.
      calibration_repeats: Calls of each calibration.
      derive: Returns further quantities of a measured task.

    Raises:
      ValueError: The file has other columns than results.
    """
    check_appendable(out)
    for each in measured(jobs, calibration_repeats):
        rows = rows_of(each._replace(quantities=each.quantities + derive(each)))
        append(out, rows)
        yield rows


def record_or_exit(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    jobs_of: Callable[[argparse.Namespace], Jobs],
    derive: Callable[[Measured], list[Quantity]] = lambda each: [],
    conclude: Callable[[list[Row]], list[Row]] = lambda rows: [],
) -> list[Row]:
    """Records the jobs that options ask for, and prints the table; a failure is an error of the parser.

    Args:
      parser: The parser of the options.
      options: The parsed options, with `out` and `calibration_repeats`.
      jobs_of: Returns the jobs of the options.
      derive: As in `record`.
      conclude: Returns further rows from all rows of this run.
    """
    rows, failure = [], None
    try:
        for new in record(jobs_of(options), options.out, options.calibration_repeats, derive):
            rows += new
    except (lic.LicError, OSError, ValueError) as error:
        failure = error
    if rows:
        append(options.out, further := conclude(rows))
        rows += further
        print(table(rows, SHOWN))
        print(f"Appended to {options.out}", file=sys.stderr)
    if failure:
        parser.error(str(failure))
    return rows


def rows_of(measured: Measured) -> list[Row]:
    """Returns one row for each quantity of a task."""
    task, before, after = measured.task, measured.before, measured.after
    middle = [f"{statistics.mean(pair):.4g}" for pair in zip(before, after)]
    common = machine_columns() | {
        "model": task.model,
        "weights": task.weights,
        "size": task.size,
        "precision": task.precision or "float32",
        "tile": str(task.tile or ""),
        "rate_before": f"{before.float32:.4g}",
        "rate_after": f"{after.float32:.4g}",
        "convolution_rate": middle[2],
        "bfloat16_rate": middle[1],
        "memory_rate": middle[3],
    }
    return [common | _figures(quantity.values, quantity.name, quantity.unit) for quantity in measured.quantities]


def read(path: pathlib.Path, needed: Iterable[str]) -> list[Row]:
    """Reads the rows of a CSV file.

    Raises:
      ValueError: The file lacks columns that are needed.
    """
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(missing)}.")
        return list(reader)


def check_appendable(path: pathlib.Path, columns: Sequence[str] = COLUMNS) -> None:
    """Raises a ValueError if a file exists and has other columns than results."""
    if path.exists():
        with open(path, newline="") as file:
            if next(csv.reader(file), []) != list(columns):
                raise ValueError(f"{path} has other columns than results have. Name another file with --out.")


def append(path: pathlib.Path, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Appends rows to a CSV file, which it makes with a header if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Returns columns of rows as aligned text below the columns' names."""
    lines = [columns, *([row[name] for name in columns] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def machine_columns() -> Row:
    """Returns the columns that describe the time, the machine and the code of a measurement."""
    versions_here, machine_here = versions(), machine()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": _commit(),
        "tensorflow": tensorflow_version(versions_here),
        "cpu": str(machine_here["processor"]),
        "cores": str(machine_here["cores"]),
        **{name: versions_here[name] for name in ("lic", "python", "keras")},
    }


def _figures(values: list[float], name: str, unit: str) -> Row:
    numbers = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    texts = {
        key: str(round(value)) if unit in ("bytes", "symbols") else f"{value:.4g}" for key, value in numbers.items()
    }
    return {"quantity": name, "unit": unit, "repeats": str(len(values)), **texts}


def tensorflow_version(versions: Mapping[str, str]) -> str:
    """Returns TensorFlow's version, under whichever name it is installed."""
    return versions.get("tensorflow") or versions["tensorflow-cpu"]


def _commit() -> str:
    """Returns the commit of the measured code, or nothing if the code is no checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        ended = subprocess.run(command, cwd=pathlib.Path(lic.__file__).parent, capture_output=True, text=True)
    except OSError:
        return ""
    return ended.stdout.strip()
