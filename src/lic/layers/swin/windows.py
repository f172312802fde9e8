"""The windows that attention looks through."""

from __future__ import annotations

from lic.environment import tf
from lic.layers.chunks import is_plain


class Windows:
    """Square windows over grids of any height and width, those along the lower and right end last unless plain.

    The grid is padded to whole windows and, where there is a shift, rolled up and to the left by it. Windows along the
    ends then hold tokens that are no neighbours, and tokens that are none at all: attention must keep them apart.

    Source: Liu et al., ICCV 2021, section 3.2.

    Args:
      shape: Batch, height and width of the grids, as a tensor.
      window: Height and width of a window.
      shift: How far windows are shifted down and to the right.
    """

    def __init__(self, shape: tf.Tensor, window: int, shift: int):
        self.window, self.shift = window, shift
        self._batch, self._height, self._width = tf.unstack(shape)
        # Not by negative numbers, whose quotients other formats round to zero.
        self._rows, self._columns = ((size + window - 1) // window for size in (self._height, self._width))

    def partition(self, grid: tf.Tensor) -> tf.Tensor:
        """Cuts integers [batch, height, width] into windows [count, window * window]; zeros stand for padding."""
        down, right = self._rows * self.window - self._height, self._columns * self.window - self._width
        return self._cut(tf.pad(grid, [[0, 0], [0, down], [0, right]]))

    def places(self) -> tf.Tensor:
        """Returns the place [batch, height, width] of each position in the flattened windows."""
        size = self.window**2
        if is_plain():
            return self._join(tf.range(self._batch * self._rows * self._columns * size))
        ends = self._batch * self._columns, self._batch * (self._rows - 1)
        inner = self._batch * self._rows * self._columns - sum(ends)
        numbers = tf.reshape(tf.range((inner + sum(ends)) * size), (-1, size))
        inside, lower, right = tf.split(numbers, (inner, *ends))
        inside = tf.reshape(inside, (self._batch, self._rows - 1, self._columns - 1, size))
        right = tf.reshape(right, (self._batch, self._rows - 1, 1, size))
        lower = tf.reshape(lower, (self._batch, 1, self._columns, size))
        return self._join(tf.concat([tf.concat([inside, right], 2), lower], 1))

    def regions(self) -> tf.Tensor:
        """Returns a number for each token [count, window * window]; tokens of different numbers are kept apart."""
        rows, columns = (tf.range(count * self.window) for count in (self._rows, self._columns))
        wrapped = tf.cast(rows < self.shift, "int32")[:, None] + 2 * tf.cast(columns < self.shift, "int32")
        inside = (rows < self._height)[:, None] & (columns < self._width)
        regions = tf.where(inside, wrapped, 4)
        return self._cut(tf.tile(regions[None], (self._batch, 1, 1)))

    def _cut(self, padded: tf.Tensor) -> tf.Tensor:
        rolled = tf.roll(padded, (-self.shift, -self.shift), (1, 2)) if self.shift else padded
        shape = (self._batch, self._rows, self.window, self._columns, self.window)
        windows = tf.transpose(tf.reshape(rolled, shape), (0, 1, 3, 2, 4))
        if is_plain():
            return tf.reshape(windows, (-1, self.window**2))
        windows = tf.reshape(windows, (self._batch, self._rows, self._columns, self.window**2))
        parts = (windows[:, :-1, :-1], windows[:, -1], windows[:, :-1, -1])
        return tf.concat([tf.reshape(part, (-1, self.window**2)) for part in parts], 0)

    def _join(self, windows: tf.Tensor) -> tf.Tensor:
        shape = (self._batch, self._rows, self._columns, self.window, self.window)
        joined = tf.transpose(tf.reshape(windows, shape), (0, 1, 3, 2, 4))
        joined = tf.reshape(joined, (self._batch, self._rows * self.window, self._columns * self.window))
        unrolled = tf.roll(joined, (self.shift, self.shift), (1, 2)) if self.shift else joined
        return unrolled[:, : self._height, : self._width]


def arrange(window: int, shift: int, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns which token is where in windows, and which region it is in, and then the places of tokens in that order.

    Args:
      window: Height and width of the windows.
      shift: How far they are shifted.
      places: The row of the token at each position [batch, height, width].
    """
    windows = Windows(tf.shape(places), window, shift)
    return windows.partition(places), windows.regions(), windows.places()
