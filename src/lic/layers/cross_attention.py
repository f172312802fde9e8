"""Attention inside windows from the positions of one map to those of another."""

from __future__ import annotations

from collections.abc import Sequence

from lic.argument_types import Count
from lic.environment import tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.convolution import Convolution

_OUTSIDE = -1e9  # Added to the score of a position outside the map.


class CrossAttention(Layer):
    """Adds to a 1x1 convolution of a map what each of its positions finds in another map, in windows without shift.

    Source: Li et al., Learned Image Compression with Hierarchical Progressive Context Modeling, ICCV 2025, section 3.3,
    as in their code.

    Args:
      width: Number of channels, of both inputs and of the output.
      window: Height and width of the windows.
      heads: Number of heads, which divides `width`.

    Attributes:
      queries: The 1x1 convolution of the first map that gives queries.
      keys: The 1x1 convolution of the second map that gives keys.
      values: Likewise for values.
      projection: The 1x1 convolution of the first map that is added to what its positions find.

    Raises:
      ValueError: `width` is no multiple of `heads`.
    """

    def __init__(self, width: Count, window: Count = 8, heads: Count = 32, **kwargs):
        super().__init__(**kwargs)
        check("CrossAttention", "width", width % heads == 0, f"a multiple of heads={heads}", width)
        self.width, self.window, self.heads = width, window, heads
        self.queries, self.keys, self.values, self.projection = (Convolution(width, 1) for _ in range(4))

    def call(self, maps: Sequence[tf.Tensor]) -> tf.Tensor:
        """Maps two maps [batch, height, width, channels] to one; positions of the first attend to the second."""
        first, second = maps
        size = tf.shape(first)
        outside = self._in_windows(tf.zeros_like(first[..., :1]), 1, _OUTSIDE)
        queries = self._in_windows(self.queries(first) * (self.width // self.heads) ** -0.5, self.heads)
        keys, values = (self._in_windows(each(second), self.heads) for each in (self.keys, self.values))
        scores = tf.matmul(queries, keys, transpose_b=True) + tf.transpose(outside, (0, 1, 3, 2))
        return self._joined(tf.matmul(tf.nn.softmax(scores), values), size) + self.projection(first)

    def _in_windows(self, values: tf.Tensor, heads: int, outside: float = 0.0) -> tf.Tensor:
        """Cuts a map into windows [count, heads, window ** 2, channels of a head], with `outside` as padding."""
        batch, height, width, _ = tf.unstack(tf.shape(values))
        rows, columns = self._counts(height, width)
        below, right = rows * self.window - height, columns * self.window - width
        values = tf.pad(values, [[0, 0], [0, below], [0, right], [0, 0]], constant_values=outside)
        depth = values.shape[-1] // heads
        split = tf.reshape(values, (batch, rows, self.window, columns, self.window, heads, depth))
        windows = tf.transpose(split, (0, 1, 3, 5, 2, 4, 6))
        return tf.reshape(windows, (batch * rows * columns, heads, self.window**2, depth))

    def _joined(self, windows: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Joins windows to a map of a size, without the padding."""
        batch, height, width, _ = tf.unstack(size)
        rows, columns = self._counts(height, width)
        depth = self.width // self.heads
        split = tf.reshape(windows, (batch, rows, columns, self.heads, self.window, self.window, depth))
        joined = tf.transpose(split, (0, 1, 4, 2, 5, 3, 6))
        return tf.reshape(joined, (batch, rows * self.window, columns * self.window, self.width))[:, :height, :width]

    def _counts(self, height: tf.Tensor, width: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the numbers of windows below and beside each other."""
        # Not -(-size // window): ONNX rounds quotients of negative numbers towards zero.
        return (height + self.window - 1) // self.window, (width + self.window - 1) // self.window
