"""Attention inside windows from the positions of one map to those of another."""

from __future__ import annotations

from collections.abc import Sequence

from lic.argument_types import Count, WindowSize
from lic.environment import tf
from lic.errors import check
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.swin.tokens import Tokens
from lic.layers.swin.windows import arrange

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

    def __init__(self, width: Count, window: WindowSize = 8, heads: Count = 32, **kwargs):
        super().__init__(**kwargs)
        check("CrossAttention", "width", width % heads == 0, f"a multiple of heads={heads}", width)
        self.width, self.window, self.heads = width, window, heads
        self.queries, self.keys, self.values, self.projection = (Convolution(width, 1) for _ in range(4))

    def call(self, maps: Sequence[tf.Tensor]) -> tf.Tensor:
        """Maps two maps [batch, height, width, channels] to one; positions of the first attend to the second."""
        first, second = maps
        order, regions, places = arrange(self.window, 0, False, Tokens.of(first).places)
        queries = self.queries(first) * (self.width // self.heads) ** -0.5
        maps = (queries, self.keys(second), self.values(second))
        queries, keys, values = (self._in_windows(each, order) for each in maps)
        outside = tf.cast(regions != regions[:, :1], first.dtype)[:, None, None] * _OUTSIDE
        seen = tf.matmul(tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True) + outside), values)
        rows = tf.reshape(tf.transpose(seen, (0, 2, 1, 3)), (-1, self.width))
        return Tokens(rows, places).grid() + self.projection(first)

    def _in_windows(self, values: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        """Returns a map in windows [count, heads, window ** 2, channels of a head]."""
        rows = tf.gather(Tokens.of(values).rows, order)
        split = tf.reshape(rows, (-1, self.window**2, self.heads, self.width // self.heads))
        return tf.transpose(split, (0, 2, 1, 3))
