"""Writes the tables of benchmarks/README.md and the results of README.md from the files of results: `make results`.

    python benchmarks/page.py
    python benchmarks/page.py --check

All text between the markers comes from here. With --check nothing is written, and a page that differs is an error.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence

import effort
import mixes
import plot
import rates
import results
import sections
from document import placed, table
from headline import MODEL, sentence
from peers.pairs import COMPARED, PEER_COLUMNS, ratios, slower
from results import Row
from tasks import RESULTS, Parser

ROOT = pathlib.Path(__file__).parents[1]
PAGE, README = ROOT / "benchmarks" / "README.md", ROOT / "README.md"
PLOT = "size.svg"
EVALUATION, PEERS = "kodak", "peers"
_PEERS = {
    "peer": "system",
    "ours": "lic",
    "quantity": "",
    "size": "size",
    "theirs": "theirs, s",
    "lic": "lic, s",
    "ratio": "times faster",
}


def page(folder: pathlib.Path) -> str:
    """Returns the text between the markers of the page of benchmarks.

    Args:
      folder: The folder of the results.
    """
    environments = sections.by_environment(measurements(folder))
    parts = [sections.section(environment, rows) for environment, rows in environments.items()]
    if (folder / PLOT).exists():
        parts.append(f"![Memory and time over the size of the image]({folder.name}/{PLOT})")
    if parts:
        parts.append(
            f"{sections.UNSTEADY} The machine's rates before and after differ by over 15 %. Blank: not measured."
        )
    return "\n\n".join([*parts, *effort.section(folder), *mixes.section(folder), *beside(folder)])


def summary(folder: pathlib.Path) -> str:
    """Returns the text between the markers of the README, which is empty if there are no results.

    Args:
      folder: The folder of the results.
    """
    latest = [row for rows in sections.by_environment(measurements(folder)).values() for row in rows]
    headlines = [row for row in latest if row["model"] == MODEL]
    speed = [f"- {row['cpu']}, TensorFlow {row['tensorflow']}: {sentence(row)}." for row in headlines]
    parts = [*rates.section(folder / EVALUATION), "\n".join(speed), *beside(folder, ("compress", "decompress"))]
    parts = [part for part in parts if part]
    source = "These are from `benchmarks/results`, written by `make results`; [all of them](benchmarks/README.md)."
    return "\n\n".join(["## Results", *parts, source]) if parts else ""


def measurements(folder: pathlib.Path) -> list[Row]:
    """Returns the rows of all files of measurements in a folder."""
    return [row for path in sorted(folder.glob("*.csv")) for row in results.read(path, results.COLUMNS)]


def beside(folder: pathlib.Path, quantities: Sequence[str] = COMPARED) -> list[str]:
    """Returns a table for each file of measurements beside other code, and which quantities are slower.

    Args:
      folder: The folder of the results.
      quantities: The quantities of the table.
    """
    parts = []
    for path in sorted((folder / PEERS).glob("*.csv")):
        rows = results.read(path, PEER_COLUMNS)
        found = ratios(rows)
        codes = " and ".join(dict.fromkeys(row["code"] for row in rows))
        machine = f"{rows[-1]['cpu']}, {rows[-1]['cores']} cores" if rows else ""
        shown = table([row for row in found if row["quantity"] in quantities], _PEERS)
        parts.append(f"**{codes}**, with the same random weights, {machine}:\n\n{shown}\n\n{slower(found)}")
    return parts


def pages(folder: pathlib.Path = RESULTS) -> dict[pathlib.Path, str]:
    """Returns the whole new text of both pages, by their paths."""
    content = {PAGE: page(folder), README: summary(folder)}
    return {path: placed(path.read_text(), "results", text) for path, text in content.items()}


def draw(folder: pathlib.Path = RESULTS) -> None:
    """Draws the plot of the environment whose sizes were measured last, or removes the plot if there is none."""
    environments = sections.by_environment(measurements(folder))
    drawable = {key: rows for key, rows in environments.items() if plot.series(rows, "codec peak memory")}
    (folder / PLOT).unlink(missing_ok=True)
    if drawable:
        cpu, cores, tensorflow = last = max(drawable, key=lambda key: max(row["date"] for row in drawable[key]))
        plot.draw(drawable[last], f"{cpu}, {cores} cores, TensorFlow {tensorflow}", folder / PLOT)


def main(arguments: list[str] | None = None) -> None:
    """Writes both pages and the plot, or with --check exits with an error if a page differs."""
    parser = Parser(prog="page", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page differs")
    options = parser.parse_args(arguments)
    if not options.check:
        draw()
    for path, text in pages().items():
        if options.check and path.read_text() != text:
            parser.error(f"{path.relative_to(ROOT)} is not what the results say. Run `make results`.")
        path.write_text(text)


if __name__ == "__main__":
    main()
