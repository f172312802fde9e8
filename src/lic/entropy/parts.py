"""Parts of a latent. A coder codes a part at once; a part is a pair of functions, take and put."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lic.environment import tf

SIDE = "side"  # The key of the bits of the side information, which is no part of the latent.


class Part(NamedTuple):
    """Some of the numbers of a latent.

    All parts that a walk codes must partition the latent, at any height and width; a part may be empty.

    Attributes:
      name: The key of the part's bits in the result of a model.
      take: Maps a latent [batch, height, width, depth] to the part's numbers, a tensor of rank 4 too.
      put: Maps a latent and the part's numbers to the latent with those numbers in it.
    """

    name: str
    take: Callable[[tf.Tensor], tf.Tensor]
    put: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


EVERYTHING = Part("latent", lambda latent: latent, lambda latent, values: values)


def channels(start: int, stop: int) -> Part:
    """Returns the part that holds channels `start` to `stop` (not included).

    Raises:
      ValueError: `start` is below 0, or above `stop`.
    """
    if not 0 <= start <= stop:
        raise ValueError(f"channels: expected 0 <= start <= stop. Received: start={start!r}, stop={stop!r}.")

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return tf.concat([latent[..., :start], values, latent[..., stop:]], -1)

    return Part(f"channels {start}-{stop - 1}", lambda latent: latent[..., start:stop], put)


def anchors() -> Part:
    """Returns the positions with an odd sum of row and column, as one row [batch, 1, count, depth] in raster order."""
    return _positions("anchors", 1)


def non_anchors() -> Part:
    """Returns the positions that are no anchors, as one row [batch, 1, count, depth] in raster order."""
    return _positions("non-anchors", 0)


def within(outer: Part, inner: Part) -> Part:
    """Returns the part of `outer` that `inner` takes from it, such as the anchors of some channels."""

    def take(latent: tf.Tensor) -> tf.Tensor:
        return inner.take(outer.take(latent))

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return outer.put(latent, inner.put(outer.take(latent), values))

    return Part(f"{outer.name} {inner.name}", take, put)


def checkerboard(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Returns the parity [height * width] of row plus column: 1 at anchors."""
    return tf.reshape((tf.range(height)[:, None] + tf.range(width)) % 2, [-1])


def _positions(name: str, parity: int) -> Part:
    def take(latent: tf.Tensor) -> tf.Tensor:
        batch, height, width, depth = _shape(latent)
        positions = tf.where(checkerboard(height, width) == parity)[:, 0]
        taken = tf.gather(tf.reshape(latent, (batch, height * width, depth)), positions, axis=1)
        return taken[:, None]

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        batch, height, width, depth = _shape(latent)
        inside = checkerboard(height, width) == parity
        # Position k of the part is row k + 1 of the padded values, so that an empty part can be gathered from too.
        padded = tf.pad(values[:, 0], [[0, 0], [1, 0], [0, 0]])
        order = tf.cast(inside, "int32") * tf.cumsum(tf.cast(inside, "int32"))
        spread = tf.gather(padded, order, axis=1)
        flat = tf.where(inside[:, None], spread, tf.reshape(latent, (batch, height * width, depth)))
        return tf.reshape(flat, (batch, height, width, depth))

    return Part(name, take, put)


def _shape(latent: tf.Tensor) -> tuple:
    """Returns batch, height and width as tensors, since a graph serves every size, and the depth as a number."""
    return (*tf.unstack(tf.shape(latent)[:3]), latent.shape[-1])
