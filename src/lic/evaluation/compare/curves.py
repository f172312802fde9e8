"""Rate-distortion curves, measured and published, and the distance between two of them: BD-rate and BD-PSNR."""

from __future__ import annotations

import importlib.resources
import itertools
import json
import warnings
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from lic.errors import EvaluationError, RegistryError
from lic.evaluation.run.results import Results
from lic.registry import suggestion

Method = Literal["pchip", "akima", "cubic"]
Measure = Literal["psnr", "ms_ssim_db"]
LITTLE_OVERLAP = 0.75  # A difference over a smaller share of the range comes with a warning.


class Curve(NamedTuple):
    """Points of one codec over the same images.

    Attributes:
      name: Name of the codec.
      bpp: Bits per pixel of each point.
      decibels: PSNR, or MS-SSIM in dB, of each point.
      source: Where the points come from.
    """

    name: str
    bpp: tuple[float, ...]
    decibels: tuple[float, ...]
    source: str = ""


class Difference(NamedTuple):
    """The mean distance of a curve from an anchor.

    Attributes:
      value: Percent of rate at equal distortion (negative is better), or dB at equal rate.
      method: The interpolation.
      overlap: Share of the shorter range, in dB or in logarithm of rate, that lies within the longer one.
    """

    value: float
    method: str
    overlap: float


class PointDifference(NamedTuple):
    """The distance of a single point from an anchor's curve, which is interpolated there.

    Attributes:
      rate: Percent of rate at the point's distortion (negative is better), or None if the anchor does not reach it.
      decibels: dB at the point's rate, or None if the anchor does not reach it.
    """

    rate: float | None
    decibels: float | None


def measured_curve(results: Results, codec: str, measure: Measure = "psnr") -> Curve:
    """Returns the curve of a codec of an evaluation, by rising rate.

    Args:
      results: Results of the evaluation.
      codec: Name of the codec in the results.
      measure: The decibels of the curve, "psnr" or "ms_ssim_db".

    Raises:
      EvaluationError: The measure does not exist, or the results lack the codec or its figures.
    """
    check_measure(measure)
    if codec not in results.codecs:
        raise EvaluationError(f"The results have no codec named {codec!r}. {suggestion(codec, results.codecs)}")
    means = [mean for mean in results.means() if mean["codec"] == codec and mean[measure] is not None]
    if not means:
        raise EvaluationError(
            f"The results have no {measure} for {codec}: no image has it with every codec and quality."
        )
    points = sorted((mean["bpp"], mean[measure]) for mean in means)
    return Curve(codec, *zip(*points), source=results.facts.get("codecs", {}).get(codec, {}).get("settings", ""))


def published_curves(dataset: str = "kodak") -> dict[str, Curve]:
    """Returns the published PSNR curves of a dataset by name, each with its source."""
    file = importlib.resources.files("lic.evaluation.compare") / "published" / f"{dataset}_psnr.json"
    curves = json.loads(file.read_text(encoding="utf-8"))["curves"]
    return {
        name: Curve(each["label"], tuple(each["bpp"]), tuple(each["psnr"]), each["source"])
        for name, each in curves.items()
    }


def published_curve(name: str) -> Curve:
    """Returns the published curve with a name over Kodak.

    Raises:
      RegistryError: No published curve has the name; the message suggests similar names.
    """
    curves = published_curves()
    if name not in curves:
        raise RegistryError(f"There is no published curve named {name!r}. {suggestion(name, curves)}")
    return curves[name]


def bd_rate(anchor: Curve, curve: Curve, method: Method = "pchip") -> Difference:
    """Returns the mean change of rate in percent at equal distortion, computed by the package `bjontegaard`.

    Source: Bjontegaard, VCEG-M33, 2001, with piecewise cubic interpolation (VCEG-AI11) as the default.

    Args:
      anchor: The curve that the other one is compared with.
      curve: The curve to compare.
      method: The interpolation, "pchip", "akima" or "cubic".

    Raises:
      EvaluationError: The curves share no distortions, a curve has too few points, or the method does not exist.
      ImportError: bjontegaard is missing.
    """
    return _difference("bd_rate", anchor, curve, method, [each.decibels for each in (anchor, curve)])


def bd_psnr(anchor: Curve, curve: Curve, method: Method = "pchip") -> Difference:
    """Returns the mean change in dB at equal rate, computed by the package `bjontegaard`.

    Args:
      anchor: The curve that the other one is compared with.
      curve: The curve to compare.
      method: The interpolation, "pchip", "akima" or "cubic".

    Raises:
      EvaluationError: The curves share no rates, a curve has too few points, or the method does not exist.
      ImportError: bjontegaard is missing.
    """
    return _difference("bd_psnr", anchor, curve, method, [np.log(each.bpp) for each in (anchor, curve)])


def point_difference(anchor: Curve, point: Curve, method: Method = "pchip") -> PointDifference:
    """Returns the distance of a codec with one rate from an anchor's curve; it is not a BD-rate.

    Args:
      anchor: The curve that the point is compared with.
      point: A curve with a single point.
      method: The interpolation, "pchip", "akima" or "cubic".

    Raises:
      EvaluationError: The anchor has too few points, `point` has not one, or the method does not exist.
      ImportError: bjontegaard is missing.
    """
    check_points(anchor, method)
    if len(point.bpp) != 1:
        raise EvaluationError(
            f"{point.name}: expected a single point. Received: {len(point.bpp)}. Compare curves by bd_rate or bd_psnr."
        )
    (bpp,), (decibels,) = point.bpp, point.decibels
    log_rate_at, decibels_at = (
        _bjontegaard(function, anchor, anchor, method, interpolators=True)[1] for function in ("bd_rate", "bd_psnr")
    )
    rate = gain = None
    # Outside of its points a curve is not extrapolated: cubic pieces go astray there.
    if min(anchor.decibels) <= decibels <= max(anchor.decibels):
        rate = float(100 * (bpp / 10 ** log_rate_at(decibels) - 1))
    if min(anchor.bpp) <= bpp <= max(anchor.bpp):
        gain = float(decibels - decibels_at(np.log10(bpp)))
    return PointDifference(rate, gain)


def check_measure(measure: str) -> None:
    """Raises an EvaluationError unless curves can have a measure as their decibels."""
    if measure not in get_args(Measure):
        raise EvaluationError(f"Expected a measure of {' or '.join(get_args(Measure))}. Received: {measure!r}.")


def check_points(curve: Curve, method: Method) -> None:
    """Raises an EvaluationError unless a method can interpolate a curve.

    It needs enough points, rates over 0, and decibels that rise with them.
    """
    if method not in get_args(Method):
        raise EvaluationError(f"Expected an interpolation of {', '.join(get_args(Method))}. Received: {method!r}.")
    least = 2 if method == "pchip" else 4
    rates = len(set(curve.bpp))
    if rates < least:
        raise EvaluationError(
            f"{curve.name}: expected points at {least} rates or more for {method}. Received: {rates}. "
            "Evaluate it at more qualities."
        )
    points = sorted(zip(curve.bpp, curve.decibels))
    if not points[0][0] > 0:
        raise EvaluationError(f"{curve.name}: expected rates over 0. Received: {points[0][0]} bpp.")
    for low, high in itertools.pairwise(points):
        if not (low[0] < high[0] and low[1] < high[1]):
            raise EvaluationError(
                f"{curve.name}: expected decibels that rise with the rate. Received: {low[1]:.3f} dB at {low[0]:.4f} "
                f"bpp, {high[1]:.3f} dB at {high[0]:.4f} bpp. Evaluate it at other qualities."
            )


def _difference(function: str, anchor: Curve, curve: Curve, method: Method, ranges: list) -> Difference:
    for each in (anchor, curve):
        check_points(each, method)
    overlap = _overlap(*ranges)
    if overlap <= 0:
        raise EvaluationError(
            f"{curve.name} and {anchor.name} have no range in common, so that they cannot be compared. "
            "Evaluate them at qualities whose curves overlap."
        )
    if overlap < LITTLE_OVERLAP:
        warnings.warn(
            f"{curve.name} and {anchor.name} share only {overlap:.0%} of their range; the difference covers that part.",
            stacklevel=3,
        )
    return Difference(float(_bjontegaard(function, anchor, curve, method)), method, overlap)


def _bjontegaard(function: str, anchor: Curve, curve: Curve, method: Method, **options: bool) -> Any:
    try:
        import bjontegaard
    except ImportError as error:
        raise ImportError(
            f"BD-rate needs bjontegaard, which cannot be imported ({error}). Install it: pip install 'keras-lic[eval]'."
        ) from error

    points = [sorted(zip(each.bpp, each.decibels)) for each in (anchor, curve)]
    return getattr(bjontegaard, function)(
        *zip(*points[0]), *zip(*points[1]), method=method, require_matching_points=False, min_overlap=0, **options
    )


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the share of the shorter range that lies within the other."""
    shared = min(np.max(first), np.max(second)) - max(np.min(first), np.min(second))
    return float(shared / min(np.ptp(first), np.ptp(second)))
