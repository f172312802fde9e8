"""Networks that give the parameters of distributions."""

from __future__ import annotations

from collections.abc import Iterable

from lic.environment import keras, saving, tf
from lic.layers.convolution import Convolution
from lic.layers.rwkv import ChannelMixBlock
from lic.layers.sequential import Sequential


def convolutions(
    widths: tuple[int, ...], kernel_sizes: tuple[int, ...], activation: str = "relu", **last: object
) -> Sequential:
    """Returns convolutions with an activation between them.

    Args:
      widths: Output channels of each.
      kernel_sizes: Kernel size of each.
      activation: The activation, a name that `lic.layers.Convolution` knows.
      **last: Further arguments of the last convolution.
    """
    *inner, end = zip(widths, kernel_sizes, strict=True)
    hidden = [Convolution(width, size, activation=activation) for width, size in inner]
    return Sequential([*hidden, Convolution(*end, **last)])


def pointwise(widths: tuple[int, ...], **last: object) -> Sequential:
    """Returns 1x1 convolutions with ReLU between them.

    Args:
      widths: Output channels of each.
      **last: Further arguments of the last convolution.
    """
    return convolutions(widths, (1,) * len(widths), **last)


def channel_mixes(widths: tuple[int, ...], **last: object) -> Sequential:
    """Returns channel-mix blocks, one after the other.

    Args:
      widths: Output channels of each.
      **last: Further arguments of the last block.
    """
    *inner, end = widths
    return Sequential([*map(ChannelMixBlock, inner), ChannelMixBlock(end, **last)])


@saving.register_keras_serializable(package="lic")
class StartAt(keras.initializers.Initializer):
    """Starts a bias at given numbers, one for each channel, such as those of `Likelihood.start`.

    Args:
      values: The numbers [channels].
    """

    def __init__(self, values: Iterable[float]):
        self.values = [float(value) for value in values]

    def __call__(self, shape: tuple, dtype: str | None = None) -> tf.Tensor:
        return tf.reshape(tf.constant(self.values, dtype or "float32"), shape)

    def get_config(self) -> dict:
        return {"values": self.values}
