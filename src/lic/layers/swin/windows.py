"""Windows over a grid of tokens, shifted or not, inside which attention works."""

from __future__ import annotations

from lic.environment import tf
from lic.layers.tracing import is_plain


class Windows:
    """Square windows over grids of any height and width.

    The grid is padded to whole windows, and with a shift rolled up and to the left by it. Then windows at the lower and
    right end hold tokens that are not neighbours, and padding: attention must keep these regions apart. These windows
    come last, unless graphs are plain, so that chunks of the others need no mask.

    Source: Liu et al., ICCV 2021, section 3.2.

    Args:
      shape: Batch, height and width of the grids, as a tensor.
      window: Height and width of a window.
      shift: How far windows are shifted down and to the right.
    """

    def __init__(self, shape: tf.Tensor, window: int, shift: int):
        self.window, self.shift = window, shift
        self._batch, self._height, self._width = tf.unstack(shape)
        # Not -(-size // window): ONNX rounds quotients of negative numbers towards zero.
        self._rows, self._columns = ((size + window - 1) // window for size in (self._height, self._width))

    def partition(self, grid: tf.Tensor) -> tf.Tensor:
        """Cuts integers [batch, height, width] into windows [count, window * window], with zeros as padding."""
        down, right = self._rows * self.window - self._height, self._columns * self.window - self._width
        return self._cut(tf.pad(grid, [[0, 0], [0, down], [0, right]]))

    def places(self) -> tf.Tensor:
        """Returns the index of each position [batch, height, width] in the flattened windows."""
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

    def regions(self, sees_padding: bool = False) -> tf.Tensor:
        """Returns the region of each token [count, window * window]: attention keeps different regions apart.

        Regions 0 to 3 are the parts of the rolled grid that are neighbours in the image; region 4 is padding.

        Args:
          sees_padding: Whether padding belongs to the region in which it lies; its tokens have -1 - region then.
        """
        rows, columns = (tf.range(count * self.window) for count in (self._rows, self._columns))
        wrapped = tf.cast(rows < self.shift, "int32")[:, None] + 2 * tf.cast(columns < self.shift, "int32")
        inside = (rows < self._height)[:, None] & (columns < self._width)
        regions = tf.where(inside, wrapped, -1 - wrapped if sees_padding else 4)
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


def arrange(window: int, shift: int, sees_padding: bool, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Arranges tokens in windows.

    Args:
      window: Height and width of the windows.
      shift: How far the windows are shifted.
      sees_padding: As in `Windows.regions`.
      places: The row of the token at each position [batch, height, width].

    Returns:
      The row of each token of the windows [windows, window * window], its region in the same shape, and the row of the
      token at each position once tokens are in the order of the windows.
    """
    windows = Windows(tf.shape(places), window, shift)
    return windows.partition(places), windows.regions(sees_padding), windows.places()
