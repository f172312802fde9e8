"""Likelihoods of a mean and a scale: normal, Laplace and logistic."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from lic.entropy.distributions.base import ChannelGains, Distribution, Likelihood
from lic.entropy.distributions.scale_table import ScaleTable
from lic.entropy.range_coding.cdf_tables import LONGEST_PMF, TAIL, Pmf
from lic.environment import keras, tf
from lic.layers.chunks import compiled
from lic.registry import register_likelihood

_TABLED = 128  # A table of bits has those of the integers up to it.
_SERIES_BELOW = -10.0  # Here erfc is still a normal float32, and the series is exact to float32.


class LocationScale(Likelihood):
    """Base of likelihoods of symmetric distributions with a mean and a scale.

    A subclass writes `deviation`, `log_cdf` and `upper_tail`.

    The first parameter is the mean. The second is a real index into the table of scales, so that a network moves
    through scales geometrically, or the scale itself, as in CompressAI.

    Args:
      scales: The table of scales (`ScaleTable`): number, lowest, highest, and how indexes are rounded for coding.
      predicted_scale: Whether the second parameter is the scale; scales below the table count as its lowest.

    Attributes:
      deviation: The standard deviation of the distribution whose scale is one.

    Raises:
      ValueError: The table of scales is not valid.
    """

    added_arguments: ClassVar[Mapping[str, Any]] = {"predicted_scale": False}
    parameters = 2
    deviation: float

    def __init__(self, scales: ScaleTable | Sequence[float | str] = ScaleTable(), predicted_scale: bool = False):
        self.scales, self.predicted_scale = ScaleTable(*scales), predicted_scale
        self.scales.check()

    @staticmethod
    @abc.abstractmethod
    def log_cdf(values: tf.Tensor) -> tf.Tensor:
        """Returns the logarithm of the distribution function at scale one, accurate far into its lower tail."""

    @staticmethod
    @abc.abstractmethod
    def upper_tail(value: float) -> float:
        """Returns the probability of numbers above a value, which is at least 0, at scale one and in float64."""

    def upper_tails(self, values: np.ndarray) -> np.ndarray:
        """Returns the results of `upper_tail` for many values [count]."""
        return np.array([self.upper_tail(value) for value in values.tolist()])

    def __call__(self, parameters: tf.Tensor) -> LocationScaleDistribution:
        mean, second = tf.split(parameters, 2, -1)
        return PredictedScaleDistribution(self, mean, second) if self.predicted_scale else self.of(mean, second)

    def of(self, mean: tf.Tensor, index: tf.Tensor) -> LocationScaleDistribution:
        """Returns the distribution of numbers with these means and real scale indexes, in the shape of the numbers."""
        return LocationScaleDistribution(self, tf.convert_to_tensor(mean), tf.convert_to_tensor(index))

    def start(self, deviations: np.ndarray) -> np.ndarray:
        scales = np.maximum(np.asarray(deviations) / self.deviation, self.scales.lowest)
        second = scales if self.predicted_scale else [self.scales.index_of(float(scale)) for scale in scales]
        return np.concatenate([np.zeros(len(scales)), second]).astype(np.float32)

    @property
    def num_pmfs(self) -> int:
        return self.scales.count

    def pmfs(self) -> Iterator[Pmf]:
        # Distributions are symmetric: one half is computed and mirrored, and both tails are the escape's.
        scales, lengths = np.array(self.scales.scales()), LONGEST_PMF >> np.arange(8, 0, -1)
        # Tails are computed as far as the first below TAIL; all scales in one call, which is much faster in numpy.
        ends = self.upper_tails(np.ravel((lengths - 0.5) / scales[:, None])).reshape(len(scales), -1)
        lengths = lengths[np.minimum((ends >= TAIL).sum(1), len(lengths) - 1)]
        values = [(np.arange(length) + 0.5) / scale for length, scale in zip(lengths, scales)]
        for tail in np.split(self.upper_tails(np.concatenate(values)), np.cumsum(lengths)[:-1]):
            last = min(np.count_nonzero(tail >= TAIL), len(tail) - 1)
            half = np.concatenate([[1 - 2 * tail[0]], tail[:last] - tail[1 : last + 1]])
            yield -last, np.concatenate([half[:0:-1], half, [2 * tail[last]]])


class LocationScaleDistribution(Distribution):
    """Numbers with a mean and a real scale index each.

    Args:
      likelihood: The family of the distribution.
      mean: The means, in the shape of the numbers.
      index: The real scale indexes, likewise.

    Attributes:
      offset: The means.
      index: The scale indexes, which are whole numbers in the result of `as_coded`.
    """

    def __init__(self, likelihood: LocationScale, mean: tf.Tensor, index: tf.Tensor):
        self.likelihood, self.offset, self.index = likelihood, mean, index

    @property
    def shape(self) -> tf.TensorShape:
        mean, index = (tf.TensorShape(each.shape) for each in (self.offset, self.index))
        if not mean.is_compatible_with(index):
            raise ValueError(f"expected means and scale indexes of one shape. Received: {mean} and {index}")
        return mean.merge_with(index)

    @property
    def scale(self) -> tf.Tensor:
        """The scale of each number, for the real indexes as they are."""
        return self.likelihood.scales.scale_at(self.index)

    def row(self) -> tf.Tensor:
        """Returns the row of the table of scales that each number is coded with, int32."""
        return self.likelihood.scales.row(self.index)

    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        inputs = tf.convert_to_tensor(centred), tf.convert_to_tensor(self.index)
        if isinstance(self.likelihood, keras.layers.Layer):  # A function for all of its kind would hold its weights.
            return _bits(self.likelihood, *inputs)
        specs = tuple(tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in inputs)
        return compiled(_bits, specs, self.likelihood)(*inputs)

    def bits_between_integers(self, centred: tf.Tensor) -> tf.Tensor:
        """Returns bits on straight lines between whole numbers, and between the scales of the table.

        They come from a table, which takes a fraction of the time of distribution functions and their gradients.
        """
        # A table would be of weights that may change, or not of the bits that a subclass defines.
        if isinstance(self.likelihood, keras.layers.Layer) or type(self).bits is not LocationScaleDistribution.bits:
            return super().bits_between_integers(centred)
        count = self.likelihood.scales.count
        with tf.init_scope():
            places = tf.meshgrid(tf.range(_TABLED + 1, dtype="float32"), tf.range(count, dtype="float32"))
            table = tf.reshape(_bits(self.likelihood, *places), [-1])
        # Beyond the end of the table the last line goes on.
        column, right = _whole_and_rest(tf.abs(centred), _TABLED - 1)
        row, down = _whole_and_rest(self.likelihood.scales.in_table(self.index), count - 2)
        first = row * (_TABLED + 1) + column
        near, far = (
            (1 - right) * tf.gather(table, place) + right * tf.gather(table, place + 1)
            for place in (first, first + _TABLED + 1)
        )
        return (1 - down) * near + down * far

    def pmf_index(self) -> tf.Tensor:
        return self.row()

    def as_coded(self) -> LocationScaleDistribution:
        return self._with(self.offset, tf.cast(self.row(), "float32"))

    def under_gain(self, gains: ChannelGains) -> LocationScaleDistribution:
        # Multiplying a scale adds to its index, because the table is geometric. The division by `log_step` is written
        # as a product: TensorFlow turns some divisions by a constant into products, and the two round differently.
        index = self.index + gains.log_scale * (1 / self.likelihood.scales.log_step)
        return self._with(gains.apply(self.offset), index)

    def scale_is_at_least(self, limit: float) -> tf.Tensor:
        # Rows of the table are compared: they are integers, which are the same on every machine.
        scales = self.likelihood.scales
        return self.row() >= sum(scale < limit for scale in scales.scales())

    def _with(self, mean: tf.Tensor, index: tf.Tensor) -> LocationScaleDistribution:
        """Returns distributions that differ from these in means and scale indexes only."""
        return self.likelihood.of(mean, index)


class PredictedScaleDistribution(LocationScaleDistribution):
    """Numbers with a mean and a scale each, where a network predicts the scale itself.

    Comparisons find the row of a scale. They are the same on every machine, unlike a logarithm.

    Args:
      likelihood: The family of the distribution.
      mean: The means, in the shape of the numbers.
      scale: The scales, likewise; those below the table count as its lowest.
    """

    def __init__(self, likelihood: LocationScale, mean: tf.Tensor, scale: tf.Tensor):
        super().__init__(likelihood, mean, likelihood.scales.index_at(scale))
        self._scale = scale

    def row(self) -> tf.Tensor:
        return self.likelihood.scales.row_of(self._scale)

    def under_gain(self, gains: ChannelGains) -> PredictedScaleDistribution:
        return PredictedScaleDistribution(self.likelihood, gains.apply(self.offset), self._scale * gains.scale)


def _whole_and_rest(values: tf.Tensor, last: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the largest whole numbers, 0 to `last`, that are not above some values, int32, and what is left."""
    whole = tf.stop_gradient(tf.clip_by_value(tf.floor(values), 0.0, float(last)))
    return tf.cast(whole, "int32"), values - whole


def _bits(likelihood: LocationScale, centred: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    return step_bits(likelihood.log_cdf, likelihood.scales.scale_at(index), centred)


def step_bits(log_cdf: Callable[[tf.Tensor], tf.Tensor], scale: tf.Tensor, centred: tf.Tensor) -> tf.Tensor:
    """Returns minus log2 of the probabilities of [centred - 1/2, centred + 1/2].

    Args:
      log_cdf: The logarithm of the distribution function at scale one, accurate far into its lower tail.
      scale: The scales.
      centred: The numbers as differences from the means.
    """
    distance = tf.abs(centred)
    # Numbers above the mean are mirrored to the lower tail, where `log_cdf` is accurate.
    upper = log_cdf((0.5 - distance) / scale)
    lower = log_cdf((-0.5 - distance) / scale)
    return (upper + log_one_minus_exp(lower - upper)) * (-1 / math.log(2))


def log_one_minus_exp(values: tf.Tensor) -> tf.Tensor:
    """Returns log(1 - exp(values)) for values below zero.

    Source: Maechler, Accurately Computing log(1 - exp(-|a|)), vignette of the R package Rmpfr, 2012.
    """
    values = tf.minimum(values, -1e-30)  # Two equal tails would give the logarithm of zero.
    # Each form is accurate on its side of -log(2), and is given a harmless value on the other: NaN would spread.
    close = values > -0.693
    expm1 = tf.math.log(-tf.math.expm1(tf.where(close, values, -1.0)))
    return tf.where(close, expm1, tf.math.log1p(-tf.exp(tf.where(close, -1.0, values))))


@register_likelihood("normal")
class Normal(LocationScale):
    """Normal distributions; the scale is the standard deviation."""

    deviation = 1.0

    @staticmethod
    def log_cdf(values: tf.Tensor) -> tf.Tensor:
        near = tf.math.erfc(tf.maximum(values, _SERIES_BELOW) * -(0.5**0.5)) * 0.5
        # The asymptotic series of the tail: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.12.
        far = tf.minimum(values, _SERIES_BELOW)
        square = 1 / (far * far)
        series = tf.math.log1p(-square * (1 - square * (3 - square * (15 - 105 * square))))
        tail = -0.5 * far * far - tf.math.log(-far) - 0.5 * math.log(2 * math.pi) + series
        return tf.where(values > _SERIES_BELOW, tf.math.log(near), tail)

    @staticmethod
    def upper_tail(value: float) -> float:
        return 0.5 * math.erfc(value * 0.5**0.5)


@register_likelihood("laplace")
class Laplace(LocationScale):
    """Laplace distributions; the scale is the mean distance from the mean."""

    deviation = 2**0.5

    @staticmethod
    def log_cdf(values: tf.Tensor) -> tf.Tensor:
        # Each branch gets values of its own side only: those of the other would overflow, and their gradient is NaN.
        above = tf.math.log1p(-0.5 * tf.exp(-tf.maximum(values, 0.0)))
        return tf.where(values > 0, above, tf.minimum(values, 0.0) - math.log(2))

    @staticmethod
    def upper_tail(value: float) -> float:
        return 0.5 * math.exp(-value)


@register_likelihood("logistic")
class Logistic(LocationScale):
    """Logistic distributions, whose distribution function is a sigmoid."""

    deviation = math.pi / 3**0.5

    @staticmethod
    def log_cdf(values: tf.Tensor) -> tf.Tensor:
        return tf.math.log_sigmoid(values)

    @staticmethod
    def upper_tail(value: float) -> float:
        return 1 / (1 + math.exp(value)) if value < 700 else 0.0
