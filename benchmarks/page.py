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
from peers.pairs import PEER_COLUMNS, ratios, slower
from results import Row
from tasks import RESULTS, Parser, shipped_weights

ROOT = pathlib.Path(__file__).parents[1]
PAGE, README = ROOT / "benchmarks" / "README.md", ROOT / "README.md"
PLOT = "size.svg"
EVALUATION, PEERS = "kodak", "peers"
_FASTER = ("compress", "decompress")
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
            f"{sections.UNSTEADY} The machine's rates before and after differ by over 15 %. Blank: not measured. "
            f"{sections.SPEED}: the rate of the matrix product meanwhile; the machine is shared, and times in rows of "
            "other rates do not compare."
        )
    parts += [*rates.section(folder / EVALUATION), *effort.section(folder), *mixes.section(folder)]
    return "\n\n".join([*parts, *beside(folder)])


def summary(folder: pathlib.Path) -> str:
    """Returns the text between the markers of the README, which is empty if there are no results.

    Args:
      folder: The folder of the results.
    """
    _, *distances = rates.section(folder / EVALUATION) or [""]  # The points stand on the other page alone.
    parts = [part for part in (*distances, *faster(folder)) if part]
    source = "These are from `benchmarks/results`, written by `make results`; [all of them](benchmarks/README.md)."
    return "\n\n".join(["## Results", *parts, source]) if parts else ""


def measurements(folder: pathlib.Path) -> list[Row]:
    """Returns the rows of all files of measurements in a folder, but those of weights that shipped earlier."""
    rows = [row for path in sorted(folder.glob("*.csv")) for row in results.read(path, results.COLUMNS)]
    return [
        row
        for row in rows
        if not row["weights"].startswith("shipped") or row["weights"] == shipped_weights(row["model"])
    ]


def beside(folder: pathlib.Path) -> list[str]:
    """Returns a table for each file of measurements beside other code, and which quantities are slower.

    Args:
      folder: The folder of the results.
    """
    parts = []
    for rows in _beside(folder):
        found = ratios(rows)
        shown = table(found, _PEERS)
        parts.append(
            f"**{_codes(rows)}**, with the same random weights, {_machine(rows)}:\n\n{shown}\n\n{slower(found)}"
        )
    return parts


def faster(folder: pathlib.Path) -> list[str]:
    """Returns, for each file of measurements beside other code, how many times faster systems compress and decompress.

    Args:
      folder: The folder of the results.
    """
    parts = []
    for rows in _beside(folder):
        systems: dict[str, Row] = {}
        for row in ratios(rows):
            if row["quantity"] in _FASTER:
                systems.setdefault(row["ours"], {"ours": row["ours"]})[row["quantity"]] = row["ratio"]
        shown = table(list(systems.values()), {"ours": "system"} | {name: name for name in _FASTER})
        machine = f"768x512 on {_machine(rows)}; {_codes(rows, '; ')}"
        parts.append(f"**Times faster than the code of others**, with the same weights, {machine}:\n\n{shown}")
    return parts


def _beside(folder: pathlib.Path) -> list[list[Row]]:
    return [results.read(path, PEER_COLUMNS) for path in sorted((folder / PEERS).glob("*.csv"))]


def _codes(rows: Sequence[Row], between: str = " and ") -> str:
    return between.join(dict.fromkeys(row["code"] for row in rows))


def _machine(rows: Sequence[Row]) -> str:
    return f"{rows[-1]['cpu']}, {rows[-1]['cores']} cores" if rows else ""


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
        if not options.check:
            path.write_text(text)
        elif path.read_text() != text:
            parser.error(f"{path.relative_to(ROOT)} does not hold the results. Run `make results`.")


if __name__ == "__main__":
    main()
