"""Codecs against an anchor: BD-rate, BD-PSNR, and speed beside them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from lic.errors import LicError
from lic.evaluation.contenders import Contender, find
from lic.evaluation.curves import LITTLE_OVERLAP, Method, at_point, bd_psnr, bd_rate

DEFAULT_ANCHOR = "jpeg"
ANCHOR = "the anchor"
ONE_RATE = "one rate: compared at that point"
BEYOND = "beyond the anchor's range"


class Compared(NamedTuple):
    """A contender against the anchor; what cannot be told is None, and the note says why.

    Attributes:
      codec: Name of the contender.
      label: What pictures call it.
      method: The interpolation.
      bd_rate: Mean change of rate in percent at equal distortion; negative is better.
      bd_rate_overlap: Share of the shorter range of dB that the other curve covers.
      bd_decibels: Mean change in dB at equal rate.
      bd_decibels_overlap: Share of the shorter range of the logarithm of rate that the other curve covers.
      rate_at_point: Of a codec with one rate: change of rate in percent against the anchor's curve at its distortion.
      decibels_at_point: Of a codec with one rate: change in dB against the anchor's curve at its rate.
      encode_seconds: Per megapixel, the mean over all images and qualities.
      decode_seconds: The same.
      note: What to know of the figures.
    """

    codec: str
    label: str
    method: str
    bd_rate: float | None = None
    bd_rate_overlap: float | None = None
    bd_decibels: float | None = None
    bd_decibels_overlap: float | None = None
    rate_at_point: float | None = None
    decibels_at_point: float | None = None
    encode_seconds: float | None = None
    decode_seconds: float | None = None
    note: str = ""

    @property
    def rate(self) -> float | None:
        """BD-rate, or the change of rate at the point of a codec with one rate."""
        return self.rate_at_point if self.bd_rate is None else self.bd_rate


class Comparison(NamedTuple):
    """All contenders against one of them.

    Attributes:
      anchor: The one that the others are compared with.
      measure: What the decibels are of, "psnr" or "ms_ssim_db".
      method: The interpolation.
      rows: One for each contender, the anchor's own among them.
    """

    anchor: Contender
    measure: str
    method: str
    rows: list[Compared]

    def as_data(self) -> dict[str, Any]:
        """Returns everything as plain data."""
        about = {"anchor": self.anchor.name, "source": self.anchor.curve.source}
        return about | {
            "measure": self.measure,
            "method": self.method,
            "rows": [row._asdict() for row in self.rows],
        }


def compare(
    contenders: Sequence[Contender], anchor: str | None = None, measure: str = "psnr", method: Method = "pchip"
) -> Comparison:
    """Compares codecs of evaluations and published curves with one of them.

    Args:
      contenders: What `lic.evaluation.contenders.contenders` gives.
      anchor: Name of one of them, or of another published curve; by default JPEG, where a run has it.
      measure: What their decibels are of, "psnr" or "ms_ssim_db".
      method: The interpolation, "pchip", "akima" or "cubic".

    Raises:
      RegistryError: There is no such anchor.
      LicError: The anchor has too few points, or none of its measure.
    """
    chosen = _default_anchor(contenders) if anchor is None else find(anchor, contenders)
    if chosen.published and measure != "psnr":
        raise LicError(f"{chosen.name} has PSNR only, so that it is no anchor for {measure}. Name a codec of the runs.")
    bd_rate(chosen.curve, chosen.curve, method)  # Raises where it has too few points.
    everyone = [*contenders, *([] if chosen in contenders else [chosen])]
    return Comparison(chosen, measure, method, [_compared(chosen, each, method) for each in everyone])


def _default_anchor(contenders: Sequence[Contender]) -> Contender:
    for each in contenders:
        if each.name == DEFAULT_ANCHOR or each.name.startswith(f"{DEFAULT_ANCHOR} ("):
            return each
    names = ", ".join(each.name for each in contenders)
    raise LicError(f"No run has {DEFAULT_ANCHOR}, so name an anchor: {names}, or a published curve.")


def _compared(anchor: Contender, contender: Contender, method: Method) -> Compared:
    row = Compared(
        *(contender.name, contender.label, method),
        encode_seconds=contender.encode_seconds,
        decode_seconds=contender.decode_seconds,
    )
    if len(contender.curve.bpp) == 1:
        return _with_point(row, anchor, contender, method)
    row, notes = _with_curve(row, anchor, contender, method)
    return row._replace(note="; ".join([ANCHOR] * (anchor == contender) + notes))


def _with_point(row: Compared, anchor: Contender, contender: Contender, method: Method) -> Compared:
    rate, decibels = at_point(anchor.curve, contender.curve, method)
    notes = [ONE_RATE] + [BEYOND] * (rate is None or decibels is None)
    return row._replace(rate_at_point=rate, decibels_at_point=decibels, note="; ".join(notes))


def _with_curve(row: Compared, anchor: Contender, contender: Contender, method: Method) -> tuple[Compared, list[str]]:
    figures: dict[str, float] = {}
    notes: list[str] = []
    for name, function in (("bd_rate", bd_rate), ("bd_decibels", bd_psnr)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # Of little overlap, which the note tells.
                difference = function(anchor.curve, contender.curve, method)
        except LicError as error:
            notes += [str(error)] if str(error) not in notes else []
            continue
        figures |= {name: difference.value, f"{name}_overlap": difference.overlap}
    if any(overlap < LITTLE_OVERLAP for name, overlap in figures.items() if name.endswith("overlap")):
        notes.append("little overlap")
    return row._replace(**figures), notes
