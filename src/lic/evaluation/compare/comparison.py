"""The comparison of codecs with an anchor: BD-rate, BD-PSNR, and speed beside them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from lic.errors import EvaluationError
from lic.evaluation.compare.curves import (
    LITTLE_OVERLAP,
    Measure,
    Method,
    bd_psnr,
    bd_rate,
    check_measure,
    check_points,
    point_difference,
)
from lic.evaluation.compare.entries import Entry, find_entry

DEFAULT_ANCHOR = "jpeg"
ANCHOR = "the anchor"
ONE_RATE = "one rate: compared at that point"
BEYOND = "beyond the anchor's range"


class ComparedEntry(NamedTuple):
    """An entry and its differences from the anchor; a missing difference is None, and the note gives the reason.

    Attributes:
      entry: The codec or published curve.
      bd_rate: Mean change of rate in percent at equal distortion; negative is better.
      bd_rate_overlap: Share of the shorter range of dB that lies within the other curve's.
      bd_decibels: Mean change in dB at equal rate.
      bd_decibels_overlap: Share of the shorter range of the logarithm of rate that lies within the other curve's.
      rate_at_point: Change of rate in percent at the distortion of a codec with one rate, against the anchor's curve.
      decibels_at_point: Change in dB at the rate of a codec with one rate, against the anchor's curve.
      note: Remarks on the figures.
    """

    entry: Entry
    bd_rate: float | None = None
    bd_rate_overlap: float | None = None
    bd_decibels: float | None = None
    bd_decibels_overlap: float | None = None
    rate_at_point: float | None = None
    decibels_at_point: float | None = None
    note: str = ""

    @property
    def rate(self) -> float | None:
        """BD-rate, or the change of rate at the point of a codec with one rate."""
        return self.rate_at_point if self.bd_rate is None else self.bd_rate

    def as_data(self) -> dict[str, Any]:
        """Returns the names, differences and seconds as plain data."""
        differences = {name: value for name, value in self._asdict().items() if name not in ("entry", "note")}
        return {
            "codec": self.entry.name,
            "label": self.entry.label,
            **differences,
            "encode_seconds": self.entry.encode_seconds,
            "decode_seconds": self.entry.decode_seconds,
            "note": self.note,
        }


class Comparison(NamedTuple):
    """All entries, compared with one of them.

    Attributes:
      anchor: The entry that the others are compared with.
      measure: The decibels of the curves, "psnr" or "ms_ssim_db".
      method: The interpolation.
      compared: The compared entries, among them the anchor itself.
    """

    anchor: Entry
    measure: Measure
    method: Method
    compared: list[ComparedEntry]

    def as_data(self) -> dict[str, Any]:
        """Returns everything as plain data."""
        return {
            "anchor": self.anchor.name,
            "source": self.anchor.curve.source,
            "measure": self.measure,
            "method": self.method,
            "rows": [each.as_data() for each in self.compared],
        }


def compare(
    entries: Sequence[Entry], anchor: str | None = None, measure: Measure = "psnr", method: Method = "pchip"
) -> Comparison:
    """Compares codecs of evaluations and published curves with one of them.

    Args:
      entries: The entries that `entries_of` returned for the same measure.
      anchor: Name of one of them, or of another published curve; by default JPEG, if a run has it.
      measure: The decibels of the curves, "psnr" or "ms_ssim_db".
      method: The interpolation, "pchip", "akima" or "cubic".

    Raises:
      RegistryError: Nothing has the anchor's name, or several runs have it with different points.
      EvaluationError: The anchor has too few points or none of the measure, or the measure or method does not exist.
      ImportError: bjontegaard is missing.
    """
    check_measure(measure)
    found = _default_anchor(entries) if anchor is None else find_entry(anchor, entries)
    if found.published and measure != "psnr":
        raise EvaluationError(
            f"{found.name} has PSNR only, so that it cannot be the anchor for {measure}. Name a codec of the runs."
        )
    check_points(found.curve, method)
    all_entries = [*entries, *([] if found in entries else [found])]
    return Comparison(found, measure, method, [_compared(found, entry, method) for entry in all_entries])


def _default_anchor(entries: Sequence[Entry]) -> Entry:
    if any(entry.codec == DEFAULT_ANCHOR for entry in entries):
        return find_entry(DEFAULT_ANCHOR, entries)
    names = ", ".join(entry.name for entry in entries)
    raise EvaluationError(f"No run has {DEFAULT_ANCHOR}. Name an anchor: {names}, or a published curve.")


def _compared(anchor: Entry, entry: Entry, method: Method) -> ComparedEntry:
    if entry.single_rate:
        rate, decibels = point_difference(anchor.curve, entry.curve, method)
        notes = [ONE_RATE] + [BEYOND] * (rate is None or decibels is None)
        return ComparedEntry(entry, rate_at_point=rate, decibels_at_point=decibels, note="; ".join(notes))
    figures: dict[str, float] = {}
    notes = [ANCHOR] * (anchor == entry)
    for name, function in (("bd_rate", bd_rate), ("bd_decibels", bd_psnr)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # The note replaces the warning about little overlap.
                difference = function(anchor.curve, entry.curve, method)
        except EvaluationError as error:
            notes += [str(error)] if str(error) not in notes else []
            continue
        figures |= {name: difference.value, f"{name}_overlap": difference.overlap}
    if any(overlap < LITTLE_OVERLAP for name, overlap in figures.items() if name.endswith("overlap")):
        notes.append("little overlap")
    return ComparedEntry(entry, **figures, note="; ".join(notes))
