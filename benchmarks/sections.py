"""Results as tables, one set for each machine and environment."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import headline
from bench_start import steps
from compare import HOW, steady
from document import table
from results import Row

TASK = ("model", "weights", "size", "precision", "tile")
ENVIRONMENT = ("cpu", "cores", "tensorflow")
UNSTEADY = "\\*"
SPEED = "GFLOP/s"  # The column of the rate of the matrix product while the figures of a line were measured.


class Table(NamedTuple):
    """A table of measurements: one line for each task that has some of the quantities.

    Attributes:
      title: Its title.
      quantities: The quantities in its columns.
      square: True for a table of square images, False for one of other images, None for one of both.
    """

    title: str
    quantities: tuple[str, ...]
    square: bool | None = None


_CODEC = (
    *("build", "first compress", "first decompress", "compress", "decompress"),
    *("encoded size", "codec peak memory"),
)
_WALKS = ("estimate", "encode", "decode")
TABLES = (
    Table("Starting: whole processes", tuple(steps("", ""))),
    Table("Transforms", ("analysis", "synthesis", "hyper analysis", "hyper synthesis")),
    Table(
        "Entropy models",
        (
            *(f"{walk} rate" for walk in _WALKS),
            *_WALKS,
            *("encode range coder", "decode range coder", "symbols", "bits per symbol"),
        ),
    ),
    Table("Codecs", _CODEC, square=False),
    Table("Codecs over the size of the image", _CODEC, square=True),
    Table("Training", ("first training step", "training step", "training peak memory")),
)


def by_environment(rows: Iterable[Row]) -> dict[tuple[str, ...], list[Row]]:
    """Returns the latest row of each quantity, for each processor, number of cores and TensorFlow."""
    found: dict[tuple[str, ...], dict[tuple[str, ...], Row]] = {}
    for row in sorted(rows, key=lambda row: row["date"]):
        found.setdefault(tuple(row[name] for name in ENVIRONMENT), {})[tuple(row[name] for name in HOW)] = row
    return {environment: list(latest.values()) for environment, latest in found.items()}


def lines_of(kind: Table, rows: Sequence[Row]) -> list[Row]:
    """Returns the lines of a table, each with the figures of one task; figures of unsteady machines are marked."""
    lines: dict[tuple[str, ...], Row] = {}
    speeds: dict[tuple[str, ...], list[float]] = {}
    for row in (row for row in rows if row["model"] != headline.MODEL):
        if row["quantity"] in kind.quantities and kind.square in (None, is_square(row["size"])):
            task = tuple(row[name] for name in TASK)
            line = lines.setdefault(task, {name: row[name] for name in TASK})
            line[row["quantity"]] = figure(row)
            line["tile"] = row["tile"] or "none" * bool(kind.square)
            speeds.setdefault(task, []).extend(float(row[name]) for name in ("rate_before", "rate_after"))
            line[SPEED] = f"{statistics.median(speeds[task]):.0f}"
    return sorted(lines.values(), key=lambda line: (line["model"], pixels(line["size"]), line["tile"]))


def section(environment: tuple[str, ...], rows: Sequence[Row]) -> str:
    """Returns heading, tables and headline of one environment."""
    cpu, cores, tensorflow = environment
    commits = ", ".join(dict.fromkeys(row["commit"] for row in rows if row["commit"]))
    units = {row["quantity"]: row["unit"] for row in rows}
    rates = sorted(float(row[name]) for row in rows for name in ("rate_before", "rate_after"))
    product = f"Matrix product: {rates[0]:.0f} to {rates[-1]:.0f} GFLOP/s. Commits: {commits}."
    parts = [f"### {cpu}, {cores} cores, TensorFlow {tensorflow}", product]
    for kind in TABLES:
        lines = lines_of(kind, rows)
        if lines:
            titles = dict(zip(TASK, TASK)) | {name: titled(name, units.get(name)) for name in kind.quantities}
            titles |= {SPEED: SPEED}
            parts.append(f"**{kind.title}**\n\n{table(lines, titles)}")
    parts += [headline.sentence(row) + "." for row in rows if row["model"] == headline.MODEL]
    return "\n\n".join(parts)


def figure(row: Row) -> str:
    """Returns a median as readable text; a time or a rate is marked if the machine was not steady."""
    value = float(row["median"])
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return text + (UNSTEADY if row["unit"] in ("s", "symbols/s") and not steady(row) else "")


def titled(quantity: str, unit: str | None) -> str:
    """Returns a quantity with its unit, unless the unit is its name."""
    return quantity if unit == quantity else f"{quantity}, {unit}"


def pixels(size: str) -> int:
    """Returns the pixels of all images of a size such as 8x256x256."""
    product = 1
    for number in re.findall(r"\d+", size):
        product *= int(number)
    return product


def is_square(size: str) -> bool:
    """Returns whether images of a size are as wide as they are high."""
    width, height = size.split("x")[-2:]
    return width == height
