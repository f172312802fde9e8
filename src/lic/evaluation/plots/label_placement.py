"""Labels beside points, placed so that they cover neither each other nor any line.

The package adjustText moves labels by repelling forces. On these figures it left labels on lines and markers, and it
imports pyplot; trying all candidates around each point is exact, deterministic and fast for the few labels here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

_DISTANCES = (4, 11, 19, 28, 38, 50, 65, 80, 100, 130)  # Distances from a point to its label, in points of 1/72 inch.
# Direction from a point to its label, and the alignment that makes the nearest edge or corner of the text face it.
_SIDES = {
    (1, 0): ("left", "center"),
    (-1, 0): ("right", "center"),
    (0, 1): ("center", "bottom"),
    (0, -1): ("center", "top"),
    (1, 1): ("left", "bottom"),
    (1, -1): ("left", "top"),
    (-1, 1): ("right", "bottom"),
    (-1, -1): ("right", "top"),
}
# A candidate costs its distance, and more for each fault.
_COVERED = 100  # For each pixel of a line that the label covers.
_CROSSED = 10  # For each pixel of another line that the leader, the line from label to point, crosses.
_UNFIT = 1_000_000  # For leaving the axes, and for each label that it covers.
_CLEAR = 2  # Points around a label that stay free, so that it covers no marker.
_OWN = 5  # Pixels within so many points of a point belong to its own marker.
_NEAR = 4  # Labels up to this distance have no leader.


class Label(NamedTuple):
    """Text that belongs to a point.

    Attributes:
      x: Position of the point in data coordinates.
      y: Position of the point in data coordinates.
      text: The text.
      colour: Colour of the leader, which a distant label has.
    """

    x: float
    y: float
    text: str
    colour: str


def place_labels(axes: Axes, labels: Sequence[Label]) -> None:
    """Adds each label at the candidate position of least cost, one after the other.

    Args:
      axes: Axes whose lines and limits are final.
      labels: The labels.
    """
    axes.figure.draw_without_rendering()  # The layout is settled only by drawing.
    drawn, taken = _line_pixels(axes), []
    for label in labels:
        candidates = [_annotation(axes, label, side, far) for far, side in itertools.product(_DISTANCES, _SIDES)]
        best = min(candidates, key=lambda candidate: _cost(candidate, axes, drawn, taken))
        taken.append(_box(best))
        axes.add_artist(best)


def _annotation(axes: Axes, label: Label, side: tuple[int, int], distance: float) -> Annotation:
    from matplotlib.text import Annotation

    horizontal, vertical = _SIDES[side]
    reach = distance / np.hypot(*side)
    leader = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
    annotation = Annotation(
        label.text,
        xy=(label.x, label.y),
        xytext=(side[0] * reach, side[1] * reach),
        xycoords="data",
        textcoords="offset points",
        annotation_clip=False,
        fontsize=7,
        arrowprops=leader if distance > _NEAR else None,
        ha=horizontal,
        va=vertical,
    )
    annotation.set_figure(axes.figure)
    annotation.axes = axes
    return annotation


def _cost(candidate: Annotation, axes: Axes, drawn: np.ndarray, taken: Sequence[Bbox]) -> float:
    box, inside = _box(candidate), axes.get_window_extent()
    covered = np.sum((drawn > (box.x0, box.y0)).all(1) & (drawn < (box.x1, box.y1)).all(1))
    leaves = not (inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1)
    distance = float(np.hypot(*candidate.xyann))
    crossed = _crossed_pixels(candidate, axes, drawn) if distance > _NEAR else 0
    unfit = leaves + sum(box.overlaps(other) for other in taken)
    return distance + _CROSSED * crossed + _COVERED * covered + _UNFIT * unfit


def _crossed_pixels(candidate: Annotation, axes: Axes, drawn: np.ndarray) -> int:
    """Returns the number of pixels of other lines that lie beside the leader."""
    pixels_per_point = axes.figure.dpi / 72
    leader = np.array(candidate.xyann) * pixels_per_point
    offsets = drawn - axes.transData.transform(candidate.xy)
    offsets = offsets[np.hypot(*offsets.T) > _OWN * pixels_per_point]
    # The position along the leader, 0 at the point and 1 at the label, that is nearest to each pixel.
    share = np.clip(offsets @ leader / (leader @ leader), 0, 1)[:, None]
    return int((np.hypot(*(offsets - share * leader).T) < _CLEAR * pixels_per_point).sum())


def _box(candidate: Annotation) -> Bbox:
    from matplotlib.text import Text

    candidate.update_positions(candidate.figure.canvas.get_renderer())
    # The extent of an annotation includes its leader; a label's box is that of the text alone.
    return Text.get_window_extent(candidate).padded(_CLEAR / 72 * candidate.figure.dpi)


def _line_pixels(axes: Axes) -> np.ndarray:
    """Returns pixels [n, 2] along all lines of the axes, about four pixels apart."""
    pixels = [np.empty((0, 2))]
    for line in axes.lines:
        corners = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        for start, end in itertools.pairwise(corners):
            steps = max(int(np.hypot(*(end - start)) // 4), 1)
            pixels.append(start + (end - start) * np.linspace(0, 1, steps + 1)[:, None])
        pixels.append(corners)
    found, inside = np.concatenate(pixels), axes.get_window_extent()
    return found[((found >= inside.min) & (found <= inside.max)).all(1)]
