"""Rate-distortion curves, and how far apart two of them are."""

from __future__ import annotations

import importlib.resources
import itertools
import json
import warnings
from typing import Any, Literal, NamedTuple

import numpy as np

from lic.errors import LicError, RegistryError
from lic.registry import suggestion

Method = Literal["pchip", "akima", "cubic"]
LITTLE_OVERLAP = 0.75  # A smaller one is told.


class Curve(NamedTuple):
    """Points of one codec over the same images.

    Attributes:
      name: The codec.
      bpp: Bits per pixel of each point.
      decibels: PSNR, or MS-SSIM in dB, of each point.
      source: Where the points come from.
    """

    name: str
    bpp: tuple[float, ...]
    decibels: tuple[float, ...]
    source: str = ""


class Difference(NamedTuple):
    """How far a curve is from an anchor.

    Attributes:
      value: Percent of rate at equal distortion (negative is better), or dB at equal rate.
      method: The interpolation.
      overlap: Share of the shorter of both ranges, in dB or in logarithm of rate, that the other covers.
    """

    value: float
    method: str
    overlap: float


class AtPoint(NamedTuple):
    """How far a single point is from an anchor's curve, which is interpolated there.

    Attributes:
      rate: Percent of rate at the point's distortion (negative is better), or None where the anchor does not reach it.
      decibels: dB at the point's rate, or None where the anchor does not reach it.
    """

    rate: float | None
    decibels: float | None


def bd_rate(anchor: Curve, curve: Curve, method: Method = "pchip") -> Difference:
    """Returns the mean change of rate in percent at equal distortion, by the package `bjontegaard`.

    Source: Bjontegaard, VCEG-M33, 2001, with piecewise cubic interpolation (VCEG-AI11) as the default.

    Raises:
      LicError: The curves share no distortions, or one has too few points.
    """
    return _difference("bd_rate", anchor, curve, method, [each.decibels for each in (anchor, curve)])


def bd_psnr(anchor: Curve, curve: Curve, method: Method = "pchip") -> Difference:
    """Returns the mean change in dB at equal rate, by the package `bjontegaard`.

    Raises:
      LicError: The curves share no rates, or one has too few points.
    """
    return _difference("bd_psnr", anchor, curve, method, [np.log(each.bpp) for each in (anchor, curve)])


def at_point(anchor: Curve, point: Curve, method: Method = "pchip") -> AtPoint:
    """Returns how far a curve of one point, such as a codec with one rate has, is from an anchor; it is no BD-rate.

    Raises:
      LicError: The anchor has too few points.
    """
    _check_points(anchor, method)
    (bpp,), (decibels,) = point.bpp, point.decibels
    log_rate_at, decibels_at = (
        _bjontegaard(function, anchor, anchor, method, interpolators=True)[1] for function in ("bd_rate", "bd_psnr")
    )
    rate = gain = None
    if min(anchor.decibels) <= decibels <= max(anchor.decibels):
        rate = float(100 * (bpp / 10 ** log_rate_at(decibels) - 1))
    if min(anchor.bpp) <= bpp <= max(anchor.bpp):
        gain = float(decibels - decibels_at(np.log10(bpp)))
    return AtPoint(rate, gain)


def published(dataset: str = "kodak") -> dict[str, Curve]:
    """Returns the published PSNR curves of a dataset by name, each with its source."""
    file = importlib.resources.files("lic.evaluation") / "published" / f"{dataset}_psnr.json"
    curves = json.loads(file.read_text(encoding="utf-8"))["curves"]
    return {
        name: Curve(each["label"], tuple(each["bpp"]), tuple(each["psnr"]), each["source"])
        for name, each in curves.items()
    }


def published_curve(name: str) -> Curve:
    """Returns the published curve of a name over Kodak.

    Raises:
      RegistryError: There is none; the message suggests near names.
    """
    curves = published()
    if name not in curves:
        raise RegistryError(f"There is no published curve named {name!r}. {suggestion(name, curves)}")
    return curves[name]


def _difference(function: str, anchor: Curve, curve: Curve, method: Method, ranges: list) -> Difference:
    for each in (anchor, curve):
        _check_points(each, method)
    overlap = _overlap(*ranges)
    if overlap <= 0:
        raise LicError(f"{curve.name} and {anchor.name} have no range in common, so no difference can be told.")
    if overlap < LITTLE_OVERLAP:
        warnings.warn(
            f"{curve.name} and {anchor.name} share only {overlap:.0%} of their range; the difference is of that part.",
            stacklevel=3,
        )
    return Difference(float(_bjontegaard(function, anchor, curve, method)), method, overlap)


def _bjontegaard(function: str, anchor: Curve, curve: Curve, method: Method, **options: bool) -> Any:
    try:
        import bjontegaard
    except ImportError as error:
        raise ImportError(
            f"BD-rate needs bjontegaard, which cannot be imported ({error}). Install `keras-lic[eval]`."
        ) from error

    points = [sorted(zip(each.bpp, each.decibels)) for each in (anchor, curve)]
    return getattr(bjontegaard, function)(
        *zip(*points[0]), *zip(*points[1]), method=method, require_matching_points=False, min_overlap=0, **options
    )


def _check_points(curve: Curve, method: Method) -> None:
    least = 2 if method == "pchip" else 4
    if len(set(curve.bpp)) < least:
        raise LicError(f"{curve.name}: expected {least} points or more for {method}. Received: {len(curve.bpp)}.")
    points = sorted(zip(curve.bpp, curve.decibels))
    for low, high in itertools.pairwise(points):
        if not (low[0] < high[0] and low[1] < high[1]):
            raise LicError(
                f"{curve.name}: expected decibels that rise with the rate. Received: {low[1]:.3f} dB at {low[0]:.4f} "
                f"bpp, {high[1]:.3f} dB at {high[0]:.4f} bpp. Evaluate it at other qualities."
            )


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the shorter range that lies within the other."""
    shared = min(np.max(first), np.max(second)) - max(np.min(first), np.min(second))
    return float(shared / min(np.ptp(first), np.ptp(second)))
