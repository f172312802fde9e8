"""The quality that an image is coded at: one number, or a map over the positions of its latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lic.codec.bitstream import MAP_STEPS, QUALITY_STEPS

if TYPE_CHECKING:
    from lic.models.rate import RateControl

# A quality as users give it: a number, an array of the qualities of regions, or a dict of boxes.
QualityLike = float | np.ndarray | Sequence[Sequence[float]] | Mapping[str, Any]

_MOST = 255  # A step takes one byte.
_BOX = "(top, left, height, width, quality)"
_MAPS = f'an array [rows, columns] of any size, or a dict such as {{"background": 2, "boxes": [{_BOX}]}}'


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

    def moved_to(self, value: float) -> Quality:
        """Returns the map with its differences and another lowest quality, or one quality where all positions agree."""
        moved = self._replace(value=value)
        positions = moved.at_positions()
        return moved if positions.min() < positions.max() else Quality(float(positions.max()), self.highest)

    def packed_steps(self) -> bytes | None:
        """Returns the steps as the bytes that a stream takes, row after row."""
        return None if self.steps is None else self.steps.tobytes()


def checked_quality(quality: QualityLike | None, rate: RateControl, size: tuple[int, int], downscale: int) -> Quality:
    """Returns the quality of an image, rounded to the steps that streams carry.

    An array is stretched over the image. A position of the latent gets the highest of the entries that its block of
    pixels touches, or the quality of the last box that touches it, so that a region is never cut. An array with an
    entry for each position is taken as it is. A map whose positions all have one quality is this quality.

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
    entries = _of_boxes(quality, rate, size, downscale) if isinstance(quality, Mapping) else _entries_of(quality, rate)
    if not entries.ndim:
        return Quality(round(float(entries) * QUALITY_STEPS) / QUALITY_STEPS, rate.count)
    if entries.shape != tuple(-(-pixels // downscale) for pixels in size):
        entries = _stretched(entries, size, downscale)
    lowest = round(float(entries.min()) * QUALITY_STEPS) / QUALITY_STEPS
    steps = np.maximum(np.rint((entries - lowest) * MAP_STEPS), 0)
    if steps.max() > _MOST:
        raise ValueError(
            f"Codec: expected the qualities of a map to be at most {_MOST / MAP_STEPS:g} apart. Received: a map from "
            f"{lowest:g} to {entries.max():g}."
        )
    return Quality(lowest, rate.count, steps.astype(np.uint8) if steps.any() else None)


def _entries_of(quality: Any, rate: RateControl) -> np.ndarray:
    """Returns a number or the entries of an array [rows, columns] as float64."""
    try:
        entries = np.asarray(quality)
    except ValueError:  # Rows of different lengths.
        entries = np.zeros(0)
    if entries.dtype.kind not in "iuf" or entries.ndim not in (0, 2) or not entries.size:
        received = f"{type(quality).__name__} of the shape {[*entries.shape]}" if entries.ndim else repr(quality)
        raise ValueError(f"Codec: expected quality as a number, or as a map: {_MAPS}. Received: {received}.")
    entries = entries.astype(np.float64)
    _check(entries, rate)
    return entries


def _stretched(entries: np.ndarray, size: tuple[int, int], downscale: int) -> np.ndarray:
    """Returns the highest entry that the block of each position touches [rows, columns], for entries over the image."""
    for axis, pixels in enumerate(size):
        count, blocks = entries.shape[axis], range(0, pixels, downscale)
        ends = [(first * count // pixels, -(-min(first + downscale, pixels) * count // pixels)) for first in blocks]
        lines = np.moveaxis(entries, axis, 0)
        entries = np.moveaxis(np.stack([lines[first:last].max(0) for first, last in ends]), 0, axis)
    return entries


def _of_boxes(quality: Mapping[str, Any], rate: RateControl, size: tuple[int, int], downscale: int) -> np.ndarray:
    """Returns the quality of each position [rows, columns] for boxes in pixels."""
    if quality.keys() - {"background", "boxes"} or "background" not in quality:
        raise ValueError(f"Codec: expected quality as a map: {_MAPS}. Received: a dict of {sorted(map(str, quality))}.")
    background = np.asarray(quality["background"])
    if background.ndim or background.dtype.kind not in "iuf":
        raise ValueError(
            f"Codec: expected the background of a map to be a number. Received: {quality['background']!r:.60}."
        )
    _check(background, rate)
    boxes = quality.get("boxes", ())
    if not isinstance(boxes, (Sequence, np.ndarray)) or isinstance(boxes, str):
        raise ValueError(f"Codec: expected boxes to be a list of {_BOX}. Received: {boxes!r:.60}.")
    entries = np.full([-(-pixels // downscale) for pixels in size], float(background))
    for given in boxes:
        box = np.asarray(given) if np.ndim(given) == 1 and len(given) == 5 else np.zeros(0)
        if box.dtype.kind not in "iuf" or not box.size:
            raise ValueError(f"Codec: expected each box as {_BOX}. Received: {given!r:.60}.")
        top, left, height, width, value = map(float, box)
        _check(np.asarray(value), rate)
        inside = top >= 0 and left >= 0 and top + height <= size[0] and left + width <= size[1]
        if not inside or not (height > 0 and width > 0):
            raise ValueError(
                f"Codec: expected boxes {_BOX} within the {size[0]}x{size[1]} pixels of the image. "
                f"Received: {(top, left, height, width, value)}."
            )
        rows, columns = (
            slice(int(first // downscale), int(-(-(first + length) // downscale)))
            for first, length in ((top, height), (left, width))
        )
        entries[rows, columns] = value
    return entries


def _check(entries: np.ndarray, rate: RateControl) -> None:
    if rate.count > 1 and ((entries >= 1) & (entries <= rate.count)).all():
        return
    expected = f"from 1 to {rate.count}" if rate.count > 1 else "None, since this codec has a single rate"
    received = f"an array {[*entries.shape]} from {entries.min():g} to {entries.max():g}" if entries.ndim else entries
    raise ValueError(f"Codec: expected quality {expected}. Received: {received}.")
