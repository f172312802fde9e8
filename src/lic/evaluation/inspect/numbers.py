"""All numbers that an image is coded as: means, scales, symbols and bits of each part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.rate_search import checked_quality
from lic.entropy.coders import Estimate, Recorder, skipping
from lic.entropy.distributions.base import Distribution
from lic.entropy.parts import EVERYTHING, SIDE, Part
from lic.environment import tf
from lic.errors import check_kind


class Numbers(NamedTuple):
    """The numbers of one part, each array as [rows, columns, depth] of the latent or of the side information.

    Attributes:
      inside: Which numbers belong to the part. All arrays below are 0 for the others.
      means: The numbers that are rounded from, such as means.
      scales: The scales as they are coded, or zeros for a distribution without scales, such as a prior.
      symbols: The coded symbols, int32: whole steps from the means.
      bits: The estimated bits of each symbol.
    """

    inside: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    symbols: np.ndarray
    bits: np.ndarray


def inspect(codec: Codec, image: np.ndarray, *, quality: float | None = None) -> dict[str, Numbers]:
    """Returns the numbers that an image is coded as, by the names of the parts, in coding order.

    In a codec of several qualities they are those of the latent that the gains of the quality have multiplied. The
    parameter networks compute in floating point, also for a deterministic codec.

    Args:
      codec: The codec.
      image: uint8 [height, width, 3] or [height, width].
      quality: The quality that `codec.compress` takes.

    Raises:
      ImageError: The array has another type or shape.
      ValueError: The codec does not have the quality.
    """
    check_kind("inspect", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    model, qualities = codec.model, tf.constant([checked_quality(quality, codec.model.rate)])
    latent = model.rate.apply_gain(tf.constant(codec.analyse(image)[None]), qualities)
    estimate = Estimate(latent, likelihood_bound=model.entropy.likelihood_bound)
    recorder = Recorder(estimate)
    model.walk(skipping(recorder, codec.skip_below), qualities)
    found: dict[str, Numbers] = {}
    for prior, values in recorder.sides:
        name = SIDE if SIDE not in found else f"{SIDE} {len(found)}"
        found[name] = _numbers(estimate, EVERYTHING, prior, values, tf.zeros_like(values))
    for part, distribution, values in recorder.records:
        numbers = _numbers(estimate, part, distribution.as_coded(), values, tf.zeros_like(latent))
        # The steps of `coder.serial` have one name, and hold different numbers.
        found[part.name] = Numbers(*map(np.add, found[part.name], numbers)) if part.name in found else numbers
    return found


def _numbers(
    estimate: Estimate, part: Part, distribution: Distribution, values: tf.Tensor, zeros: tf.Tensor
) -> Numbers:
    symbols = tf.round(distribution.centre(values))
    scales = tf.zeros_like(values) if distribution.scale is None else distribution.scale
    fields = [tf.ones_like(values), tf.zeros_like(values) + distribution.offset, scales, symbols]
    inside, means, scales, symbols, bits = (
        part.put(zeros, each)[0].numpy() for each in (*fields, estimate.bits_of(symbols, distribution))
    )
    return Numbers(inside.astype(bool), means, scales, symbols.astype(np.int32), bits)
