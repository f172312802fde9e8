"""Tensors that are made one after the other, also within a loop of TensorFlow, and joined at the end."""

from __future__ import annotations

from lic.environment import tf


class Pieces:
    """One-dimensional tensors in the order in which they are added.

    A tensor that is made within a loop cannot leave it, but for the loop's own variables. So between `begin_loop` and
    `end_loop` pieces are in `array`, which is such a variable.

    Args:
      dtype: The type of all pieces.
    """

    def __init__(self, dtype: tf.DType):
        self._dtype, self._pieces, self.array = dtype, [tf.zeros([0], dtype)], None

    def add(self, piece: tf.Tensor) -> None:
        """Adds a tensor of any shape, flattened."""
        if not (tf.is_tensor(piece) and piece.shape.rank == 1):  # Each operation of a graph takes time to be made.
            piece = tf.reshape(piece, [-1])
        if self.array is None:
            self._pieces.append(piece)
        else:
            self.array = self.array.write(self.array.size(), piece)

    def begin_loop(self) -> None:
        """Makes `array`, for pieces of a loop that begins."""
        array = tf.TensorArray(self._dtype, 1, dynamic_size=True, infer_shape=False, element_shape=[None])
        self.array = array.write(0, tf.zeros([0], self._dtype))  # TensorFlow cannot join an array without pieces.

    def end_loop(self) -> None:
        """Takes over the pieces of the loop that ends."""
        array, self.array = self.array, None
        self.add(array.concat())

    def joined(self) -> tf.Tensor:
        """Returns all pieces as one tensor."""
        return tf.concat(self._pieces, 0)
