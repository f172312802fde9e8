"""Large images: analysis and synthesis run on overlapping tiles, and latent and stream stay in one piece."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from lic.transforms.base import Transform

Tile = int | Literal["auto"] | None
Direction = Literal["analysis", "synthesis"]
AUTOMATIC = 1024
LARGE = 4_000_000  # Images of more pixels are cut into tiles when `tile` is "auto".


class Span(NamedTuple):
    """One tile along one axis, in units of the latent.

    Attributes:
      start: The first position of the tile's result.
      stop: The position after its last.
      first: The first position of the tile's input, which begins earlier by the overlap, if the image does.
      last: The position after its last.
    """

    start: int
    stop: int
    first: int
    last: int


def check_tile(tile: Tile) -> None:
    """Raises a ValueError unless `tile` is None, "auto" or a positive number of pixels."""
    is_number = isinstance(tile, (int, np.integer)) and not isinstance(tile, bool)
    is_word = tile is None or (isinstance(tile, str) and tile == "auto")
    if not is_word and not (is_number and tile >= 1):
        raise ValueError(f"Codec: expected tile to be None, 'auto' or a number of pixels. Received: {tile!r}.")


def overlap_of(transform: Transform, direction: Direction) -> int | None:
    """Returns the overlap of tiles in positions of the latent, or None where an image is never cut."""
    overlap, unit = transform.tile_overlap, transform.tile_multiple
    if isinstance(overlap, (tuple, list)):
        overlap = overlap[0 if direction == "analysis" else 1]
    return None if overlap is None else -(-overlap // unit) * unit


def spans(transform: Transform, direction: Direction, size: int, tile: int | None) -> list[Span]:
    """Returns the tiles along one axis of a latent.

    Args:
      transform: The transform, which declares the overlap and the positions at which tiles may begin.
      direction: Whether the analysis or the synthesis runs on the tiles.
      size: Length of the axis, in positions of the latent.
      tile: Length of the tiles in pixels, or None for a single one.
    """
    overlap = overlap_of(transform, direction)
    if tile is None or overlap is None:
        return [Span(0, size, 0, size)]
    # A length is rounded up to multiples at which the tile and the whole image have the same windows.
    unit = transform.tile_multiple
    step = -(-tile // (unit * transform.downscale)) * unit
    starts = range(0, size, step)
    stops = [min(start + step, size) for start in starts]
    return [Span(start, stop, max(start - overlap, 0), min(stop + overlap, size)) for start, stop in zip(starts, stops)]


def in_tiles(
    function: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    transform: Transform,
    direction: Direction,
    tile: Tile,
) -> np.ndarray:
    """Calls a function on tiles of values, and joins its results.

    Args:
      function: Maps a tile [height, width, channels] of an image to its latent, or of a latent to its image.
      values: An image whose height and width are multiples of the transform's `downscale`, or a latent.
      transform: The transform, which declares how far tiles overlap.
      direction: Whether the function is the analysis or the synthesis.
      tile: Height and width of the tiles in pixels, "auto" or None for a single one.
    """
    scales, channels = (transform.downscale, 1), transform.depth
    if direction == "synthesis":
        scales, channels = (1, transform.downscale), transform.channels
    rows, columns = (length // scales[0] for length in values.shape[:2])
    if tile == "auto":
        tile = AUTOMATIC if rows * columns * transform.downscale**2 > LARGE else None
    tiles = list(itertools.product(*(spans(transform, direction, size, tile) for size in (rows, columns))))
    if len(tiles) == 1:
        return np.array(function(values))  # A copy, since numpy may not write to the memory of a tensor.
    joined = np.empty((rows * scales[1], columns * scales[1], channels), np.float32)
    for down, right in tiles:
        result = function(values[_slice(down.first, down.last, scales[0]), _slice(right.first, right.last, scales[0])])
        # Only the inner part of a result is kept, since its borders lack the surroundings of the whole image.
        inner = [_slice(span.start - span.first, span.stop - span.first, scales[1]) for span in (down, right)]
        outer = [_slice(span.start, span.stop, scales[1]) for span in (down, right)]
        joined[tuple(outer)] = np.asarray(result)[tuple(inner)]
    return joined


def _slice(start: int, stop: int, scale: int) -> slice:
    return slice(start * scale, stop * scale)
