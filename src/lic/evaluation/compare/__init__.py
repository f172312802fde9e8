"""Comparing codecs: rate-distortion curves, measured and published, BD-rate, and tables of codecs against an anchor."""

from lic.evaluation.compare.comparison import ComparedEntry, Comparison, compare
from lic.evaluation.compare.curves import (
    Curve,
    Difference,
    PointDifference,
    bd_psnr,
    bd_rate,
    measured_curve,
    point_difference,
    published_curve,
    published_curves,
)
from lic.evaluation.compare.entries import Entry, entries_of, find_entry, read_runs

__all__ = [
    "ComparedEntry",
    "Comparison",
    "Curve",
    "Difference",
    "Entry",
    "PointDifference",
    "bd_psnr",
    "bd_rate",
    "compare",
    "entries_of",
    "find_entry",
    "measured_curve",
    "point_difference",
    "published_curve",
    "published_curves",
    "read_runs",
]
