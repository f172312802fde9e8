"""Blocks of positions turned into channels, and back.

With large blocks of few channels, `tf.nn.space_to_depth` takes three times as long. `einops.rearrange` keeps the shape
of each tensor in a cache, and with a symbolic shape the whole graph: codecs that are not used any more would stay in
memory.
"""

from __future__ import annotations

from lic.environment import tf


def space_to_depth(values: tf.Tensor, size: int) -> tf.Tensor:
    """Turns each block of positions into the channels of one position, in the order row, column, channel.

    Args:
      values: Values [batch, size * height, size * width, channels].
      size: Height and width of a block.

    Returns:
      Values [batch, height, width, size * size * channels].
    """
    batch, height, width, depth = (*tf.unstack(tf.shape(values))[:3], values.shape[-1])
    blocks = tf.reshape(values, (batch, height // size, size, width // size, size, depth))
    return tf.reshape(tf.transpose(blocks, (0, 1, 3, 2, 4, 5)), (batch, height // size, width // size, size**2 * depth))


def depth_to_space(values: tf.Tensor, size: int) -> tf.Tensor:
    """Turns the channels of each position into a block of positions; the inverse of `space_to_depth`.

    Args:
      values: Values [batch, height, width, size * size * channels].
      size: Height and width of a block.

    Returns:
      Values [batch, size * height, size * width, channels].
    """
    batch, height, width, depth = (*tf.unstack(tf.shape(values))[:3], values.shape[-1] // size**2)
    blocks = tf.transpose(tf.reshape(values, (batch, height, width, size, size, depth)), (0, 1, 3, 2, 4, 5))
    return tf.reshape(blocks, (batch, height * size, width * size, depth))
