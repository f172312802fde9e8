"""The quality that an image is coded at: one number, or a map over the positions of its latent."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lic.codec.bitstream import MAP_STEPS, QUALITY_STEPS

if TYPE_CHECKING:
    from lic.models.rate import RateControl

# A quality as users give it: a number, an array of the qualities of regions, or a dict of boxes.
QualityLike = float | np.ndarray | Sequence[Sequence[float]] | Mapping[str, Any]

_MOST = 255  # A step takes one byte.
_MAPS = (
    "an array of qualities [rows, columns] of any size, or a dict such as "
    '{"background": 2, "boxes": [(top, left, height, width, 6)]}'
)


class Quality(NamedTuple):
    """The quality of an image, in the steps that streams carry.

    Attributes:
      value: The quality, or the lowest one of a map.
      highest: The highest quality that the model has.
      steps: How far each position lies above `value`, in steps of 1/16, uint8 [rows, columns]; None for one quality.
    """

    value: float
    highest: float
    steps: np.ndarray | None = None

    def at_positions(self) -> np.ndarray:
        """Returns the quality as a number, or as float32 [rows, columns]; no position is over the highest quality."""
        if self.steps is None:
            return np.float32(self.value)
        return np.minimum(self.value + self.steps.astype(np.float32) / MAP_STEPS, self.highest).astype(np.float32)

    def packed_steps(self) -> bytes | None:
        """Returns the steps as the bytes that a stream takes, row after row."""
        return None if self.steps is None else self.steps.tobytes()


def checked_quality(quality: Any, rate: RateControl, size: tuple[int, int], downscale: int) -> Quality:
    """Returns the quality of an image, rounded to the steps that streams carry.

    A position of the latent gets the highest quality of the entries of an array that lie in its block of pixels, or the
    quality of the last box that touches its block, so that a region is never cut. An array with an entry for each
    position is taken as it is. A map whose positions all have one quality is this quality.

    Args:
      quality: The quality; or a map, which is an array or a dict; or None for the default.
      rate: The rate control of the model.
      size: Height and width of the image in pixels.
      downscale: Height and width in pixels of the block that corresponds to a position.

    Raises:
      ValueError: The model does not have this quality, or the map is of another form, or a box is not in the image.
    """
    if quality is None:
        return Quality(rate.default, rate.count)
    if isinstance(quality, numbers.Real):
        _check(quality, rate, 1 <= quality <= rate.count)
        return Quality(round(quality * QUALITY_STEPS) / QUALITY_STEPS, rate.count)
    if isinstance(quality, Mapping):
        entries = _of_boxes(quality, rate, size, downscale)
    else:
        entries = _of_array(quality, rate, size, downscale)
    lowest = round(float(entries.min()) * QUALITY_STEPS) / QUALITY_STEPS
    steps = np.maximum(np.rint((entries - lowest) * MAP_STEPS), 0)
    if steps.max() > _MOST:
        raise ValueError(
            f"Codec: expected the qualities of a map to be at most {_MOST / MAP_STEPS:g} apart. Received: a map from "
            f"{lowest:g} to {entries.max():g}."
        )
    return Quality(lowest, rate.count, steps.astype(np.uint8) if steps.any() else None)


def _of_array(quality: Any, rate: RateControl, size: tuple[int, int], downscale: int) -> np.ndarray:
    """Returns the quality of each position [rows, columns] for an array that spans the image, or has their shape."""
    try:
        entries = np.asarray(quality, np.float64)
    except (TypeError, ValueError):
        entries = np.zeros(0)
    if entries.ndim != 2 or not entries.size:
        received = f"an array {[*entries.shape]}" if isinstance(quality, np.ndarray) else repr(quality)
        raise ValueError(f"Codec: expected quality as a number, or a map: {_MAPS}. Received: {received}.")
    _check(quality, rate, bool(((entries >= 1) & (entries <= rate.count)).all()))
    if entries.shape == tuple(-(-pixels // downscale) for pixels in size):
        return entries
    for axis, pixels in enumerate(size):
        scale, blocks = entries.shape[axis] / pixels, range(0, pixels, downscale)
        ends = [(int(first * scale), math.ceil(min(first + downscale, pixels) * scale)) for first in blocks]
        lines = np.moveaxis(entries, axis, 0)
        entries = np.moveaxis(np.stack([lines[first : max(last, first + 1)].max(0) for first, last in ends]), 0, axis)
    return entries


def _of_boxes(quality: Mapping[str, Any], rate: RateControl, size: tuple[int, int], downscale: int) -> np.ndarray:
    """Returns the quality of each position [rows, columns] for boxes in pixels."""
    boxes = quality.get("boxes", ())
    if quality.keys() - {"background", "boxes"} or "background" not in quality:
        raise ValueError(f"Codec: expected a map as {_MAPS}. Received: a dict of {sorted(map(str, quality))}.")
    try:
        rows = [tuple(map(float, box)) for box in boxes]
        background = float(quality["background"])
    except (TypeError, ValueError):
        rows, background = [()], 0.0
    if any(len(row) != 5 for row in rows):
        raise ValueError(f"Codec: expected boxes as in {_MAPS}. Received: boxes={boxes!r}.")
    _check(quality, rate, all(1 <= each <= rate.count for each in (background, *(row[4] for row in rows))))
    entries = np.full([-(-pixels // downscale) for pixels in size], background)
    for top, left, height, width, value in rows:
        inside = top >= 0 and left >= 0 and top + height <= size[0] and left + width <= size[1]
        if not inside or height <= 0 or width <= 0:
            raise ValueError(
                f"Codec: expected boxes (top, left, height, width, quality) within the {size[0]}x{size[1]} pixels of "
                f"the image. Received: {(top, left, height, width, value)}."
            )
        first, last = (int(top // downscale), int(left // downscale)), (top + height, left + width)
        ends = [math.ceil(each / downscale) for each in last]
        entries[first[0] : ends[0], first[1] : ends[1]] = value
    return entries


def _check(quality: Any, rate: RateControl, holds: bool) -> None:
    if rate.count > 1 and holds:
        return
    expected = f"from 1 to {rate.count}" if rate.count > 1 else "None, since this codec has a single rate"
    received = repr(quality)
    if isinstance(quality, np.ndarray) and quality.ndim:
        received = f"an array {[*quality.shape]} from {quality.min():g} to {quality.max():g}"
    raise ValueError(f"Codec: expected quality {expected}. Received: {received}.")
