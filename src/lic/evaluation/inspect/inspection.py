"""The inspection of one image with a codec: decoded image, previews, errors, and the bits by position and part."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.quality import QualityLike, checked_quality
from lic.errors import ImageError, check, check_kind
from lic.evaluation.inspect.bit_map import BitMap, bit_map
from lic.evaluation.inspect.pictures import Picture, beside_jpeg, decoded_picture
from lic.images.arrays import checked_image, coloured

_LEAST_PARTS = 3  # With fewer parts there is hardly a preview between the first and the whole image.
_BOX_SHARE, _LEAST_BOX = 4, 32  # The sides of the largest-error box: a quarter of the image's, but so many pixels.


class Box(NamedTuple):
    """A rectangle of pixels.

    Attributes:
      top: First row.
      left: First column.
      height: Number of rows.
      width: Number of columns.
    """

    top: int
    left: int
    height: int
    width: int

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """Returns the pixels inside the box, for pixels [height, width, ...] of an image."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


class Inspection(NamedTuple):
    """One image with one codec.

    Attributes:
      original: The image.
      decoded: The decoded image.
      jpeg: The best JPEG that takes no more bytes than the stream.
      bits: The estimated bits by position and by part.
      previews: The images decoded from the first 0, 1, ... parts, with the estimated bits of these parts; empty if the
        latent has fewer than three parts, or several of one name.
      crop: The rectangle to be enlarged.
      quality: The quality at each position of the latent [rows, columns], or None where it is one for all.
    """

    original: Picture
    decoded: Picture
    jpeg: Picture
    bits: BitMap
    previews: tuple[Picture, ...]
    crop: Box
    quality: np.ndarray | None = None

    @property
    def error(self) -> np.ndarray:
        """Absolute error of the decoded image in grey levels [height, width], the mean over the channels."""
        return absolute_error(self.original.pixels, self.decoded.pixels)


def inspect_image(
    codec: Codec, image: np.ndarray, *, quality: QualityLike | None = None, crop: Box | None = None
) -> Inspection:
    """Compresses an image, decodes it as a whole and from its first parts, and estimates the bits of each position.

    Args:
      codec: The codec.
      image: uint8 [height, width, 3] or [height, width], or an image of Pillow.
      quality: The quality that `codec.compress` takes.
      crop: The rectangle to be enlarged; by default where the error is largest.

    Raises:
      ImageError: The codec is not for 3 channels of 8 bits, the array has another type or shape, or the image is too
        large for JPEG.
      ValueError: The codec does not have the quality, or the crop is not within the image.
    """
    check_kind("inspect_image", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    if (codec.channels, codec.bit_depth) != (3, 8):
        raise ImageError(
            f"inspect_image: expected a codec for 3 channels of 8 bits, which can be drawn. Received: one for "
            f"{codec.channels} of {codec.bit_depth}."
        )
    image = checked_image(image, codec.channels, codec.bit_depth)
    stream = codec.compress(image, quality=quality)
    original, decoded, jpeg = beside_jpeg(image, stream, codec.decompress(stream))
    if crop is None:
        crop = largest_error(absolute_error(image, decoded.pixels))
    else:
        _check_within(crop, image)
    bits = bit_map(codec, image, quality=quality)
    chosen = checked_quality(quality, codec.model.rate, image.shape[:2], bits.downscale)
    positions = None if chosen.steps is None else chosen.at_positions()
    return Inspection(original, decoded, jpeg, bits, _previews(codec, image, stream, bits), crop, positions)


def absolute_error(original: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """Returns absolute errors in grey levels [height, width], the mean over the channels of two images.

    Args:
      original: uint8 [height, width, 3] or [height, width].
      decoded: The decoded image, of the same type and shape.
    """
    return np.abs(coloured(original).astype(np.float64) - coloured(decoded)).mean(-1)


def largest_error(error: np.ndarray) -> Box:
    """Returns the box with the largest sum of squared errors; its sides are a quarter of the image's, or 32 pixels.

    Args:
      error: Errors [height, width].
    """
    height, width = (min(size, max(_LEAST_BOX, size // _BOX_SHARE)) for size in error.shape)
    # With the sums over all rectangles that begin at the upper left corner, each box takes four numbers.
    sums = np.pad(np.square(error), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(np.argmax(inside), inside.shape)
    return Box(int(top), int(left), height, width)


def _previews(codec: Codec, image: np.ndarray, stream: bytes, bits: BitMap) -> tuple[Picture, ...]:
    count = len(bits.parts)
    if count < _LEAST_PARTS or count < len(codec.parts):  # Of parts of one name, only the sum of the bits is known.
        return ()
    bits_so_far = itertools.accumulate((part_bits for _, part_bits in bits.parts), initial=bits.side)
    return tuple(
        decoded_picture(f"{parts} of {count} parts", image, codec.decompress(stream, parts=parts), total)
        for parts, total in enumerate(bits_so_far)
    )


def _check_within(crop: Box, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    inside = 0 <= crop.left <= width - crop.width and 0 <= crop.top <= height - crop.height
    holds = inside and crop.width >= 1 and crop.height >= 1
    check("inspect_image", "crop", holds, f"a Box within height={height} and width={width}", crop)
