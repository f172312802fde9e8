"""Mixtures of normal distributions, which no table can hold, so that the coder counts for each number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from lic.argument_types import Count
from lic.entropy.distributions.base import ChannelGains, Distribution, Likelihood
from lic.entropy.distributions.location_scale import Normal, step_bits
from lic.entropy.distributions.scale_table import ScaleTable
from lic.entropy.range_coding.cdf_tables import LIMIT, LONGEST_PMF, Pmf
from lic.entropy.range_coding.fixed_point import (
    MEAN_BITS,
    NORMALS,
    WEIGHT_BITS,
    exponentials,
    reaches,
    slopes,
)
from lic.environment import tf
from lic.errors import check
from lic.registry import register_likelihood

_LOGIT_STEPS, _LOGITS = 32, 512  # Coded weights are exponentials of 32nds, to exp(-16) of the largest weight.
_LARGEST_MEAN = 2.0**15
_LIGHTEST = 2 ** (WEIGHT_BITS - 12)  # A normal of less weight does not widen the range of symbols.


@register_likelihood("normal-mixture")
class NormalMixture(Likelihood):
    """Mixtures of normal distributions, with weights, means and scales for each number.

    The parameters are the logits of the weights, then the means, then the real scale indexes. Numbers are rounded to
    whole numbers, since a mixture has no mean that would be the best origin of rounding.

    Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
    Attention Modules, CVPR 2020, section 3.2.

    Args:
      count: The number of normals in a mixture.
      scales: The table of scales (`ScaleTable`): number, lowest, highest, and how indexes are rounded for coding.

    Raises:
      ValueError: `count` is not 1 to 16, or the table of scales is not valid.
    """

    def __init__(self, count: Count = 3, scales: ScaleTable | Sequence = ScaleTable()):
        check(type(self).__name__, "count", 1 <= count <= 16, "1 to 16 normals", count)
        self.count, self.scales = count, ScaleTable(*scales)
        self.scales.check()

    @property
    def parameters(self) -> int:
        """The number of parameters for each number of the latent: three for each normal."""
        return 3 * self.count

    @property
    def mixture_size(self) -> int:
        """The number of whole numbers by which the coder knows a mixture."""
        return NORMALS + 3 * self.count

    def __call__(self, parameters: tf.Tensor) -> NormalMixtureDistribution:
        shape = tf.concat([tf.shape(parameters)[:-1], [3 * self.count, -1]], 0)
        channels = parameters.shape[-1] // (3 * self.count)
        split = tf.ensure_shape(tf.reshape(parameters, shape), (*parameters.shape[:-1], 3 * self.count, channels))
        return NormalMixtureDistribution(self, *tf.split(split, 3, -2))

    @property
    def num_pmfs(self) -> int:
        """Zero: the coder's tables hold no mixtures."""
        return 0

    def pmfs(self) -> Iterator[Pmf]:
        return iter(())

    def start(self, deviations: np.ndarray) -> np.ndarray:
        # Normals of one mean and different scales: equal ones would stay equal.
        deviations = np.asarray(deviations, np.float64)
        factors = 2.0 ** (np.arange(self.count) - (self.count - 1) / 2)
        scales = np.maximum(factors[:, None] * deviations, self.scales.lowest)
        indexes = np.vectorize(self.scales.index_of)(scales)
        zeros = np.zeros(2 * self.count * len(deviations))
        return np.concatenate([zeros, np.ravel(indexes)]).astype(np.float32)


class NormalMixtureDistribution(Distribution):
    """Numbers under a mixture of normals each.

    Args:
      likelihood: The likelihood.
      logits: The logarithms of the weights but for a constant, [batch, height, width, count, channels].
      means: The means, likewise.
      index: The real scale indexes, likewise.
    """

    offset = 0.0

    def __init__(self, likelihood: NormalMixture, logits: tf.Tensor, means: tf.Tensor, index: tf.Tensor):
        self.likelihood, self.logits, self.means, self.index = likelihood, logits, means, index

    @property
    def shape(self) -> tf.TensorShape:
        return self.means.shape[:-2] + self.means.shape[-1:]

    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        scale = self.likelihood.scales.scale_at(self.index)
        log_shares = step_bits(Normal.log_cdf, scale, centred[..., None, :] - self.means) * -math.log(2)
        log_weights = tf.nn.log_softmax(self.logits, -2)
        return tf.reduce_logsumexp(log_weights + log_shares, -2) * (-1 / math.log(2))

    def pmf_index(self) -> tf.Tensor:
        """Returns -1 for each number: no table holds its cdf."""
        return tf.fill(tf.shape(self.means)[:-2], -1)

    def centre(self, values: tf.Tensor) -> tf.Tensor:
        # Parameters are multiplied by zero, so that a coder finds those that are not finite.
        return values + 0.0 * tf.reduce_sum(self.logits + self.means + self.index, -2)

    def restore(self, centred: tf.Tensor) -> tf.Tensor:
        return centred

    def as_coded(self) -> NormalMixtureDistribution:
        logits = tf.cast(self._steps_below_largest(), "float32") * (-1 / _LOGIT_STEPS)
        means = tf.cast(self._means(), "float32") * 2.0**-MEAN_BITS
        rows = tf.cast(self.likelihood.scales.row(self.index), "float32")
        return NormalMixtureDistribution(self.likelihood, logits, means, rows)

    def under_gain(self, gains: ChannelGains) -> NormalMixtureDistribution:
        means = tf.stack([gains.apply(mean) for mean in tf.unstack(self.means, axis=-2)], -2)
        # As for other distributions of scales, a product takes the place of a division.
        index = self.index + gains.log_scale[..., None, :] * (1 / self.likelihood.scales.log_step)
        return NormalMixtureDistribution(self.likelihood, self.logits, means, index)

    def mixtures(self) -> tf.Tensor:
        scales = self.likelihood.scales
        rows, means = scales.row(self.index), self._means()
        exponential = exponentials(_LOGITS, _LOGIT_STEPS, 20)
        sums = tf.cumsum(tf.gather(exponential, self._steps_below_largest()), -2)
        ends = sums * 2**WEIGHT_BITS // sums[..., -1:, :]
        weights = tf.cast(ends - tf.pad(ends, [[0, 0]] * 3 + [[1, 0], [0, 0]])[..., :-1, :], tf.int32)
        # The symbols reach over all normals except very light ones, and to no more than a cdf may hold.
        reach, light = tf.gather(reaches(*scales[:3]), rows), weights < _LIGHTEST
        mean = tf.reduce_sum(tf.cast(weights, tf.int64) * tf.cast(means, tf.int64), -2) // 2**WEIGHT_BITS
        middle = _symbol(tf.cast(mean, tf.int32))
        low = _symbol(tf.reduce_min(tf.where(light, tf.int32.max, means - reach), -2))
        high = _symbol(tf.reduce_max(tf.where(light, tf.int32.min, means + reach), -2))
        first = tf.clip_by_value(tf.maximum(low, middle - LONGEST_PMF // 2 + 1), -LIMIT, LIMIT)
        last = tf.clip_by_value(tf.minimum(high, middle + LONGEST_PMF // 2), first, LIMIT)
        normals = tf.stack([weights, means, tf.gather(slopes(*scales[:3]), rows)], -1)
        normals = tf.transpose(normals, (0, 1, 2, 4, 3, 5))
        normals = tf.reshape(normals, tf.concat([tf.shape(first), [3 * self.likelihood.count]], 0))
        return tf.concat([first[..., None], (last - first + 1)[..., None], normals], -1)

    def _means(self) -> tf.Tensor:
        """Returns the means in 256ths, as they are coded."""
        return _whole(self.means * 2.0**MEAN_BITS, _LARGEST_MEAN * 2**MEAN_BITS)

    def _steps_below_largest(self) -> tf.Tensor:
        """Returns by how many 32nds each logit is below the largest of its mixture, as it is coded."""
        below = tf.reduce_max(self.logits, -2, keepdims=True) - self.logits
        return tf.maximum(_whole(below * _LOGIT_STEPS, _LOGITS - 1.0), 0)


def _whole(values: tf.Tensor, most: float) -> tf.Tensor:
    """Returns rounded values, which are at most so far from zero, int32; NaN becomes some number of that range."""
    rounded = tf.cast(tf.round(tf.clip_by_value(values, -most, most)), "int32")
    return tf.clip_by_value(rounded, -int(most), int(most))  # A cast of NaN may give any integer.


def _symbol(fixed: tf.Tensor) -> tf.Tensor:
    """Returns the symbol that a number in 256ths is rounded to."""
    return (fixed + 2 ** (MEAN_BITS - 1)) // 2**MEAN_BITS
