"""The bottleneck block: a residual block whose 3x3 convolution has half of the channels.

Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, figure 5.
"""

from __future__ import annotations

from typing import Annotated

from lic.argument_types import Bounds
from lic.environment import tf
from lic.layers import activations
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential


class BottleneckBlock(Layer):
    """Adds to its input a 1x1 convolution to half of the channels, a 3x3 one, and a 1x1 one back.

    Args:
      filters: Number of channels, of input and output, at least 2.
      activation: Name of the activation after the first two convolutions.
      last_activation: Name of the activation of the sum, or None.
    """

    def __init__(
        self,
        filters: Annotated[int, Bounds(2)],
        activation: str = "relu",
        last_activation: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        half = filters // 2
        self.convolutions = Sequential(
            [
                Convolution(half, 1, activation=activation),
                Convolution(half, 3, correlation=True, activation=activation),
                Convolution(filters, 1),
            ]
        )
        self.last_activation = activations.get(last_activation)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return self.last_activation(self.convolutions(values) + values)
