"""The bits of an image by position and by part of the latent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.quality import QualityLike
from lic.errors import check_kind
from lic.evaluation.inspect.numbers import inspect


class BitMap(NamedTuple):
    """The estimated bits of an image.

    Attributes:
      positions: Bits at each position of the latent [rows, columns], summed over channels.
      parts: Name and bits of each part of the latent, in coding order; parts of one name are added up.
      side: Bits of the side information, which has positions of its own; 0 if the model has none.
      downscale: Height and width in pixels of the block that corresponds to a position.
    """

    positions: np.ndarray
    parts: tuple[tuple[str, float], ...]
    side: float
    downscale: int


def bit_map(codec: Codec, image: np.ndarray, *, quality: QualityLike | None = None) -> BitMap:
    """Returns the bits that `codec.estimate` sums up, by position and by part.

    Args:
      codec: The codec.
      image: As for `codec.compress`.
      quality: The quality that `codec.compress` takes.

    Raises:
      ImageError: The array has another type or shape.
      ValueError: The codec does not have the quality.
    """
    check_kind("bit_map", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    numbers = inspect(codec, image, quality=quality)
    # Parts may have one name. What is left of the numbers is side information.
    bits = {name: numbers.pop(name).bits for name in dict.fromkeys(codec.parts)}
    positions = sum(each.sum(-1) for each in bits.values())
    parts = tuple((name, float(each.sum())) for name, each in bits.items())
    side = sum((float(each.bits.sum()) for each in numbers.values()), 0.0)
    return BitMap(positions, parts, side, codec.model.transform.downscale)
