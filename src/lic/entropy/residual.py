"""Latent residual prediction: the rounding error, predicted from decoded numbers (Minnen and Singh, ICIP 2020)."""

from __future__ import annotations

from lic.argument_types import Count
from lic.entropy.parameters import convolutions
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.tracing import Interceptable


class HalfTanh(Interceptable, Layer):
    """Half of the hyperbolic tangent: between -1/2 and 1/2."""

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns tanh(values) / 2."""
        return 0.5 * tf.tanh(values)


class LatentResidualPrediction(Layer):
    """Predicts the rounding error, between -1/2 and 1/2, from a support.

    Args:
      depth: Channels of the prediction.
      widths: Channels of the inner layers.
      kernel_sizes: Kernel sizes of all layers.
      activation: Name of the activation between layers.
    """

    def __init__(
        self,
        depth: Count,
        widths: tuple[Count, ...] = (224, 128),
        kernel_sizes: tuple[Count, ...] = (5, 5, 3),
        activation: str = "relu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network, self.bounded = convolutions((*widths, depth), kernel_sizes, activation), HalfTanh()

    def call(self, support: tf.Tensor) -> tf.Tensor:
        """Returns the error to add to the rounded latent, for a support [batch, height, width, channels]."""
        return self.bounded(self.network(support))
