"""The look of all figures: one palette and font, the same bytes for the same data, whatever the user's own settings.

Matplotlib is imported when something is drawn, and its global state (pyplot, rcParams) stays as it was.
"""

from __future__ import annotations

import contextlib
import math
import os
import textwrap
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from lic.atomic_write import atomic_write
from lic.errors import EvaluationError
from lic.evaluation.compare.curves import published_curves
from lic.evaluation.compare.entries import PUBLISHED, Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T = TypeVar("T")
ENDINGS = (".png", ".svg")
WIDTH = 3.5  # Width of a column of a paper in inches.
GREY = "#666666"
# Okabe and Ito's palette without its yellow, which is too pale for lines on white, and four of Tol's darker colours.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#882255",
    "#999933",
    "#332288",
    "#117733",
)
# Codecs that everyone has; each has a colour to itself, so that it looks the same in all figures.
_KNOWN = ("default", "jpeg", "webp", "avif", "jpegxl", "jpeg2000")
HEAT_COLOURS = "viridis"  # Its order is seen by eyes that do not tell red from green, and in grey.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("dashed", "dotted", "dashdot", "longdash")
_LONG_DASH = (0, (8, 2))
_THEME = {
    "figure.dpi": 300,
    "font.family": "DejaVu Sans",  # Matplotlib ships this font, so that text has the same width on every machine.
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
    "text.parse_math": False,  # Names of codecs may hold dollar signs.
    "svg.hashsalt": "lic",  # Without it the ids in an SVG file are random.
}


class Style(NamedTuple):
    """The style of an entry, which is the same in all figures.

    Attributes:
      colour: The colour as #RRGGBB.
      marker: One of `MARKERS`.
      dash: "solid" for a codec of a run, one of `DASHES` for a published curve.
    """

    colour: str
    marker: str
    dash: str

    @property
    def line(self) -> Any:
        """The dash as matplotlib takes it."""
        return _LONG_DASH if self.dash == "longdash" else self.dash

    @property
    def fill(self) -> str:
        """The colour inside of the markers, which are hollow for a published curve."""
        return self.colour if self.dash == "solid" else "white"


def styles(entries: Iterable[Entry]) -> dict[str, Style]:
    """Returns the style of each entry by its name.

    The style follows from the name, so that a codec has the same colour in all figures. There is one exception: of two
    codecs of one's own whose names lead to one colour, the later one in the alphabet takes the next colour that is
    free. A codec that several runs have has one colour, and a marker for each run.

    Args:
      entries: The entries of a figure, in any order.
    """
    published = {PUBLISHED + name: number for number, name in enumerate(published_curves())}
    style_of: dict[str, Style] = {}
    numbers: dict[str, int] = {}
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.published:
            style_of[entry.name] = _published_style(published.get(entry.name, len(published)))
            continue
        number = numbers.setdefault(entry.codec, _colour_number(entry.codec, numbers.values()))
        taken = {style.marker for style in style_of.values() if style[::2] == (COLOURS[number], "solid")}
        style_of[entry.name] = Style(COLOURS[number], _first_free(MARKERS, number, taken), "solid")
    return style_of


def _published_style(number: int) -> Style:
    """Returns the style of a published curve by its place in the list; neighbours there get colours far apart."""
    return Style(COLOURS[4 * number % len(COLOURS)], MARKERS[number % len(MARKERS)], DASHES[number % len(DASHES)])


def _colour_number(codec: str, taken: Collection[int]) -> int:
    """Returns the place of a codec's colour in `COLOURS`, if possible one that is not taken."""
    if codec in _KNOWN:
        return _KNOWN.index(codec)
    own = range(len(_KNOWN), len(COLOURS))
    return _first_free(own, zlib.crc32(codec.encode("utf-8", "surrogateescape")), taken)


def _first_free(choices: Sequence[T], start: int, taken: Collection[T]) -> T:
    """Returns the first of the choices from a start on, round and round, that is not taken, or else the first."""
    turned = [choices[(start + turn) % len(choices)] for turn in range(len(choices))]
    return next((choice for choice in turned if choice not in taken), turned[0])


def check_matplotlib() -> None:
    """Raises an ImportError if matplotlib is missing; the message names the package to install."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Drawing needs matplotlib, which cannot be imported here ({error}). "
            "Install it: pip install 'keras-lic[eval]'."
        ) from None


@contextlib.contextmanager
def theme() -> Iterator[None]:
    """Applies the look of all figures while the context lasts.

    Raises:
      ImportError: matplotlib is missing.
    """
    check_matplotlib()
    import matplotlib.style

    with matplotlib.style.context(["default", _THEME]):
        yield


def new_figure(width: float, height: float, title: str | None = None, **options: Any) -> Figure:
    """Returns an empty figure whose parts are laid out so that nothing overlaps; call it within `theme`.

    Args:
      width: Width in inches.
      height: Height in inches.
      title: Text above the figure.
      **options: Further arguments of `matplotlib.figure.Figure`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained", **options)
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title)
    return figure


def column_figure(height: float, title: str | None = None) -> tuple[Figure, Axes]:
    """Returns a figure as wide as a column, and its axes with a grid; call it within `theme`.

    Args:
      height: Height in inches.
      title: Text above the figure.
    """
    figure = new_figure(WIDTH, height, title and textwrap.fill(title, 48))
    axes = figure.add_subplot()
    axes.grid(visible=True)
    axes.tick_params(length=2, width=0.6)
    return figure, axes


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], title: str | None = None) -> None:
    """Adds a legend below the axes, in as many columns as fit, and makes the figure higher by the same amount.

    Args:
      figure: A figure as wide as a column, without a legend.
      handles: The drawn lines or bars.
      labels: The text for each of them.
      title: Text above the legend.
    """
    labels = [textwrap.fill(label, 24) for label in labels]
    for columns in range(min(4, len(labels)), 0, -1):
        # With as many rows, fewer columns leave fewer gaps in the last row.
        columns = math.ceil(len(labels) / math.ceil(len(labels) / columns))
        legend = figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=columns,
            title=title,
            columnspacing=1.2,
            handlelength=2.8,
            handletextpad=0.6,
        )
        extent = legend.get_window_extent(figure.canvas.get_renderer())
        if extent.width <= figure.bbox.width or columns == 1:
            figure.set_size_inches(WIDTH, figure.get_figheight() + extent.height / figure.dpi)
            return
        legend.remove()


def save_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Writes a figure as PNG or SVG by the ending of the path, without a date; SVG keeps text as text.

    Raises:
      EvaluationError: The path has another ending.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise EvaluationError(f"{path}: expected a name that ends in {' or '.join(ENDINGS)}. Received: {ending!r}.")
    metadata: dict[str, Any] = {"Date": None} if ending == ".svg" else {}
    with theme(), atomic_write(path) as file:
        figure.savefig(file, format=ending[1:], dpi="figure", metadata=metadata)


def heat_colours(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Returns values as colours, uint8 [..., 3]: `low` is dark blue and `high` is yellow.

    Raises:
      ImportError: matplotlib is missing.
    """
    check_matplotlib()
    from matplotlib import colormaps

    span = high - low
    shares = (np.asarray(values, np.float64) - low) / (span if span > 0 else 1.0)
    return colormaps[HEAT_COLOURS](shares, bytes=True)[..., :3]
