"""Parts of a latent. A coder codes a part at once; a part is a pair of functions, take and put."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from lic.environment import tf
from lic.errors import check
from lic.layers.tracing import is_plain, outside_xla, refuse_xla

if TYPE_CHECKING:
    from lic.entropy.orders import Order

SIDE = "side"  # The key of the bits of the side information, which is no part of the latent.

Mask = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Part(NamedTuple):
    """Some of the numbers of a latent.

    All parts that a walk codes must partition the latent, at any height and width; a part may be empty.

    Attributes:
      name: The key of the part's bits in the result of a model.
      take: Maps a latent [batch, height, width, depth] to the part's numbers, a tensor of rank 4 too.
      put: Maps a latent and the part's numbers to the latent with those numbers in it.
      places: Where the part is a row of positions with all their channels: the place [count] of each in raster order,
        for a latent of a height and width; else None.
      order: Where the part is everything, coded by `coder.serial`: the order of its positions; else None.
    """

    name: str
    take: Callable[[tf.Tensor], tf.Tensor]
    put: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    places: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None
    order: Order | None = None


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


def runs_of(depth: int, count: int) -> list[int]:
    """Returns the bounds of so many runs of channels, whose depths differ by at most one.

    Args:
      depth: Number of channels.
      count: Number of runs; the list holds the first channel of each, and `depth`.
    """
    # The products are rounded down one by one, which spreads the remainder over the runs.
    return [number * depth // count for number in range(count + 1)]


def positions(name: str, mask: Mask) -> Part:
    """Returns the positions of a pattern, as one row [batch, 1, count, depth] in raster order.

    Args:
      name: The key of the part's bits.
      mask: Maps rows [height, 1] and columns [1, width], int32 from 0, to whether a position belongs to the part, a
        tensor of bool that broadcasts to [height, width].
    """

    def inside(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        # An index such as [:, None] takes four operations of the graph, and `expand_dims` takes two.
        pattern = mask(tf.expand_dims(tf.range(height), 1), tf.expand_dims(tf.range(width), 0))
        return tf.reshape(tf.broadcast_to(pattern, (height, width)), [-1])

    def places(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.squeeze(tf.where(inside(height, width)), 1), "int32")

    return Part(name, *_picked(inside), places)


def repeated(name: str, pattern: np.ndarray) -> Part:
    """Returns the numbers of a pattern that repeats over rows and columns, as [batch, 1, count, 1] in raster order.

    Args:
      name: The key of the part's bits.
      pattern: Whether a number belongs to the part [rows, columns, depth], an array of bool.

    Raises:
      ValueError: The pattern is not such an array. The part raises one for a latent of another depth.
    """
    pattern = np.asarray(pattern)
    received = f"{pattern.dtype} {list(pattern.shape)}"
    is_mask = pattern.dtype == bool and pattern.ndim == 3 and pattern.size > 0
    check("repeated", "pattern", is_mask, "bool [rows, columns, depth]", received)

    rows, columns, depth = pattern.shape

    def inside(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        tiled = tf.tile(tf.constant(pattern), (height // rows + 1, width // columns + 1, 1))
        return tf.reshape(tiled[:height, :width], [-1])

    return Part(name, *_picked(inside, depth))


def _picked(
    inside: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], numbers: int | None = None
) -> tuple[Callable, Callable]:
    """Returns `take` and `put` of a part that picks positions of a latent, or single numbers.

    Args:
      inside: Maps height and width to whether each position, or each number, belongs to the part [count].
      numbers: The depth of latents, where the part picks single numbers; None picks positions with all their channels.
    """

    def flat_shape(batch: tf.Tensor, height: tf.Tensor, width: tf.Tensor, depth: int) -> tuple:
        if numbers is None:
            return batch, height * width, depth
        check("repeated", "pattern", numbers == depth, f"{depth} channels, as the latent has", numbers)
        return batch, height * width * depth, 1

    # The number of positions depends on data, so that XLA's clusters fail.
    @outside_xla
    def take(latent: tf.Tensor) -> tf.Tensor:
        batch, height, width, depth = _shape(latent)
        flat = tf.reshape(latent, flat_shape(batch, height, width, depth))
        return tf.expand_dims(tf.gather(flat, tf.squeeze(tf.where(inside(height, width)), 1), axis=1), 1)

    @outside_xla
    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        batch, height, width, depth = _shape(latent)
        pattern = inside(height, width)
        # Number k of the part is row k + 1 of the padded values, so that an empty part can be gathered from too.
        padded = tf.pad(tf.squeeze(values, 1), [[0, 0], [1, 0], [0, 0]])
        order = tf.cast(pattern, "int32") * tf.cumsum(tf.cast(pattern, "int32"))
        spread = tf.gather(padded, order, axis=1)
        flat = tf.reshape(latent, flat_shape(batch, height, width, depth))
        return tf.reshape(tf.where(tf.expand_dims(pattern, 1), spread, flat), (batch, height, width, depth))

    return take, put


def every(name: str, step: int, row: int, column: int) -> Part:
    """Returns the positions of every `step`-th row and column, as [batch, rows, columns, depth].

    Args:
      name: The key of the part's bits.
      step: The distance from one row, or column, to the next.
      row: The first row.
      column: The first column.

    Raises:
      ValueError: `step` is less than 1, or `row` or `column` less than 0.
    """
    check("every", "step", step >= 1, "at least 1", step)
    check("every", "row and column", min(row, column) >= 0, "at least 0", (row, column))

    def take(latent: tf.Tensor) -> tf.Tensor:
        return latent[:, row::step, column::step]

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        if is_plain():  # Other formats lack the operation below.
            return _spread(latent, values, step, row, column)
        refuse_xla(f"The part {name!r}, of every {step}th row and column,")
        size, first = tf.shape(latent), (0, row, column, 0)
        return tf.raw_ops.TensorStridedSliceUpdate(
            input=latent, begin=tf.minimum(first, size), end=size, strides=(1, step, step, 1), value=values
        )

    return Part(name, take, put)


def _spread(latent: tf.Tensor, values: tf.Tensor, step: int, row: int, column: int) -> tf.Tensor:
    """Returns a latent with values at every `step`-th row and column, by a gather along each axis and a mask."""
    rows, columns = (tf.range(size) for size in tf.unstack(tf.shape(latent))[1:3])
    values = tf.pad(values, [[0, 0], [0, 1], [0, 1], [0, 0]])  # There may be no such row, or column.
    values = tf.gather(values, tf.maximum(rows - row, 0) // step, axis=1)
    values = tf.gather(values, tf.maximum(columns - column, 0) // step, axis=2)
    inside = _is_taken(rows, step, row)[:, None] & _is_taken(columns, step, column)
    return tf.where(inside[..., None], values, latent)


def _is_taken(places: tf.Tensor, step: int, first: int) -> tf.Tensor:
    return (places >= first) & ((places - first) % step == 0)


def anchors(parity: Literal["even", "odd"] = "odd") -> Part:
    """Returns the anchors of a checkerboard, as one row [batch, 1, count, depth] in raster order.

    Args:
      parity: Whether the sum of an anchor's row and column is even or odd.
    """
    return positions("anchors", lambda row, column: (row + column) % 2 == int(parity == "odd"))


def non_anchors(parity: Literal["even", "odd"] = "odd") -> Part:
    """Returns the positions that are no anchors, as one row [batch, 1, count, depth] in raster order.

    Args:
      parity: Whether the sum of an anchor's row and column is even or odd.
    """
    return positions("non-anchors", lambda row, column: (row + column) % 2 == int(parity == "even"))


def within(outer: Part, inner: Part) -> Part:
    """Returns the part of `outer` that `inner` takes from it, such as the anchors of some channels."""

    def take(latent: tf.Tensor) -> tf.Tensor:
        return inner.take(outer.take(latent))

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return outer.put(latent, inner.put(outer.take(latent), values))

    return Part(f"{outer.name} {inner.name}", take, put)


def union(name: str, *parts: Part) -> Part:
    """Returns the part that holds the numbers of several parts, one part after the other, as [batch, 1, count, 1].

    The parts may be of different shapes, such as different positions of several groups of channels.

    Args:
      name: The key of the part's bits.
      *parts: The parts, of which no two hold the same number.
    """

    def take(latent: tf.Tensor) -> tf.Tensor:
        return tf.concat([_in_a_row(part.take(latent)) for part in parts], 2)

    def put(latent: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        taken = [part.take(latent) for part in parts]
        sizes = [tf.shape(_in_a_row(each))[2] for each in taken]
        for part, old, new in zip(parts, taken, tf.split(values, sizes, 2)):
            latent = part.put(latent, tf.reshape(new, tf.shape(old)))
        return latent

    return Part(name, take, put)


def _in_a_row(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, (tf.shape(values)[0], 1, -1, 1))


def _shape(latent: tf.Tensor) -> tuple:
    """Returns batch, height and width as tensors, since a graph serves every size, and the depth as a number."""
    return (*tf.unstack(tf.shape(latent))[:3], latent.shape[-1])
