"""What came of measurements: rows of CSV files, and tables for people."""

from __future__ import annotations

import csv
import datetime
import importlib.metadata
import os
import pathlib
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence

from measuring import Measured

import lic

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


def rows_of(measured: Measured) -> list[Row]:
    """Returns one row for each quantity of a task."""
    task, before, after = measured.task, measured.before, measured.after
    middle = [f"{statistics.mean(pair):.4g}" for pair in zip(before, after)]
    common = _machine() | {
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
      ValueError: It lacks columns that are needed.
    """
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(missing)}.")
        return list(reader)


def check_appendable(path: pathlib.Path) -> None:
    """Raises a ValueError where a file is there that is not one of results."""
    if path.exists():
        with open(path, newline="") as file:
            if tuple(next(csv.reader(file), ())) != COLUMNS:
                raise ValueError(f"{path} has other columns than results have. Name another file with --out.")


def append(path: pathlib.Path, rows: Sequence[Row]) -> None:
    """Appends rows to a CSV file, and makes it with a header where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Returns columns of rows as aligned text under their names."""
    lines = [columns, *([row[name] for name in columns] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _figures(values: list[float], name: str, unit: str) -> Row:
    numbers = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    texts = {key: str(round(value)) if unit == "bytes" else f"{value:.4g}" for key, value in numbers.items()}
    return {"quantity": name, "unit": unit, "repeats": str(len(values)), **texts}


def _machine() -> Row:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "lic": lic.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "tensorflow": importlib.metadata.version("tensorflow"),
        "keras": importlib.metadata.version("keras"),
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0))),
    }


def _commit() -> str:
    """The commit of the code that is measured, or nothing where that is no checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        ended = subprocess.run(command, cwd=pathlib.Path(lic.__file__).parent, capture_output=True, text=True)
    except OSError:
        return ""
    return ended.stdout.strip()


def _cpu() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
