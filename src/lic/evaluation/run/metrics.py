"""The distance of a decoded image from its original: PSNR and MS-SSIM."""

from __future__ import annotations

import math

import numpy as np

from lic.errors import ImageError
from lic.images.arrays import coloured, peak_of
from lic.models.distortion import LEAST_SIZE
from lic.models.distortion import ms_ssim as _ms_ssim


def psnr(original: np.ndarray, decoded: np.ndarray, bit_depth: int = 8) -> float:
    """Returns the peak signal-to-noise ratio in dB over all values of two images; it is infinite if they are equal.

    Args:
      original: uint8 or uint16 [height, width, channels] or [height, width].
      decoded: The decoded image, of the same type and shape.
      bit_depth: Bits of a channel, which decide the peak.

    Raises:
      ImageError: The shapes or types differ, or the type is another.
    """
    _check_pair(original, decoded)
    error = np.mean((original.astype(np.float64) - decoded.astype(np.float64)) ** 2)
    return 10 * math.log10(peak_of(bit_depth) ** 2 / error) if error else math.inf


def ms_ssim(original: np.ndarray, decoded: np.ndarray, bit_depth: int = 8) -> float | None:
    """Returns the mean of each channel's MS-SSIM, or None if the image is too small for its five scales.

    Source: Wang, Simoncelli, Bovik, Asilomar 2003.

    Args:
      original: uint8 or uint16 [height, width, channels] or [height, width].
      decoded: The decoded image, of the same type and shape.
      bit_depth: Bits of a channel, which decide the peak.

    Raises:
      ImageError: The shapes or types differ, or the type is another.
    """
    _check_pair(original, decoded)
    if min(original.shape[:2]) < LEAST_SIZE:
        return None
    scale = np.float32(255 / peak_of(bit_depth))
    batches = [coloured(image)[None].astype(np.float32) * scale for image in (original, decoded)]
    return float(_ms_ssim(*batches)[0])


def in_decibels(similarity: float | None) -> float | None:
    """Returns MS-SSIM in dB, -10 log10(1 - MS-SSIM); None stays None, and 1 becomes infinity."""
    if similarity is None:
        return None
    return -10 * math.log10(1 - similarity) if similarity < 1 else math.inf


def _check_pair(original: np.ndarray, decoded: np.ndarray) -> None:
    if original.shape != decoded.shape:
        raise ImageError(
            f"The decoded image has the shape {decoded.shape}, the original {original.shape}. "
            "Compare images of equal shape."
        )
    if original.dtype != decoded.dtype or original.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"The original has the type {original.dtype}, the decoded image {decoded.dtype}, expected uint8 or uint16 "
            "for both. Round them, and convert both to one type."
        )
