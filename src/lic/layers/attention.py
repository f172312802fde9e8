"""The attention block, which multiplies features by a mask that convolutions compute from them.

Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
Attention Modules, CVPR 2020, figure 5, without its non-local block.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import tf
from lic.layers.base import Layer
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential


class AttentionBlock(Layer):
    """Adds to its input features of it, each multiplied by a number from 0 to 1.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activations.

    Attributes:
      features: Three bottleneck blocks.
      mask: Three bottleneck blocks and a 1x1 convolution, whose sigmoid multiplies the features.
    """

    def __init__(self, filters: Count, activation: str = "relu", **kwargs):
        super().__init__(**kwargs)
        blocks = [BottleneckBlock(filters, activation, last_activation=activation) for _ in range(6)]
        self.features, self.mask = Sequential(blocks[:3]), Sequential([*blocks[3:], Convolution(filters, 1)])

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return self.features(values) * tf.sigmoid(self.mask(values)) + values
