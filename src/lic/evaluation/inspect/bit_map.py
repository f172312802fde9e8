"""The bits of an image by position and by part of the latent."""

from __future__ import annotations

import collections
from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.rate_search import checked_quality
from lic.entropy.coders import Estimate, Recorder, skipping
from lic.entropy.parts import SIDE
from lic.environment import tf
from lic.errors import check_kind


class BitMap(NamedTuple):
    """The estimated bits of an image.

    Attributes:
      positions: Bits at each position of the latent [rows, columns], summed over channels.
      parts: Name and bits of each part of the latent, in coding order.
      side: Bits of the side information, which has positions of its own; 0 if the model has none.
      downscale: Height and width in pixels of the block that corresponds to a position.
    """

    positions: np.ndarray
    parts: tuple[tuple[str, float], ...]
    side: float
    downscale: int


def bit_map(codec: Codec, image: np.ndarray, *, quality: float | None = None) -> BitMap:
    """Returns the bits that `codec.estimate` sums up, by position and by part.

    Args:
      codec: The codec.
      image: uint8 [height, width, 3] or [height, width].
      quality: The quality that `codec.compress` takes.

    Raises:
      ImageError: The array has another type or shape.
      ValueError: The codec does not have the quality.
    """
    check_kind("bit_map", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    model, qualities = codec.model, tf.constant([checked_quality(quality, codec.model.rate)])
    latent = tf.constant(codec.analyse(image)[None])
    estimate = Estimate(model.rate.apply_gain(latent, qualities), likelihood_bound=model.entropy.likelihood_bound)
    recorder = Recorder(estimate)
    model.walk(skipping(recorder, codec.skip_below), qualities)
    located, parts = tf.zeros_like(latent), collections.defaultdict(float)
    for part, distribution, values in recorder.records:
        bits = estimate.bits_of(tf.round(distribution.centre(values)), distribution)
        located = part.put(located, bits)
        parts[part.name] += float(tf.reduce_sum(bits))  # The steps of `coder.serial` have one name.
    side = float(estimate.bits.get(SIDE, (0.0,))[0])
    return BitMap(tf.reduce_sum(located[0], -1).numpy(), tuple(parts.items()), side, model.transform.downscale)
