"""Generalised divisive normalisation (GDN)."""

from __future__ import annotations

import math

from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.bounds import lower_bound
from lic.layers.tracing import HasDerivedWeights

# The weights are square roots of the parameters, moved a little off zero so that their gradients do not vanish.
_OFFSET = 2.0**-36
_LEAST_BETA = 1e-6


class GDN(HasDerivedWeights, Layer):
    """Divides each channel by a learnt mix of all channels at the same position.

    Without `square_root` it computes `x / (beta + |x| gamma)`, the form of tensorflow-compression 2 and of published
    models built on it; with `square_root` it computes `x / sqrt(beta + x^2 gamma)`, the form of the paper.

    Source: Balle, Laparra, Simoncelli, ICLR 2016, section 2.1; the form without a root as in Johnston et al.,
    Computationally Efficient Neural Image Compression, 2019.

    Args:
      inverse: Whether it multiplies in place of dividing, as in synthesis transforms.
      square_root: Whether it takes squares and a root.
      gamma_init: Initial value of gamma's diagonal, at least 0.

    Raises:
      ValueError: `gamma_init` is below 0 or not finite.
    """

    def __init__(self, inverse: bool = False, square_root: bool = False, gamma_init: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        check(type(self).__name__, "gamma_init", 0 <= gamma_init < math.inf, "at least 0 and finite", gamma_init)
        self.inverse, self.square_root, self.gamma_init = inverse, square_root, gamma_init
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: tuple):
        channels = input_shape[-1]
        self.reparam_beta = self.add_weight(
            name="reparam_beta",
            shape=(channels,),
            initializer=keras.initializers.Constant((1 + _OFFSET) ** 0.5),
        )
        self.reparam_gamma = self.add_weight(
            name="reparam_gamma", shape=(channels, channels), initializer=self._diagonal
        )
        super().build(input_shape)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Normalises values [batch, height, width, channels]."""
        beta, gamma = (tf.cast(parameter, values.dtype) for parameter in self.derived())
        magnitudes = values * values if self.square_root else tf.abs(values)
        norm = tf.nn.conv2d(magnitudes, gamma[None, None], 1, "VALID") + beta
        norm = tf.sqrt(norm) if self.square_root else norm
        return values * norm if self.inverse else values / norm

    def derive(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns beta [channels] and gamma [inputs, outputs]."""
        beta, gamma = _parameter(self.reparam_beta, _LEAST_BETA), _parameter(self.reparam_gamma, 0.0)
        return tf.cast(beta, self.compute_dtype), tf.cast(gamma, self.compute_dtype)

    def _diagonal(self, shape: tuple, dtype: str | None = None) -> tf.Tensor:
        return tf.sqrt(self.gamma_init * tf.eye(*shape, dtype=dtype or "float32") + _OFFSET)


def _parameter(stored: tf.Tensor, least: float) -> tf.Tensor:
    """Returns the parameter, at least `least`, from the weight that is its square root."""
    stored = tf.cast(tf.convert_to_tensor(stored), "float32")
    return lower_bound(stored, (least + _OFFSET) ** 0.5) ** 2 - _OFFSET
