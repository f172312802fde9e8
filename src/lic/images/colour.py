"""Colours of a file as sRGB: tone curves and primaries from ICC profiles, PNG chunks, and code points of H.273."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

# Chromaticities of red, green, blue and white.
Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
Curve = Callable[[np.ndarray], np.ndarray]

_D65, _D50 = (0.3127, 0.3290), (0.3457, 0.3585)
_709: Chromaticities = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
# Code points of ITU-T H.273 (08/2024), table 2. 2 is unspecified.
_PRIMARIES: dict[int, Chromaticities] = {
    1: _709,
    2: _709,
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),
    7: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.314, 0.351)),
    12: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), _D65),
    22: ((0.63, 0.34), (0.295, 0.605), (0.155, 0.077), _D65),
}
# Transfers that are those of BT.709.
TELEVISION = (1, 6, 14, 15)
_HIGH_DYNAMIC_RANGE = {16: "PQ", 18: "HLG"}
# Von Kries's transform in the cone space of Bradford (ICC.1:2022, annex E), from XYZ to cones.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SAME_GAMMA = 0.01  # Less than this share of a gamma changes no value by more than a level.
_LEVELS = 1.5  # A conversion that moves no colour by more levels is left out.
# Many profiles that are called sRGB have a plain gamma of 2.2 in place of the exact curve.
_SIMPLIFIED_LEVELS = 9


def from_srgb(values: np.ndarray) -> np.ndarray:
    """Returns linear light of values of sRGB, both 0 to 1. Source: IEC 61966-2-1."""
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(light: np.ndarray) -> np.ndarray:
    """Returns values of sRGB of linear light, both 0 to 1. Source: IEC 61966-2-1."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


class Colours(NamedTuple):
    """A space of colours: a tone curve for each channel, and primaries.

    Attributes:
      curves: From values to linear light, both 0 to 1: one for grey, three for colour.
      matrix: [3, 3], from linear light of the space to linear light of sRGB. A grey image has no use for it.
    """

    curves: tuple[Curve, ...]
    matrix: np.ndarray

    def to_srgb(self, samples: np.ndarray, white: int) -> np.ndarray:
        """Returns an image in sRGB; colours that sRGB lacks are clipped.

        Args:
          samples: Unsigned [height, width, 3], or [height, width] for grey.
          white: The sample that stands for white, at most 65535.

        Returns:
          float32 of the same shape, 0 to 255.
        """
        values = np.arange(white + 1) / white
        with np.errstate(all="ignore"):  # A damaged profile may hold curves that are no numbers.
            curves = [np.clip(np.nan_to_num(curve(values)), 0, 1).astype(np.float32) for curve in self.curves]
        if samples.ndim == 2:
            light = curves[len(curves) // 2][samples]
        else:
            channels = curves if len(curves) == 3 else curves * 3
            light = np.stack([curve[samples[..., channel]] for channel, curve in enumerate(channels)], -1)
            light = light @ self.matrix.T.astype(np.float32)
        return _levels()[np.rint(np.clip(light, 0, 1) * 65535).astype(np.uint16)]

    def is_srgb(self, levels: float = _LEVELS) -> bool:
        """Returns whether the conversion moves no colour of a grid by more than `levels` of 255."""
        grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15, np.uint8)] * 3, indexing="ij"), -1).reshape(1, -1, 3)
        return bool(np.abs(self.to_srgb(grid, 255) - grid).max() <= levels)


@functools.lru_cache(maxsize=1)
def _levels() -> np.ndarray:
    """Returns the values of sRGB, 0 to 255, of linear light in 65536 steps; they lie at most 0.06 levels apart."""
    return (255 * to_srgb(np.arange(65536) / 65535)).astype(np.float32)


def colours_of_code_points(primaries: int, transfer: int) -> Colours | None:
    """Returns the colours that code points of H.273 stand for; None for sRGB.

    Raises:
      ValueError: The curve is one of high dynamic range, or a code point is not known.
    """
    if primaries not in _PRIMARIES:
        raise ValueError(f"its primaries have the number {primaries} of H.273, which lic does not know")
    return colours_of_chromaticities(_PRIMARIES[primaries], transfer)


def colours_of_chromaticities(
    chromaticities: Chromaticities | None, transfer: int, gamma: float | None = None
) -> Colours | None:
    """Returns the colours of chromaticities and a curve of H.273, or else a gamma; None for sRGB.

    Args:
      chromaticities: x and y of red, green, blue and white; default: those of sRGB.
      transfer: The code point of the curve.
      gamma: Exponent from light to values, in place of the curve.

    Raises:
      ValueError: The curve is one of high dynamic range or not known, or the numbers stand for no colours.
    """
    if gamma is not None:
        return colours_of_gamma(gamma, chromaticities)
    if transfer in _HIGH_DYNAMIC_RANGE:
        name = _HIGH_DYNAMIC_RANGE[transfer]
        raise ValueError(f"its colours are of high dynamic range ({name}), which has no white that 8 bits could hold")
    curves: dict[int, Curve] = {4: _gamma(2.2), 5: _gamma(2.8), 8: _gamma(1.0)}
    curves |= {2: from_srgb, 13: from_srgb} | dict.fromkeys(TELEVISION, _from_television)
    if transfer not in curves:
        raise ValueError(f"its tone curve has the number {transfer} of H.273, which lic does not know")
    colours = Colours((curves[transfer],) * 3, _matrix_of(chromaticities or _709))
    return None if colours.is_srgb() else colours


def colours_of_gamma(gamma: float | None, chromaticities: Chromaticities | None) -> Colours | None:
    """Returns the colours of PNG's gAMA and cHRM chunks; None for sRGB.

    Args:
      gamma: Exponent from light to values, such as 1 / 2.2, which stands for sRGB's curve.
      chromaticities: x and y of red, green, blue and white; default: those of sRGB.

    Raises:
      ValueError: The numbers stand for no colours.
    """
    if gamma is not None and not 0.01 < gamma < 100:
        raise ValueError(f"a gamma of {gamma:g} is no tone curve")
    curve = from_srgb if gamma is None or abs(gamma * 2.2 - 1) < _SAME_GAMMA else _gamma(1 / gamma)
    colours = Colours((curve,) * 3, _matrix_of(chromaticities or _709))
    return None if colours.is_srgb() else colours


def colours_of_profile(profile: bytes) -> Colours | None:
    """Returns the colours of an ICC profile of curves and primaries; None for another kind of profile.

    Raises:
      ValueError: The profile is damaged.
    """
    if len(profile) < 132 or profile[36:40] != b"acsp":
        raise ValueError("it is no ICC profile")
    (count,) = struct.unpack_from(">I", profile, 128)
    if 132 + 12 * count > len(profile):
        raise ValueError("it is truncated")
    tags = {}
    for place in range(132, 132 + 12 * count, 12):
        name, start, size = struct.unpack_from(">4sII", profile, place)
        tags[name] = profile[start : start + size]
    if any(name[:3] in (b"A2B", b"D2B") for name in tags) or profile[20:24] != b"XYZ ":
        return None
    try:
        if profile[16:20] == b"GRAY":
            return Colours((_icc_curve(tags[b"kTRC"]),), np.eye(3))
        if profile[16:20] != b"RGB ":
            return None
        columns = [struct.unpack_from(">3i", tags[name + b"XYZ"], 8) for name in (b"r", b"g", b"b")]
        curves = tuple(_icc_curve(tags[name + b"TRC"]) for name in (b"r", b"g", b"b"))
    except (KeyError, struct.error):
        raise ValueError("a tag is missing or damaged") from None
    return Colours(curves, np.linalg.inv(_to_xyz(_709)) @ (np.array(columns).T / 65536))


def is_called_srgb(profile: bytes, colours: Colours) -> bool:
    """Returns whether a profile stands for sRGB: by what it does, or by its name if it does nearly that."""
    if colours.is_srgb():
        return True
    if not colours.is_srgb(_SIMPLIFIED_LEVELS):
        return False
    try:
        description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError):
        return False
    return "srgb" in description.lower()


def through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Converts an image of 8 bits by tables of an ICC profile, with LittleCMS; grey stays grey.

    Raises:
      ValueError: The profile does not fit.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError(str(error)) from None
    return converted.convert("L") if image.mode == "L" else converted


def from_lab(image: Image.Image) -> Image.Image:
    """Converts an image of CIE L*a*b* under D50 to sRGB."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    converted.info = {name: value for name, value in image.info.items() if name != "icc_profile"}
    return converted


def _gamma(exponent: float) -> Curve:
    return lambda values: values**exponent


def _from_television(values: np.ndarray) -> np.ndarray:
    return np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))


def _icc_curve(tag: bytes) -> Curve:
    """Returns the curve of a curv or para element. Source: ICC.1:2022, 10.6 and 10.18."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        entries = np.array(struct.unpack_from(f">{count}H", tag, 12))
        if count == 1:
            return _gamma(entries[0] / 256)
        table = entries / 65535 if count else np.array([0.0, 1.0])
        return lambda values: np.interp(values, np.linspace(0, 1, len(table)), table)
    if tag[:4] != b"para":
        raise KeyError(f"no curve begins with {tag[:4]!r}")
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = ("g", "gab", "gabc", "gabcd", "gabcdef")
    if kind >= len(names):
        raise KeyError(f"no curve has the kind {kind}")
    p = dict(zip(names[kind], (n / 65536 for n in struct.unpack_from(f">{len(names[kind])}i", tag, 12))))
    g, a, b = p["g"], p.get("a", 1.0), p.get("b", 0.0)
    # Up to d the curve is a line, which is level in kinds 0 to 2.
    slope, c = (p["c"], p.get("e", 0.0)) if kind > 2 else (0.0, p.get("c", 0.0))
    d, intercept = (p["d"], p.get("f", 0.0)) if kind > 2 else (-b / a if a and kind else 0.0, c)

    def curve(values: np.ndarray) -> np.ndarray:
        return np.where(values >= d, np.maximum(a * values + b, 0) ** g + c, slope * values + intercept)

    return curve


def _to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    """Returns the matrix [3, 3] from linear light to XYZ under D50, as profiles have it."""
    x, y = np.array(chromaticities, np.float64).T
    if not (y > 0).all():
        raise ValueError(f"chromaticities of {chromaticities} are no colours")
    primaries = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    colorants, white = primaries[:, :3], primaries[:, 3]
    if abs(np.linalg.det(colorants)) < 1e-6:
        raise ValueError(f"chromaticities of {chromaticities} are no colours")
    neutral = np.array([_D50[0] / _D50[1], 1, (1 - sum(_D50)) / _D50[1]])
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ neutral) / (_BRADFORD @ white)) @ _BRADFORD
    return adaptation @ (colorants * np.linalg.solve(colorants, white))


def _matrix_of(chromaticities: Chromaticities) -> np.ndarray:
    return np.linalg.inv(_to_xyz(_709)) @ _to_xyz(chromaticities)
