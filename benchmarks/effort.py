"""The tables of effort when encoding, from the files that `bench_effort.py` writes."""

from __future__ import annotations

import pathlib
import statistics
from collections.abc import Iterable

import results
from document import table
from results import Row

FOLDER = "effort"
COLUMNS = (
    *("date", "lic", "commit", "tensorflow", "cpu", "cores", "codec", "quality", "image", "effort", "seconds"),
    *("bytes", "psnr", "bytes_at_equal_psnr", "saved"),
)
SHOWN = {
    "effort": "effort",
    "images": "images",
    "seconds": "s an image",
    "saved": "bits saved, %",
    "least": "least",
    "most": "most",
}


def means(rows: Iterable[Row]) -> list[Row]:
    """Returns a line for each effort: the median of the seconds, and the mean, least and most of the saved bits.

    Rows of another codec or quality than the last one that was measured do not count.

    First come lines over the images on which all efforts were tried, so that efforts can be compared. Efforts that were
    tried on more images have a second line over all of theirs.
    """
    by_effort: dict[int, list[Row]] = {}
    rows = list(rows)
    for row in (row for row in rows if all(row[name] == rows[-1][name] for name in ("codec", "quality"))):
        by_effort.setdefault(int(row["effort"]), []).append(row)
    shared = set.intersection(*({row["image"] for row in found} for found in by_effort.values()))
    lines = []
    for effort, found in sorted(by_effort.items()):
        lines.append(_line(effort, [row for row in found if row["image"] in shared] or found))
        if len(found) > len(shared) > 0:
            lines.append(_line(effort, found))
    return sorted(lines, key=lambda line: int(line["images"]))


def _line(effort: int, rows: list[Row]) -> Row:
    saved = [100 * float(row["saved"]) for row in rows]
    seconds = statistics.median(float(row["seconds"]) for row in rows)
    shares = {"saved": statistics.mean(saved), "least": min(saved), "most": max(saved)}
    texts = {name: f"{value:.2f}" for name, value in shares.items()}
    return {"effort": str(effort), "images": str(len(rows)), "seconds": f"{seconds:.3g}", **texts}


def section(folder: pathlib.Path) -> list[str]:
    """Returns a titled table for each file of results."""
    parts = []
    for path in sorted((folder / FOLDER).glob("*.csv")):
        rows = results.read(path, COLUMNS)
        last = rows[-1]
        title = f"**Effort when encoding**, codec {last['codec']} at quality {last['quality']}, bits at equal PSNR"
        parts.append(f"{title}, {last['cpu']}, {last['cores']} cores:\n\n{table(means(rows), SHOWN)}")
    return parts
