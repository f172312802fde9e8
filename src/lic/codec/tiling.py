"""Large images in tiles: analysis and synthesis run on overlapping tiles, on one latent and one stream."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from lic.transforms.base import Transform

Tile = int | Literal["auto"] | None
AUTOMATIC = 1024
LARGE = 4_000_000  # Pixels from which tiles are used where they are chosen automatically.


class Span(NamedTuple):
    """One tile along one axis, in units of the latent.

    Attributes:
      start: Where what it yields begins.
      stop: Where that ends.
      first: Where what it looks at begins: the overlap before `start`, but not outside the image.
      last: Where that ends.
    """

    start: int
    stop: int
    first: int
    last: int


def check_tile(tile: Tile) -> None:
    """Raises a ValueError where `tile` is no size of tiles."""
    if tile not in (None, "auto") and (not isinstance(tile, int) or tile < 1):
        raise ValueError(f"Codec: expected tile to be None, 'auto' or a number of pixels. Received: {tile!r}.")


def spans(transform: Transform, size: int, tile: int | None) -> list[Span]:
    """Returns the tiles along an axis of a latent of `size`; tiles of `tile` pixels, or one for all of it."""
    if tile is None:
        return [Span(0, size, 0, size)]
    unit = transform.tile_multiple
    step = -(-tile // (unit * transform.downscale)) * unit
    overlap = transform.tile_overlap
    starts = range(0, size, step)
    stops = [min(start + step, size) for start in starts]
    return [Span(start, stop, max(start - overlap, 0), min(stop + overlap, size)) for start, stop in zip(starts, stops)]


def in_tiles(
    function: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    transform: Transform,
    tile: Tile,
    scales: tuple[int, int],
    channels: int,
) -> np.ndarray:
    """Calls a function on tiles of values, and joins what it returns.

    Args:
      function: Maps a tile [height, width, channels] to what belongs to it.
      values: What is cut into tiles, whole multiples of the transform's downscale high and wide.
      transform: Says how far tiles overlap.
      tile: Height and width of the tiles in pixels, "auto" or None for a single one.
      scales: How many times larger than the latent values and results are.
      channels: Channels of the results.
    """
    rows, columns = (length // scales[0] for length in values.shape[:2])
    if tile == "auto":
        tile = AUTOMATIC if rows * columns * transform.downscale**2 > LARGE else None
    tiles = list(itertools.product(spans(transform, rows, tile), spans(transform, columns, tile)))
    if len(tiles) == 1:
        return np.asarray(function(values))
    joined = np.empty((rows * scales[1], columns * scales[1], channels), np.float32)
    for down, right in tiles:
        result = function(values[_slice(down.first, down.last, scales[0]), _slice(right.first, right.last, scales[0])])
        inner = [_slice(span.start - span.first, span.stop - span.first, scales[1]) for span in (down, right)]
        outer = [_slice(span.start, span.stop, scales[1]) for span in (down, right)]
        joined[tuple(outer)] = np.asarray(result)[tuple(inner)]
    return joined


def _slice(start: int, stop: int, scale: int) -> slice:
    return slice(start * scale, stop * scale)
