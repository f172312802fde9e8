"""The mixed block: half of the channels go through a residual block, the other half through a Swin block.

Source: Liu, Sun, Katto, Learned Image Compression with Mixed Transformer-CNN Architectures, CVPR 2023, figure 3.
"""

from __future__ import annotations

import math

from lic.argument_types import Count, WindowSize
from lic.environment import keras, tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.residual import ResidualBlock
from lic.layers.swin.block import SwinBlock


class MixedBlock(Layer):
    """Adds to its input a residual block of one half of the channels and a Swin block of the other, between two mixes.

    Args:
      filters: Number of channels, of input and output; an even number.
      window: Height and width of the windows of the Swin block.
      shift: How far its windows are shifted.
      head_dim: Channels of each of its heads, which divides half of `filters`.
      activation: Name of the activations of the residual block.

    Attributes:
      entrance: The 1x1 convolution before both halves.
      convolutions: The residual block, to which its input is added once more, as in the published code.
      swin: The Swin block.
      exit: The 1x1 convolution after both halves.

    Raises:
      ValueError: `filters` is odd.
    """

    def __init__(
        self,
        filters: Count,
        window: WindowSize = 8,
        shift: int = 0,
        head_dim: Count = 32,
        activation: str = "leaky_relu_0.01",
        **kwargs,
    ):
        super().__init__(**kwargs)
        check("MixedBlock", "filters", filters % 2 == 0, "an even number", filters)
        # The first half doubles its input. Small kernels start the block near the identity, so that numbers stay small
        # through many blocks.
        small = keras.initializers.VarianceScaling(scale=0.01)
        self.entrance, self.exit = Convolution(filters, 1), Convolution(filters, 1, kernel_initializer=small)
        self.convolutions = ResidualBlock(filters // 2, activation)
        self.swin = SwinBlock(filters // 2, window, shift, head_dim)

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        first, second = tf.split(self.entrance(values), 2, -1)
        halves = [self.convolutions(first) + first, tf.cast(self.swin(second), first.dtype)]
        return values + self.exit(tf.concat(halves, -1))


def alternating(filters: Count, count: Count, window: WindowSize, head_dim: Count) -> list[MixedBlock]:
    """Returns mixed blocks, the windows of every second one shifted by half of their size.

    Args:
      filters: Number of channels.
      count: Number of blocks.
      window: Height and width of the windows.
      head_dim: Channels of each head, or the largest divisor that it shares with half of the channels.
    """
    head_dim = math.gcd(filters // 2, head_dim)
    return [MixedBlock(filters, window, number % 2 * (window // 2), head_dim) for number in range(count)]
