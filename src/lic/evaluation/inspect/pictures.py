"""Pictures: an image and the images that codecs decode, each with its bits and PSNR."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lic.evaluation.run.classical import classical_codec
from lic.evaluation.run.metrics import psnr

_JPEG_QUALITIES = range(1, 96)  # Pillow advises against more than 95.


class Picture(NamedTuple):
    """An image with its bits and its PSNR.

    Attributes:
      name: Name of the picture.
      pixels: uint8 [height, width, 3] or [height, width].
      bits: Number of bits that code the image.
      psnr: PSNR in dB against the original; it is infinite if nothing was lost.
    """

    name: str
    pixels: np.ndarray
    bits: float
    psnr: float

    @property
    def bytes(self) -> int:
        """The number of whole bytes that hold the bits."""
        return math.ceil(self.bits / 8)

    @property
    def bpp(self) -> float:
        """Bits per pixel."""
        return self.bits / (self.pixels.shape[0] * self.pixels.shape[1])

    @property
    def loss(self) -> str:
        """PSNR in dB as text, or "lossless"."""
        return f"{self.psnr:.2f} dB" if math.isfinite(self.psnr) else "lossless"

    @property
    def figures(self) -> str:
        """Bytes, bits per pixel and PSNR as one line."""
        return f"{self.bytes:,} bytes, {self.bpp:.3f} bpp, {self.loss}"


def decoded_picture(name: str, original: np.ndarray, decoded: np.ndarray, bits: float) -> Picture:
    """Returns a decoded image as a picture, with its PSNR against the original.

    Args:
      name: Name of the picture.
      original: uint8 [height, width, 3] or [height, width].
      decoded: The decoded image, of the same type and shape.
      bits: Number of bits that code the image.

    Raises:
      ImageError: The shapes differ.
    """
    return Picture(name, decoded, bits, psnr(original, decoded))


def beside_jpeg(original: np.ndarray, stream: bytes, decoded: np.ndarray) -> tuple[Picture, Picture, Picture]:
    """Returns an image, its decoded image, and the best JPEG that takes no more bytes than the stream, as pictures.

    Args:
      original: uint8 [height, width, 3] or [height, width].
      stream: The stream of a codec.
      decoded: The image that the codec decodes from the stream.
    """
    quality, data = jpeg_of_size(original, len(stream))
    pixels = classical_codec("jpeg").decompress(data)
    return (
        Picture("original", original, 8.0 * original.size, math.inf),
        decoded_picture("decoded", original, decoded, 8.0 * len(stream)),
        decoded_picture(f"JPEG quality {quality}", original, pixels, 8.0 * len(data)),
    )


def jpeg_of_size(image: np.ndarray, size: int) -> tuple[int, bytes]:
    """Returns the quality and the bytes of the best JPEG with at most `size` bytes, or of the smallest JPEG.

    Args:
      image: uint8 [height, width, 3] or [height, width].
      size: Number of bytes.
    """
    codec = classical_codec("jpeg")
    best = (_JPEG_QUALITIES[0], codec.compress(image, quality=_JPEG_QUALITIES[0]))
    for quality in _JPEG_QUALITIES[1:]:
        data = codec.compress(image, quality=quality)
        if len(data) <= size:
            best = (quality, data)
        elif len(data) > 1.05 * size:  # Sizes do not rise throughout, but a higher quality saves no twentieth.
            break
    return best
