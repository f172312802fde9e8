"""Rate-distortion curves, and how far apart two of them are."""

from __future__ import annotations

import importlib.resources
import json
import warnings
from typing import Literal, NamedTuple

import numpy as np

from lic.errors import LicError, RegistryError
from lic.registry import suggestion

Method = Literal["pchip", "akima", "cubic"]
_LITTLE = 0.75


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
    import bjontegaard

    least = 2 if method == "pchip" else 4
    for each in (anchor, curve):
        if len(set(each.bpp)) < least:
            raise LicError(f"{each.name}: expected {least} points or more for {method}. Received: {len(each.bpp)}.")
    overlap = _overlap(*ranges)
    if overlap <= 0:
        raise LicError(f"{curve.name} and {anchor.name} have no range in common, so no difference can be told.")
    if overlap < _LITTLE:
        warnings.warn(
            f"{curve.name} and {anchor.name} share only {overlap:.0%} of their range; the difference is of that part.",
            stacklevel=3,
        )
    points = [sorted(zip(each.bpp, each.decibels)) for each in (anchor, curve)]
    value = getattr(bjontegaard, function)(
        *zip(*points[0]), *zip(*points[1]), method=method, require_matching_points=False, min_overlap=0
    )
    return Difference(float(value), method, overlap)


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the shorter range that lies within the other."""
    shared = min(np.max(first), np.max(second)) - max(np.min(first), np.min(second))
    return float(shared / min(np.ptp(first), np.ptp(second)))
