"""The attention block, which multiplies features by a mask that convolutions compute from them.

Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
Attention Modules, CVPR 2020, figure 5, without its non-local block; with windows Zou, Song, Zhang, The Devil Is in the
Details: Window-based Attention for Image Compression, CVPR 2022, figure 3.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential
from lic.layers.swin.attention import WindowAttention


class AttentionBlock(Layer):
    """Adds to its input features of it, each multiplied by a number from 0 to 1.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activations.
      window: Height and width of the windows in which positions attend to each other before the mask is computed, or
        None. The windows are shifted by half of their size.
      heads: Number of heads of that attention, which divides `filters`.

    Attributes:
      windows: The attention inside windows, or None.
      features: Three bottleneck blocks.
      mask: Three bottleneck blocks and a 1x1 convolution, whose sigmoid multiplies the features.
    """

    def __init__(
        self, filters: Count, activation: str = "relu", window: Count | None = None, heads: Count = 8, **kwargs
    ):
        super().__init__(**kwargs)
        self.windows = WindowAttention(filters, window, window // 2, filters // heads) if window else None
        blocks = [BottleneckBlock(filters, activation, last_activation=activation) for _ in range(6)]
        self.features, self.mask = Sequential(blocks[:3]), Sequential([*blocks[3:], Convolution(filters, 1)])

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        seen = values + tf.cast(self.windows(values), values.dtype) if self.windows else values
        return self.features(values) * tf.sigmoid(self.mask(seen)) + values
