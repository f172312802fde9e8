"""The sub-pixel convolution, which enlarges height and width without a transposed kernel."""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.blocks import depth_to_space
from lic.layers.convolution import Convolution


class SubpixelConvolution(Layer):
    """A convolution to `up` squared times the channels, which become blocks of `up` x `up` positions.

    Source: Shi et al., Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network, CVPR 2016, section 3.2.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel.
      up: Factor by which the output is higher and wider than the input.
      activation: Name of the activation, or None.
      full_precision: As in `Convolution`.

    Attributes:
      convolution: The convolution, whose channels are in the order of row, column and channel in a block.
    """

    def __init__(
        self,
        filters: Count,
        kernel_size: Count = 3,
        up: Count = 2,
        activation: str | None = None,
        full_precision: bool = False,
        **kwargs,
    ):
        super().__init__(**{"autocast": not full_precision} | kwargs)
        self.up, options = up, {"activation": activation, "full_precision": full_precision}
        self.convolution = Convolution(up * up * filters, kernel_size, correlation=True, **options)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to [batch, up * height, up * width, filters]."""
        return depth_to_space(self.convolution(values), self.up)
