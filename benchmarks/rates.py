"""Rate and distortion of an evaluation, as `lic eval` wrote it, for both pages."""

from __future__ import annotations

import pathlib
import warnings
from typing import TYPE_CHECKING, Any

from document import table

if TYPE_CHECKING:
    from lic.evaluation.compare import Curve
    from lic.evaluation.run import Results

PUBLISHED = ("bpg444", "vtm")  # Published curves over Kodak, which stand beside those of the evaluation.
_POINTS = {
    "codec": "codec",
    "quality": "quality",
    "bpp": "bpp",
    "psnr": "PSNR, dB",
    "ms_ssim_db": "MS-SSIM, dB",
    "encode_seconds": "encode, s",
    "decode_seconds": "decode, s",
}
_FORMATS = {"bpp": ".4f", "psnr": ".3f", "ms_ssim_db": ".3f", "encode_seconds": ".2f", "decode_seconds": ".2f"}
_COMPARED = {"codec": "codec", "anchor": "against", "rate": "BD-rate, %", "gain": "dB at equal rate"}


def section(folder: pathlib.Path) -> list[str]:
    """Returns a table of the points of learned codecs, and one of their distances from the others.

    Args:
      folder: The folder of the evaluation; without one, the result is empty.
    """
    if not folder.exists():
        return []
    from lic.evaluation.run import Results

    found = Results.read(folder)
    learned = [name for name in found.codecs if "fingerprint" in found.facts["codecs"][name]]
    points = [_point(mean) for mean in found.means() if mean["codec"] in learned]
    rows = [_compared(found, name, anchor) for name in learned for anchor in _anchors(found, learned)]
    count = len(found.common)
    images = f"{count} image{'s' * (count != 1)} of {found.facts['images']['folder']}"
    parts = [f"**Rate and distortion**, means over {images}:\n\n{table(points, _POINTS)}"]
    over = f"**Bits at equal PSNR** (BD-rate: negative is fewer bits), over {images}, in whole streams"
    return parts + ([f"{over}:\n\n{table(rows, _COMPARED)}"] if rows else [])


def _point(mean: dict[str, Any]) -> dict[str, str]:
    figures = {name: "" if mean[name] is None else format(mean[name], form) for name, form in _FORMATS.items()}
    quality = "" if mean["quality"] is None else f"{mean['quality']:g}"
    return {"codec": mean["codec"], "quality": quality, **figures}


def _anchors(found: Results, learned: list[str]) -> list[Curve]:
    from lic.evaluation.compare import measured_curve, published_curve

    measured = [measured_curve(found, name) for name in found.codecs if name not in learned]
    return [*measured, *(published_curve(name) for name in PUBLISHED)]


def _compared(found: Results, name: str, anchor: Curve) -> dict[str, str]:
    from lic.evaluation.compare import bd_psnr, bd_rate, measured_curve

    curve = measured_curve(found, name)
    if len(curve.bpp) == 1:
        figures = {"gain": _gain(anchor, curve)}
    else:
        figures = {
            "rate": _difference(bd_rate, anchor, curve, ".1f"),
            "gain": _difference(bd_psnr, anchor, curve, ".2f"),
        }
    return {"codec": name, "anchor": anchor.name, **figures}


def _difference(function: Any, anchor: Curve, curve: Curve, form: str) -> str:
    """Returns a mean difference over the common range, with a note if that is short, or nothing if it is too short."""
    from lic import EvaluationError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The note beside the number holds the content of the warning.
        try:
            difference = function(anchor, curve)
        except EvaluationError:
            return ""
    share = f" (over {difference.overlap:.0%} of the range)" if difference.overlap < 0.75 else ""
    return format(difference.value, f"+{form}") + share


def _gain(anchor: Curve, point: Curve) -> str:
    """Returns the decibels of a single point above a curve, or "" beyond its ends."""
    from lic import EvaluationError
    from lic.evaluation.compare import point_difference

    try:
        _, decibels = point_difference(anchor, point)
    except EvaluationError:
        return ""
    return "" if decibels is None else format(decibels, "+.2f")
