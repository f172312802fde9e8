"""All numbers that an image is coded as: means, scales, symbols and bits of each part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.codec.quality import QualityLike, checked_quality
from lic.entropy.coders import Estimate, Recorder, skipping
from lic.entropy.distributions.base import Distribution
from lic.environment import tf
from lic.errors import check_kind
from lic.images.arrays import checked_image


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


def inspect(codec: Codec, image: np.ndarray, *, quality: QualityLike | None = None) -> dict[str, Numbers]:
    """Returns the numbers that an image is coded as, by the names of the parts; those of one name are together.

    In a codec of several qualities they are those of the latent that the gains of the quality have multiplied. The
    parameter networks compute in floating point, also for a deterministic codec.

    Args:
      codec: The codec.
      image: As for `codec.compress`.
      quality: The quality that `codec.compress` takes.

    Raises:
      ImageError: The array has another type or shape.
      ValueError: The codec does not have the quality.
    """
    check_kind("inspect", "codec", codec, Codec, "a lic.Codec, such as lic.Codec(model)")
    image, model = checked_image(image, codec.channels, codec.bit_depth), codec.model
    chosen = checked_quality(quality, model.rate, image.shape[:2], model.transform.downscale)
    qualities, latent = tf.constant(chosen.at_positions())[None], tf.constant(codec.analyse(image)[None])
    latent = model.rate.apply_gain(latent, qualities)
    estimate = Estimate(latent, likelihood_bound=model.entropy.likelihood_bound)
    recorder = Recorder(estimate)
    model.walk(skipping(recorder, codec.skip_below), qualities)
    found: dict[str, list[tf.Tensor]] = {}
    for part, distribution, values, coded in [*recorder.further, *recorder.records]:
        # The steps of `coder.serial` have one name, and hold different numbers.
        fields = found.get(part.name, [coded.zeros] * len(Numbers._fields))
        numbers = _numbers(estimate, distribution.as_coded(), values)
        found[part.name] = [part.put(field, each) for field, each in zip(fields, numbers)]
    return {name: _as_arrays(*fields) for name, fields in found.items()}


def _numbers(estimate: Estimate, distribution: Distribution, values: tf.Tensor) -> list[tf.Tensor]:
    """Returns the fields of `Numbers` for the numbers of a part, float32 in the shape of the part."""
    symbols, zeros = tf.round(distribution.centre(values)), tf.zeros_like(values)
    scales = zeros if distribution.scale is None else distribution.scale
    bits = estimate.bits_of(symbols, distribution)
    return [tf.ones_like(values), zeros + distribution.offset, scales, symbols, bits]


def _as_arrays(*fields: tf.Tensor) -> Numbers:
    inside, means, scales, symbols, bits = (field[0].numpy() for field in fields)
    return Numbers(inside.astype(bool), means, scales, symbols.astype(np.int32), bits)
