"""The headline of the checkerboard's publication: how many times faster than slice after slice it decodes."""

from __future__ import annotations

from collections.abc import Sequence

import results
from compare import BASELINE, steady
from results import Row

SLOW, FAST = "ms2020", "hzswq2021"
ALIKE = ("weights", "size", "precision")
MODEL, UNIT = f"{SLOW} over {FAST}", "ratio"
PUBLISHED = 1.88  # The publication's Keras code on an A100.


def headlines(rows: Sequence[Row]) -> list[Row]:
    """Returns the row of the ratio of both decompression times, or no row unless both were measured alike.

    Args:
      rows: Results of one run; the last one of each model counts.
    """
    found = {row["model"]: row for row in rows if row["quantity"] == "decompress" and not row["tile"]}
    slow, fast = found.get(SLOW), found.get(FAST)
    if not slow or not fast or any(slow[name] != fast[name] for name in ALIKE):
        return []
    bounds = {"median": "median", "least": "most", "most": "least"}
    ratios = {name: f"{float(slow[name]) / float(fast[other]):.3g}" for name, other in bounds.items()}
    repeats = min(slow["repeats"], fast["repeats"], key=int)
    first, last = (row for row in rows if row is slow or row is fast)
    return [last | {"model": MODEL, "unit": UNIT, "rate_before": first["rate_before"], "repeats": repeats, **ratios}]


def published_here() -> float:
    """Returns the ratio of the published code's figures in `baseline.csv`."""
    rows = results.read(BASELINE, ("model", "size", "quantity", "median"))
    seconds = {(row["model"], row["quantity"], row["size"]): row["median"] for row in rows}
    slow, fast = (float(seconds[model, "decompress", "768x512"]) for model in (SLOW, FAST))
    return slow / fast


def sentence(row: Row) -> str:
    """Returns the headline in words, with the published ratio and the ratio of the published code here."""
    doubt = "" if steady(row) else ", on an unsteady machine"
    return (
        f"{SLOW}, ten slices one after the other, takes {row['median']} times as long as {FAST}, a checkerboard, to "
        f"decompress {row['size']}{doubt}. The published ratio is {PUBLISHED} on an A100, and the published code's "
        f"ratio on two cores is {published_here():.1f} (baseline.csv)"
    )
