"""Orders of coding whose number of steps depends on the size of the latent, for `coder.serial`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from lic.entropy.parts import Part
from lic.environment import tf
from lic.errors import check


class Order(NamedTuple):
    """An order in which the positions of a latent are coded, many of them in one step.

    Attributes:
      name: The key of the bits of all positions.
      step_of: Maps rows [height, 1] and columns [1, width], int32 from 0, to the number of the step of each position,
        int32 from 0, a tensor that broadcasts to [height, width].
      training: The latent that `step` sees in training, where all positions are computed at once: "rounded", or with
        "noise".
    """

    name: str
    step_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    training: Literal["rounded", "noise"] = "rounded"

    def steps(self, height: tf.Tensor, width: tf.Tensor) -> Steps:
        """Returns the steps for latents of a height and width."""
        steps = self.step_of(tf.range(height)[:, None], tf.range(width)[None])
        steps = tf.reshape(tf.broadcast_to(steps, (height, width)), [-1])
        places = tf.argsort(steps, stable=True)
        count = tf.reduce_max(steps) + 1
        return Steps(self.name, places, tf.searchsorted(tf.gather(steps, places), tf.range(count + 1)), count)


class Steps(NamedTuple):
    """The steps of an order for latents of one size.

    Attributes:
      name: The key of the bits.
      places: The place of each position in raster order, ordered by steps.
      first: The first of the places of each step, and last the number of all places.
      count: The number of steps.
    """

    name: str
    places: tf.Tensor
    first: tf.Tensor
    count: tf.Tensor

    def part(self, number: tf.Tensor) -> Part:
        """Returns the positions of a step, as one row [batch, 1, count, depth]."""
        places = self.places[self.first[number] : self.first[number + 1]]

        def take(latent: tf.Tensor) -> tf.Tensor:
            flat = tf.reshape(latent, (tf.shape(latent)[0], -1, latent.shape[-1]))
            return tf.gather(flat, places, axis=1)[:, None]

        def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
            shape, depth = tf.shape(latent), latent.shape[-1]
            first = tf.range(shape[0])[:, None] * (shape[1] * shape[2])  # The place of each image in the batch.
            flat = tf.reshape(latent, (-1, depth))
            flat = tf.tensor_scatter_nd_update(
                flat, tf.reshape(first + places, (-1, 1)), tf.reshape(values, (-1, depth))
            )
            return tf.reshape(flat, shape)

        return Part(self.name, take, put, lambda height, width: places)


def wavefronts(kernel_size: int, training: Literal["rounded", "noise"] = "rounded") -> Order:
    """Returns the raster order for a causal kernel, in which positions that do not see each other share a step.

    With a 5x5 kernel the position in row r and column c is coded in step c + 3 r, so that 32x48 positions take 141
    steps in place of 1536.

    Args:
      kernel_size: Height and width of the kernel, which is odd.
      training: As the attribute of `Order`.

    Raises:
      ValueError: `kernel_size` is even or less than 3.
    """
    check("wavefronts", "kernel_size", kernel_size % 2 == 1 and kernel_size >= 3, "odd, and at least 3", kernel_size)
    # The row above is known as far as the kernel reaches to the right.
    lead = kernel_size // 2 + 1
    return Order("latent", lambda row, column: column + lead * row, training)
