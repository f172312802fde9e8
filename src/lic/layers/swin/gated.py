"""Swin blocks whose perceptron has a gate with a depthwise convolution, and whose additions have learnt weights.

Source: Lu, Zhang, Zhao, Wang, Gu, Learned Image Compression with Dictionary-based Entropy Model, CVPR 2025, section 3.2
and its code.
"""

from __future__ import annotations

from lic.argument_types import Count, WindowSize
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.depthwise import DepthwiseConvolution
from lic.layers.sequential import ChannelScale
from lic.layers.swin.attention import WindowAttention


class GatedPerceptron(Layer):
    """A perceptron of each position, one half of whose inner channels gates the other after a 3x3 convolution.

    Args:
      width: Number of channels, of input and output; twice as many are inside each half.
    """

    def __init__(self, width: Count, **kwargs):
        super().__init__(**kwargs)
        self.expansion, self.contraction = Convolution(4 * width, 1), Convolution(width, 1)
        self.gate = DepthwiseConvolution(3, activation="gelu")

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to as many."""
        gate, inner = tf.split(self.expansion(values), 2, -1)
        return self.contraction(self.gate(gate) * inner)


class GatedSwinBlock(Layer):
    """Attention inside windows and a gated perceptron, each after a layer norm, and each beside its scaled input.

    Args:
      width: Number of channels.
      window: Height and width of the windows.
      shift: How far windows are shifted, less than `window`.
      head_dim: Channels of each head, which divides `width`.

    Raises:
      ValueError: `head_dim` does not divide `width`, or `shift` is not less than `window`.
    """

    def __init__(self, width: Count, window: WindowSize = 8, shift: int = 0, head_dim: Count = 32, **kwargs):
        super().__init__(**kwargs)
        self.first_norm, self.second_norm = (keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
        self.first_scale, self.second_scale = ChannelScale(), ChannelScale()
        self.attention = WindowAttention(width, window, shift, head_dim)
        self.perceptron = GatedPerceptron(width)

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to as many."""
        seen = tf.cast(self.attention(self.first_norm(values)), values.dtype)
        values = self.first_scale(values) + seen
        return self.second_scale(values) + self.perceptron(self.second_norm(values))


class GatedSwinStage(Layer):
    """Gated Swin blocks, every other one with shifted windows, and a 3x3 convolution, to which the input is added.

    Args:
      width: Number of channels.
      depth: Number of blocks.
      window: Height and width of the windows.
      head_dim: Channels of each head, which divides `width`.
    """

    def __init__(self, width: Count, depth: Count, window: WindowSize = 8, head_dim: Count = 32, **kwargs):
        super().__init__(**kwargs)
        shifts = [number % 2 * (window // 2) for number in range(depth)]
        self.blocks = [GatedSwinBlock(width, window, shift, head_dim) for shift in shifts]
        self.convolution = Convolution(width, 3, correlation=True)

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to as many."""
        result = values
        for block in self.blocks:
            result = block(result)
        return self.convolution(result) + values
