"""The depthwise convolution, with a kernel of its own for each channel, and a residual block that begins with one."""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import keras, tf
from lic.errors import check
from lic.layers import activations
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential


class DepthwiseConvolution(Layer):
    """A correlation of each channel with a kernel of its own, with zeros outside.

    Args:
      kernel_size: Height and width of the kernels, odd.
      bias: Whether a bias is added.
      activation: Name of the activation, or None.

    Raises:
      ValueError: `kernel_size` is even.
    """

    def __init__(self, kernel_size: Count, bias: bool = True, activation: str | None = None, **kwargs):
        super().__init__(**kwargs)
        check("DepthwiseConvolution", "kernel_size", kernel_size % 2 == 1, "odd", kernel_size)
        self.kernel_size, self.use_bias, self.activation = kernel_size, bias, activations.get(activation)

    def build(self, input_shape: tuple):
        channels, start = input_shape[-1], keras.initializers.VarianceScaling(scale=1.0)
        shape = (self.kernel_size, self.kernel_size, channels, 1)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=start)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")
        super().build(input_shape)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Convolves values [batch, height, width, channels]."""
        kernel = tf.cast(self.kernel, values.dtype)
        values = tf.nn.depthwise_conv2d(values, kernel, (1, 1, 1, 1), "SAME")
        if self.use_bias:
            values = tf.nn.bias_add(values, tf.cast(self.bias, values.dtype))
        return self.activation(values)


class DepthwiseBlock(Layer):
    """Adds to its input a 3x3 depthwise convolution and a perceptron of each position, twice as wide inside.

    Source: Li et al., ICCV 2025, as in their code.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activation inside the perceptron.
    """

    def __init__(self, filters: Count, activation: str = "leaky_relu_0.01", **kwargs):
        super().__init__(**kwargs)
        perceptron = [Convolution(2 * filters, 1, activation=activation), Convolution(filters, 1)]
        self.branch = Sequential([DepthwiseConvolution(3), *perceptron])

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return values + self.branch(values)
