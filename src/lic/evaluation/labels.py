"""Labels beside points, where they cover neither each other nor what is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

_DISTANCES = (4, 11, 19, 28, 38, 50, 65, 80, 100, 130)  # Points from a label's edge to what it labels.
_SIDES = {
    **{(1, 0): ("left", "center"), (-1, 0): ("right", "center"), (0, 1): ("center", "bottom")},
    **{(0, -1): ("center", "top"), (1, 1): ("left", "bottom"), (1, -1): ("left", "top")},
    **{(-1, 1): ("right", "bottom"), (-1, -1): ("right", "top")},
}
_COVERED, _OUTSIDE = 100, 1_000_000  # What it costs to cover a pixel of a line, and to leave the axes or cover a label.
_CROSSED = 10  # What it costs where the line to the point crosses a pixel of another.
_CLEAR = 2  # Points that are kept free around a label, so that it covers no marker.
_OWN = 5  # Up to so many points from a point, what is drawn is its own marker.
_NEAR = 4  # Distance up to which no line need lead from label to point.


class Label(NamedTuple):
    """Text that belongs to a point.

    Attributes:
      x: Of the point, as the axes count.
      y: Of the point, as the axes count.
      text: The text.
      colour: Of the line from the text to the point, where they are apart.
    """

    x: float
    y: float
    text: str
    colour: str


def place(axes: Axes, labels: Sequence[Label]) -> None:
    """Writes each label at the nearest side of its point where it covers least; far ones have a line to the point.

    Args:
      axes: Axes whose lines and limits are final.
      labels: What to write.
    """
    axes.figure.draw_without_rendering()  # Settles the layout.
    drawn, taken = _drawn(axes), []
    for label in labels:
        best = min(_candidates(axes, label), key=lambda note: _cost(note, axes, drawn, taken))
        taken.append(_box(best))
        axes.add_artist(best)


def _candidates(axes: Axes, label: Label) -> list[Annotation]:
    return [_annotation(axes, label, side, distance) for distance, side in itertools.product(_DISTANCES, _SIDES)]


def _annotation(axes: Axes, label: Label, side: tuple[int, int], distance: float) -> Annotation:
    from matplotlib.text import Annotation

    aligned = dict(zip(("ha", "va"), _SIDES[side]))
    reach = distance / np.hypot(*side)
    leader = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
    note = Annotation(
        *(label.text, (label.x, label.y), (side[0] * reach, side[1] * reach)),
        **{"xycoords": "data", "textcoords": "offset points", "annotation_clip": False},
        **{"fontsize": 7, "arrowprops": leader if distance > _NEAR else None, **aligned},
    )
    note.set_figure(axes.figure)
    note.axes = axes
    return note


def _cost(note: Annotation, axes: Axes, drawn: np.ndarray, taken: Sequence[Bbox]) -> float:
    box, inside = _box(note), axes.get_window_extent()
    covered = np.sum((drawn > (box.x0, box.y0)).all(1) & (drawn < (box.x1, box.y1)).all(1))
    leaves = not (inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1)
    far = float(np.hypot(*note.xyann))
    crossed = _crossed(note, axes, drawn) if far > _NEAR else 0
    unfit = leaves + sum(box.overlaps(other) for other in taken)
    return far + _CROSSED * crossed + _COVERED * covered + _OUTSIDE * unfit


def _crossed(note: Annotation, axes: Axes, drawn: np.ndarray) -> int:
    """Pixels of other lines that the line from a label to its point comes near."""
    pixel = axes.figure.dpi / 72
    reach, away = np.array(note.xyann) * pixel, drawn - axes.transData.transform(note.xy)
    away = away[np.hypot(*away.T) > _OWN * pixel]
    share = np.clip(away @ reach / (reach @ reach), 0, 1)[:, None]  # Of the line, where it is nearest.
    return int((np.hypot(*(away - share * reach).T) < _CLEAR * pixel).sum())


def _box(note: Annotation) -> Bbox:
    from matplotlib.text import Text

    note.update_positions(note.figure.canvas.get_renderer())
    return Text.get_window_extent(note).padded(_CLEAR / 72 * note.figure.dpi)


def _drawn(axes: Axes) -> np.ndarray:
    """Pixels [n, 2] along all lines, some apart from each other."""
    pixels = [np.empty((0, 2))]
    for line in axes.lines:
        corners = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        for start, end in itertools.pairwise(corners):
            steps = max(int(np.hypot(*(end - start)) // 4), 1)
            pixels.append(start + (end - start) * np.linspace(0, 1, steps + 1)[:, None])
        pixels.append(corners)
    found, inside = np.concatenate(pixels), axes.get_window_extent()
    return found[((found >= inside.min) & (found <= inside.max)).all(1)]
