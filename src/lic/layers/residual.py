"""Residual blocks of two 3x3 convolutions, which keep, halve or double height and width.

Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
Attention Modules, CVPR 2020, figure 4; details as in CompressAI.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.gdn import GDN
from lic.layers.subpixel import SubpixelConvolution


class ResidualBlock(Layer):
    """Adds to its input two convolutions of it, with an activation after each.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activations.
    """

    def __init__(self, filters: Count, activation: str = "leaky_relu_0.01", **kwargs):
        super().__init__(**kwargs)
        convolution = {"correlation": True, "activation": activation}
        self.first, self.second = (Convolution(filters, 3, **convolution) for _ in range(2))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return self.second(self.first(values)) + values


class ResidualDown(Layer):
    """Halves height and width: adds a convolution with stride 2, one more and GDN to a 1x1 convolution with stride 2.

    Args:
      filters: Number of output channels.
      activation: Name of the activation between the convolutions.
    """

    def __init__(self, filters: Count, activation: str = "leaky_relu_0.01", **kwargs):
        super().__init__(**kwargs)
        self.first = Convolution(filters, 3, down=2, activation=activation)
        self.second = Convolution(filters, 3, correlation=True)
        self.gdn = GDN(square_root=True)
        self.skip = Convolution(filters, 1, down=2)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to [batch, ceil(height / 2), ceil(width / 2), filters]."""
        return self.gdn(self.second(self.first(values))) + self.skip(values)


class ResidualUp(Layer):
    """Doubles height and width: adds a sub-pixel convolution, a convolution and inverse GDN to a sub-pixel convolution.

    Args:
      filters: Number of output channels.
      activation: Name of the activation after the first convolution.
    """

    def __init__(self, filters: Count, activation: str = "leaky_relu_0.01", **kwargs):
        super().__init__(**kwargs)
        self.first, self.skip = SubpixelConvolution(filters, activation=activation), SubpixelConvolution(filters)
        self.second = Convolution(filters, 3, correlation=True)
        self.gdn = GDN(inverse=True, square_root=True)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to [batch, 2 * height, 2 * width, filters]."""
        return self.gdn(self.second(self.first(values))) + self.skip(values)
