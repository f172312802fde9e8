"""What there is to see of one image in a codec: pictures, previews, errors, and where the bits go."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.errors import check
from lic.evaluation.bit_map import BitMap, bit_map
from lic.evaluation.pictures import Picture, beside_jpeg, decoded_picture
from lic.images import coloured

_MANY = 3  # Parts from which on a sequence of previews tells something.
_SHARE, _LEAST = 4, 32  # Sides of the box with the largest error: a quarter of the image's, at least so many pixels.


class Box(NamedTuple):
    """A rectangle of pixels.

    Attributes:
      left: Its first column.
      top: Its first row.
      width: Columns.
      height: Rows.
    """

    left: int
    top: int
    width: int
    height: int

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """Returns the box's pixels."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


class Shown(NamedTuple):
    """One image in a codec.

    Attributes:
      original: The image.
      decoded: What the codec makes of it.
      jpeg: The best JPEG that takes no more bytes than the stream.
      bits: Where the estimated bits go.
      previews: What the first 0, 1, ... parts decode to, with the estimated bits so far, where there are more than two.
      crop: What is drawn large.
    """

    original: Picture
    decoded: Picture
    jpeg: Picture
    bits: BitMap
    previews: tuple[Picture, ...]
    crop: Box

    @property
    def error(self) -> np.ndarray:
        """The absolute error of the decoded image in grey levels [height, width], a mean over the channels."""
        return error_of(self.original.pixels, self.decoded.pixels)


def show(codec: Codec, image: np.ndarray, *, quality: float | None = None, crop: Box | None = None) -> Shown:
    """Compresses an image, decodes it whole and in part, and returns what there is to see.

    Args:
      codec: The codec.
      image: uint8 [height, width, 3] or [height, width].
      quality: As for `codec.compress`.
      crop: What is to be drawn large; default: where the error is largest.

    Raises:
      ImageError: The array is of another type or shape, or too large for JPEG.
      ValueError: The codec does not have the quality, or the crop is not within the image.
    """
    stream = codec.compress(image, quality=quality)
    original, decoded, jpeg = beside_jpeg(image, stream, codec.decompress(stream))
    crop = largest_error(error_of(image, decoded.pixels)) if crop is None else _within(crop, image)
    bits = bit_map(codec, image, quality=quality)
    return Shown(original, decoded, jpeg, bits, _previews(codec, image, stream, bits), crop)


def error_of(original: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """Returns absolute errors in grey levels [height, width], a mean over the channels where there are three."""
    return np.abs(coloured(original).astype(np.float64) - coloured(decoded)).mean(-1)


def largest_error(error: np.ndarray) -> Box:
    """Returns the box, a quarter as high and wide as errors [height, width], where their squares add up to the most."""
    height, width = (min(size, max(_LEAST, size // _SHARE)) for size in error.shape)
    sums = np.pad(np.square(error), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(np.argmax(inside), inside.shape)
    return Box(int(left), int(top), width, height)


def _previews(codec: Codec, image: np.ndarray, stream: bytes, bits: BitMap) -> tuple[Picture, ...]:
    count = len(bits.parts)
    if count < _MANY:
        return ()
    so_far = itertools.accumulate((each for _, each in bits.parts), initial=bits.side)
    return tuple(
        decoded_picture(f"{parts} of {count} parts", image, codec.decompress(stream, parts=parts), total)
        for parts, total in enumerate(so_far)
    )


def _within(crop: Box, image: np.ndarray) -> Box:
    height, width = image.shape[:2]
    left, top, across, down = crop
    fits = left >= 0 and top >= 0 and across >= 1 and down >= 1 and left + across <= width and top + down <= height
    check("show", "crop", fits, f"(left, top, width, height) within the {width}x{height} pixels", tuple(crop))
    return crop
