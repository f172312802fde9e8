"""An image beside what codecs make of it, each with its bits and PSNR."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lic.evaluation.classical import classical
from lic.evaluation.metrics import psnr

_QUALITIES = range(1, 96)


class Picture(NamedTuple):
    """An image and what it costs.

    Attributes:
      name: What it is.
      pixels: uint8 [height, width, 3] or [height, width].
      bits: Bits that it takes.
      psnr: PSNR in dB against the original, infinity where nothing was lost.
    """

    name: str
    pixels: np.ndarray
    bits: float
    psnr: float

    @property
    def bytes(self) -> int:
        """Whole bytes that it takes."""
        return math.ceil(self.bits / 8)

    @property
    def bpp(self) -> float:
        """Bits per pixel."""
        return self.bits / (self.pixels.shape[0] * self.pixels.shape[1])

    @property
    def loss(self) -> str:
        """PSNR in dB, or that there is no loss."""
        return f"{self.psnr:.2f} dB" if math.isfinite(self.psnr) else "lossless"

    @property
    def figures(self) -> str:
        """Bytes, bits per pixel and PSNR as one line."""
        return f"{self.bytes:,} bytes, {self.bpp:.3f} bpp, {self.loss}"


def decoded_picture(name: str, original: np.ndarray, decoded: np.ndarray, bits: float) -> Picture:
    """Returns a decoded image as a picture, measured against its original."""
    return Picture(name, decoded, bits, psnr(original, decoded))


def beside_jpeg(original: np.ndarray, stream: bytes, decoded: np.ndarray) -> tuple[Picture, Picture, Picture]:
    """Returns an image, what a codec made of it, and the best JPEG in no more bytes than the codec's stream."""
    quality, data = jpeg_of_size(original, len(stream))
    pixels = classical("jpeg").decompress(data)
    return (
        Picture("original", original, 8.0 * original.size, math.inf),
        decoded_picture("decoded", original, decoded, 8.0 * len(stream)),
        decoded_picture(f"JPEG quality {quality}", original, pixels, 8.0 * len(data)),
    )


def jpeg_of_size(image: np.ndarray, size: int) -> tuple[int, bytes]:
    """Returns the quality and bytes of the best JPEG that has at most `size` bytes, or of the smallest one."""
    codec = classical("jpeg")
    best = (_QUALITIES[0], codec.compress(image, quality=_QUALITIES[0]))
    for quality in _QUALITIES[1:]:
        data = codec.compress(image, quality=quality)
        if len(data) > size:
            break
        best = (quality, data)
    return best
