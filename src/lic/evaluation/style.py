"""How pictures of results look: one column wide, in colours that everybody tells apart, the same bytes again."""

from __future__ import annotations

import contextlib
import math
import os
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lic.evaluation.contenders import is_published
from lic.evaluation.plotting import check_matplotlib, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.5  # Inches of one column.
GREY = "#666666"
# Okabe and Ito's palette without its yellow, which is too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("dashed", "dotted", "dashdot", "longdash")
_LONG = (0, (8, 2))
_LOOK = {
    "figure.dpi": 300,
    "font.family": "DejaVu Sans",  # Comes with matplotlib, so that text is as wide everywhere.
    "font.size": 8,
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "lic",
}


class Style(NamedTuple):
    """How one contender is drawn, in all pictures alike.

    Attributes:
      colour: As #RRGGBB.
      marker: One of `MARKERS`.
      dash: "solid" for a codec of a run, one of `DASHES` for a published curve.
    """

    colour: str
    marker: str
    dash: str

    @property
    def line(self) -> Any:
        """The dash in matplotlib's words."""
        return _LONG if self.dash == "longdash" else self.dash

    @property
    def fill(self) -> str:
        """Colour inside of the markers: a published curve's are hollow."""
        return self.colour if self.dash == "solid" else "white"


def styles(names: Sequence[str]) -> dict[str, Style]:
    """Returns how each contender is drawn, by its name; codecs of runs have the first colours."""
    ordered = sorted(names, key=is_published)
    runs = sum(not is_published(name) for name in names)
    return {
        name: Style(
            COLOURS[number % len(COLOURS)],
            MARKERS[number % len(MARKERS)],
            DASHES[(number - runs) % len(DASHES)] if is_published(name) else "solid",
        )
        for number, name in enumerate(ordered)
    }


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draws as all pictures are drawn while it lasts, whatever the user's own settings.

    Raises:
      ImportError: matplotlib is missing.
    """
    check_matplotlib()
    import matplotlib.style

    with matplotlib.style.context(["default", _LOOK]):
        yield


def new_figure(height: float, title: str | None = None) -> tuple[Figure, Axes]:
    """Returns a figure of one column's width with empty axes.

    Args:
      height: In inches.
      title: What stands above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(visible=True)
    axes.tick_params(length=2, width=0.6)
    if title:
        figure.suptitle(textwrap.fill(title, 48))
    return figure, axes


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], title: str | None = None) -> None:
    """Puts a legend below the axes, in as many columns as fit, and makes the figure as much higher.

    Args:
      figure: A figure without legend.
      handles: What is drawn.
      labels: What it is.
      title: What stands above the legend.
    """
    labels = [textwrap.fill(label, 24) for label in labels]
    for columns in range(min(4, len(labels)), 0, -1):
        columns = math.ceil(len(labels) / math.ceil(len(labels) / columns))  # No emptier last row than need be.
        legend = figure.legend(
            *(handles, labels),
            **{"loc": "outside lower center", "ncols": columns, "title": title},
            **{"columnspacing": 1.2, "handlelength": 2.8, "handletextpad": 0.6},
        )
        extent = legend.get_window_extent(figure.canvas.get_renderer())
        if extent.width <= figure.bbox.width or columns == 1:
            figure.set_size_inches(WIDTH, figure.get_figheight() + extent.height / figure.dpi)
            return
        legend.remove()


def save(figure: Figure, path: str | os.PathLike) -> None:
    """Writes a figure as what the path ends in, .png or .svg, without the date, and with text as text in SVG."""
    with look():
        write_figure(path, figure)
