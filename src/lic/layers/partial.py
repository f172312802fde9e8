"""The partial convolution, which leaves most channels as they are, and a residual block that begins with one.

Source: Chen et al., Run, Don't Walk: Chasing Higher FLOPS for Faster Neural Networks, CVPR 2023, section 3.2.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential


class PartialConvolution(Layer):
    """A correlation of the first quarter of the channels, with zeros outside; all other channels pass.

    Args:
      filters: Number of channels, of input and output; of fewer than 8, one is convolved.
      kernel_size: Height and width of the kernel.
    """

    def __init__(self, filters: Count, kernel_size: Count = 3, **kwargs):
        super().__init__(**kwargs)
        self.convolved = max(filters // 4, 1)
        self.convolution = Convolution(self.convolved, kernel_size, correlation=True)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return tf.concat([self.convolution(values[..., : self.convolved]), values[..., self.convolved :]], -1)


class PartialBlock(Layer):
    """Adds to its input a 3x3 partial convolution and a perceptron of each position, four times as wide inside.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activation inside the perceptron.
    """

    def __init__(self, filters: Count, activation: str = "leaky_relu_0.01", **kwargs):
        super().__init__(**kwargs)
        perceptron = [Convolution(4 * filters, 1, activation=activation), Convolution(filters, 1)]
        self.branch = Sequential([PartialConvolution(filters), *perceptron])

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return values + self.branch(values)
