"""Generalized normal distributions, whose density falls as exp(-|x / width|^shape); the shape may be learnt."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from lic.argument_types import Count
from lic.entropy.distributions.location_scale import LocationScale, LocationScaleDistribution, step_bits
from lic.entropy.distributions.scale_table import ScaleTable
from lic.entropy.range_coding.cdf_tables import Pmf
from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.chunks import compiled
from lic.layers.tracing import HasDerivedWeights
from lic.registry import register_likelihood

if TYPE_CHECKING:
    from lic.entropy.parts import Part

LEAST_SHAPE, MOST_SHAPE = 0.5, 4.0
SHAPES = ScaleTable(20, 0.5, 3.0)
_NEAREST = 1e-6  # In deviations. At zero the density of a small shape has a corner without gradient.
_LARGEST = 60.0  # The logarithm of the largest power, so that nothing overflows in float32.
_NEAR, _LEVELS = 8.0, 5  # From here on, so many levels of the continued fraction are exact to float32.


@register_likelihood("generalized-normal")
class GeneralizedNormal(LocationScale):
    """Generalized normal distributions of one shape; the scale is the standard deviation, or the width.

    Shape 1 is a Laplace distribution, 2 is a normal one. The smaller the shape, the more probable are numbers far out.

    Source: Zhang et al., Generalized Gaussian Model for Learned Image Compression, arXiv 2411.19320, section III.

    Args:
      scales: The table of scales, as for `LocationScale`.
      shape: The shape, 0.5 to 4.
      predicted_scale: Whether the second parameter is the scale, as for `LocationScale`.
      scale_is: "deviation", or "width" for scales that are the width in the density exp(-|x / width|^shape).

    Raises:
      ValueError: The table of scales is not valid, the shape is out of range, or `scale_is` is neither of the two.
    """

    added_arguments: ClassVar[Mapping[str, Any]] = {"scale_is": "deviation"}
    deviation = 1.0

    def __init__(
        self,
        scales: ScaleTable | Sequence = ScaleTable(),
        shape: float = 1.5,
        predicted_scale: bool = False,
        scale_is: Literal["deviation", "width"] = "deviation",
    ):
        super().__init__(scales, predicted_scale)
        _check_shape(type(self).__name__, "shape", shape)
        self.shape, self.scale_is = shape, scale_is
        if scale_is == "width":
            self.deviation = _deviation_over_width(shape)

    def log_cdf(self, values: tf.Tensor) -> tf.Tensor:
        return log_cdf(values / self.deviation, tf.constant(self.shape, values.dtype))

    def upper_tail(self, value: float) -> float:
        return float(self.upper_tails(np.array([value]))[0])

    def upper_tails(self, values: np.ndarray) -> np.ndarray:
        widths = values * (_deviation_over_width(self.shape) / self.deviation)
        with np.errstate(under="ignore"):
            return 0.5 * upper_gamma(1 / self.shape, widths**self.shape)


@register_likelihood("generalized-normal-per-channel")
class GeneralizedNormalPerChannel(HasDerivedWeights, LocationScale, Layer):
    """Generalized normal distributions with a learnt shape for each channel; the scale is the standard deviation.

    A shape is rounded to one of a table for coding, as scales are, so that there is a cdf for each shape and scale.

    Source: Zhang et al., Generalized Gaussian Model for Learned Image Compression, arXiv 2411.19320, section III.

    Args:
      latent_depth: Number of channels of the latent.
      scales: The table of scales, as for `LocationScale`.
      shapes: The table of shapes: number, lowest, highest, and how shapes are rounded for coding.
      shape: The shape that all channels start from.

    Raises:
      ValueError: A table is not valid, or a shape is out of range.
    """

    deviation = 1.0

    def __init__(
        self,
        latent_depth: Count,
        scales: ScaleTable | Sequence = ScaleTable(),
        shapes: ScaleTable | Sequence = SHAPES,
        shape: float = 1.5,
        **kwargs,
    ):
        Layer.__init__(self, **kwargs | {"dtype": "float32"})
        LocationScale.__init__(self, scales)
        self.channels, self.shapes = latent_depth, ScaleTable(*shapes)
        self.shapes.check()
        for name, each in (("shapes", self.shapes.lowest), ("shapes", self.shapes.highest), ("shape", shape)):
            _check_shape(type(self).__name__, name, each)
        start = keras.initializers.Constant(math.log(shape))
        self.log_shapes = self.add_weight(name="log_shapes", shape=(latent_depth,), initializer=start)
        self.built = True

    def derive(self) -> tf.Tensor:
        """Returns the real index of each channel's shape in the table of shapes [latent_depth]."""
        logarithms = tf.convert_to_tensor(self.log_shapes) - math.log(self.shapes.lowest)
        return logarithms * (1 / self.shapes.log_step)

    def log_cdf(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the logarithms of the distribution functions at values [..., latent_depth], at scale one."""
        return log_cdf(values, self.shapes.scale_at(self.derived()))

    def upper_tail(self, value: float) -> float:
        raise NotImplementedError(f"{type(self).__name__} has many shapes. Take the tail of a GeneralizedNormal.")

    def of(self, mean: tf.Tensor, index: tf.Tensor) -> ShapedDistribution:
        return ShapedDistribution(self, tf.convert_to_tensor(mean), tf.convert_to_tensor(index), self.derived())

    @property
    def families(self) -> tuple[GeneralizedNormal, ...]:
        """A likelihood for each shape of the table."""
        # The last digit of a shape at an end of the table may lie outside of what is allowed.
        shapes = np.clip(self.shapes.scales(), LEAST_SHAPE, MOST_SHAPE)
        return tuple(GeneralizedNormal(ScaleTable(*self.scales), float(shape)) for shape in shapes)

    @property
    def num_pmfs(self) -> int:
        return self.shapes.count * self.scales.count

    def pmfs(self) -> Iterator[Pmf]:
        for family in self.families:
            yield from family.pmfs()


class ShapedDistribution(LocationScaleDistribution):
    """Numbers with a mean, a real scale index and a real index of a shape each.

    Args:
      likelihood: The likelihood.
      mean: The means, in the shape of the numbers.
      index: The real scale indexes, likewise.
      shape_index: The real indexes of shapes, likewise, or one for each channel of the whole latent [latent_depth].
    """

    def __init__(
        self, likelihood: GeneralizedNormalPerChannel, mean: tf.Tensor, index: tf.Tensor, shape_index: tf.Tensor
    ):
        super().__init__(likelihood, mean, index)
        self.shape_index = shape_index

    def in_part(self, part: Part, zeros: tf.Tensor) -> ShapedDistribution:
        channels, depth = self.likelihood.channels, zeros.shape[-1]
        if depth != channels:
            raise ValueError(
                f"{type(self.likelihood).__name__}: expected a latent of {channels} channels, as latent_depth states. "
                f"Received: a latent of {depth} channels."
            )
        return ShapedDistribution(self.likelihood, self.offset, self.index, part.take(zeros + self.shape_index))

    def bits(self, centred: tf.Tensor) -> tf.Tensor:
        inputs = tuple(map(tf.convert_to_tensor, (centred, self.index, self.shape_index)))
        specs = tuple(tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in inputs)
        tables = ScaleTable(*self.likelihood.scales), ScaleTable(*self.likelihood.shapes)
        return compiled(_bits, specs, *tables)(*inputs)

    def pmf_index(self) -> tf.Tensor:
        likelihood = self.likelihood
        return likelihood.shapes.row(self.shape_index) * likelihood.scales.count + self.row()

    def as_coded(self) -> ShapedDistribution:
        coded = super().as_coded()
        coded.shape_index = tf.cast(self.likelihood.shapes.row(self.shape_index), "float32")
        return coded

    def _with(self, mean: tf.Tensor, index: tf.Tensor) -> ShapedDistribution:
        return ShapedDistribution(self.likelihood, mean, index, self.shape_index)


def _bits(
    scales: ScaleTable, shapes: ScaleTable, centred: tf.Tensor, index: tf.Tensor, shape_index: tf.Tensor
) -> tf.Tensor:
    shape = shapes.scale_at(shape_index)
    return step_bits(functools.partial(log_cdf, shape=shape), scales.scale_at(index), centred)


def log_cdf(values: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Returns the logarithm of the distribution function of generalized normal distributions of deviation one.

    Args:
      values: The values, float32.
      shape: The shapes, in the shape of the values or broadcastable to it.
    """
    inverse = 1 / shape
    log_ratio = 0.5 * (tf.math.lgamma(3 * inverse) - tf.math.lgamma(inverse))  # Deviation over width.
    log_distance = tf.math.log(tf.maximum(tf.abs(values), _NEAREST)) + log_ratio
    both_tails = _log_upper_gamma(inverse, tf.exp(tf.minimum(shape * log_distance, _LARGEST)))
    return tf.where(values > 0, tf.math.log1p(-0.5 * tf.exp(both_tails)), both_tails - math.log(2))


def _log_upper_gamma(order: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns the logarithm of the regularised upper incomplete gamma function, accurate far out.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.5.31, contracted to its even part.
    """
    near, far = tf.minimum(values, _NEAR), tf.maximum(values, _NEAR)
    fraction = far + (2 * _LEVELS + 1) - order
    for level in range(_LEVELS, 0, -1):
        fraction = far + (2 * level - 1) - order - level * (level - order) / fraction
    tail = order * tf.math.log(far) - far - tf.math.lgamma(order) - tf.math.log(fraction)
    return tf.where(values < _NEAR, tf.math.log(tf.math.igammac(order, near)), tail)


def upper_gamma(order: float, values: np.ndarray) -> np.ndarray:
    """Returns the regularised upper incomplete gamma function of orders to 2, in float64.

    Source: as `_log_upper_gamma`; near zero the series 6.5.29 of the same book.
    """
    near, far = np.minimum(values, 2.0), np.maximum(values, 2.0)
    series, fraction = np.ones_like(near), far + 121 - order
    for term in range(30, 0, -1):
        series = 1 + series * near / (order + term)
    for level in range(60, 0, -1):
        fraction = far + (2 * level - 1) - order - level * (level - order) / fraction
    lower = near**order * np.exp(-near - math.lgamma(order + 1)) * series
    upper = np.exp(order * np.log(far) - far - math.lgamma(order)) / fraction
    return np.where(values < 2, 1 - lower, upper)


def _deviation_over_width(shape: float) -> float:
    return math.exp(0.5 * (math.lgamma(3 / shape) - math.lgamma(1 / shape)))


def _check_shape(owner: str, name: str, shape: float) -> None:
    expected = f"from {LEAST_SHAPE:g} to {MOST_SHAPE:g}"
    check(owner, name, LEAST_SHAPE <= shape <= MOST_SHAPE, expected, shape)
