"""The attention block, which multiplies features by a mask that convolutions compute from them.

Source: Cheng, Sun, Takeuchi, Katto, Learned Image Compression with Discretized Gaussian Mixture Likelihoods and
Attention Modules, CVPR 2020, figure 5, without its non-local block; with windows Zou, Song, Zhang, The Devil Is in the
Details: Window-based Attention for Image Compression, CVPR 2022, figure 3; at another width Liu, Sun, Katto, Learned
Image Compression with Mixed Transformer-CNN Architectures, CVPR 2023, figure 5.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.bottleneck import BottleneckBlock
from lic.layers.convolution import Convolution
from lic.layers.sequential import Sequential


class AttentionBlock(Layer):
    """Adds to its input features of it, each multiplied by a number from 0 to 1.

    Args:
      filters: Number of channels, of input and output.
      activation: Name of the activations.
      before: The layer through which the mask sees the input, such as attention in windows, or None.
      width: Channels inside, between two 1x1 convolutions; None for `filters` without such convolutions.

    Attributes:
      features: Three bottleneck blocks.
      mask: Three bottleneck blocks and a 1x1 convolution, whose sigmoid multiplies the features.
    """

    def __init__(
        self,
        filters: Count,
        activation: str = "relu",
        before: keras.layers.Layer | None = None,
        width: Count | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        inside, self.before = width or filters, before
        self.entrance, self.exit = (Convolution(inside, 1), Convolution(filters, 1)) if width else (None, None)
        blocks = [BottleneckBlock(inside, activation, last_activation=activation) for _ in range(6)]
        self.features, self.mask = Sequential(blocks[:3]), Sequential([*blocks[3:], Convolution(inside, 1)])

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        values = self.entrance(values) if self.entrance else values
        seen = tf.cast(self.before(values), values.dtype) if self.before else values
        values = self.features(values) * tf.sigmoid(self.mask(seen)) + values
        return self.exit(values) if self.exit else values
