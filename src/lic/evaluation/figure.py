"""The figure of one image in a codec."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lic.evaluation.pictures import Picture
from lic.evaluation.plotting import COLOURS, new_figure
from lic.evaluation.show import Box, Shown
from lic.images import coloured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_COLUMN = 4.6  # Inches that a picture is wide; three stand side by side.
_LOWEST, _HIGHEST = 0.25, 1.3  # Height over width that a picture is given at least and at most.
_ABOVE = 0.6  # Inches for what stands above and below a picture.
_BAR = 0.3
_PREVIEWS = 4  # Side by side.
_SEEN = 99.8  # Percent of the errors that the colours reach over; single pixels would leave the rest dark.


def draw(shown: Shown, title: str) -> Figure:
    """Draws pictures, error, crops, where the bits go, and previews.

    Args:
      shown: What there is to see.
      title: What stands above, such as the names of image and model.

    Raises:
      ImportError: matplotlib is not installed.
    """
    pictures = _picture_height(*shown.original.pixels.shape[:2])
    bars = max(pictures, 1.2 + _BAR * (len(shown.bits.parts) + 1))
    rows = math.ceil(len(shown.previews) / _PREVIEWS)
    previews = [0.3 + rows * (3 / _PREVIEWS * (pictures - _ABOVE) + _ABOVE)] if rows else []
    heights = [pictures, _picture_height(shown.crop.height, shown.crop.width), bars, *previews]
    figure = new_figure(3 * _COLUMN, sum(heights) + 0.5)
    figure.suptitle(title, parse_math=False, fontsize=13, fontweight="bold")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    _draw_pictures(parts[0], shown)
    _draw_crops(parts[1], shown)
    _draw_bits(parts[2], shown)
    if previews:
        _draw_previews(parts[3], shown.previews, rows)
    return figure


def _picture_height(height: int, width: int) -> float:
    """Inches for a picture of so many pixels and what stands above it."""
    return _COLUMN * min(max(height / width, _LOWEST), _HIGHEST) + _ABOVE


def _draw_pictures(figure: SubFigure, shown: Shown) -> None:
    first, second, third = figure.subplots(1, 3)
    height, width = shown.original.pixels.shape[:2]
    _draw_picture(first, shown.original.pixels, f"original\n{width}x{height} pixels, {shown.original.bytes:,} bytes")
    _draw_picture(second, shown.decoded.pixels, f"decoded\n{shown.decoded.figures}")
    for axes in (first, second):
        _outline(axes, shown.crop)
    error = shown.error
    most = max(float(np.percentile(error, _SEEN)), 1.0)
    _draw_map(third, error, most, "grey levels")
    _finish(third, f"error of the decoded image\nmean {error.mean():.2f}, at most {error.max():.1f} grey levels")


def _draw_crops(figure: SubFigure, shown: Shown) -> None:
    box, first, *others = shown.crop, *figure.subplots(1, 3)
    where = f"columns {box.left} to {box.left + box.width - 1}, rows {box.top} to {box.top + box.height - 1}"
    _draw_picture(first, box.cut(shown.original.pixels), f"original, enlarged\n{where}", "nearest")
    for axes, picture in zip(others, (shown.decoded, shown.jpeg)):
        _draw_picture(axes, box.cut(picture.pixels), f"{picture.name}, enlarged\n{picture.figures}", "nearest")


def _draw_bits(figure: SubFigure, shown: Shown) -> None:
    positions, bars = figure.subplots(1, 2, width_ratios=(1, 1.6))
    block = f"{shown.bits.downscale}x{shown.bits.downscale}"
    _draw_map(positions, shown.bits.positions, float(shown.bits.positions.max()), "bits")
    _finish(
        positions, f"estimated bits at each position of the latent\n(one for {block} pixels, without side information)"
    )
    side = [("side information", shown.bits.side)] if shown.bits.side else []
    _draw_bars(bars, [*side, *shown.bits.parts], shown.decoded.bits)


def _draw_map(axes: Axes, values: np.ndarray, most: float, label: str) -> None:
    """Draws numbers from zero on as colours, and beside them the bar that says which is which."""
    drawn = axes.imshow(values, cmap=COLOURS, vmin=0, vmax=most)
    beside = axes.inset_axes((1.03, 0, 0.04, 1))  # As high as the picture, whatever its form.
    extend = "max" if values.max() > most else "neither"
    axes.figure.colorbar(drawn, cax=beside, extend=extend, extendfrac=0.03).set_label(label, labelpad=8)


def _draw_bars(axes: Axes, parts: list[tuple[str, float]], stream: float) -> None:
    names, bits = zip(*parts)
    total = sum(bits)
    drawn = axes.barh(range(len(bits)), bits, color="#31688e")
    axes.bar_label(drawn, [f"{each:,.0f}  ({each / total:.1%})" for each in bits], padding=4, fontsize=9)
    axes.set_yticks(range(len(bits)), names, fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.3 * max(bits))
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("bits, estimated")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"bits of each part\n{total:,.0f} estimated, {stream:,.0f} in the stream", fontsize=10)


def _draw_previews(figure: SubFigure, previews: tuple[Picture, ...], rows: int) -> None:
    figure.suptitle("decoded from the first parts alone, the rest at its predicted means", fontsize=11)
    cells = figure.subplots(rows, _PREVIEWS, squeeze=False).ravel()
    for axes, picture in zip(cells, previews):
        _draw_picture(axes, picture.pixels, f"{picture.name}\n{picture.bpp:.3f} bpp so far, {picture.loss}")
    for axes in cells[len(previews) :]:
        axes.set_axis_off()


def _draw_picture(axes: Axes, pixels: np.ndarray, title: str, interpolation: str = "auto") -> None:
    axes.imshow(coloured(pixels), interpolation=interpolation)
    _finish(axes, title)


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


def _outline(axes: Axes, box: Box) -> None:
    """Draws the edge of a box, white on black so that it is seen on any picture."""
    from matplotlib.patches import Rectangle

    for colour, width in (("black", 3), ("white", 1.5)):
        corner = (box.left - 0.5, box.top - 0.5)
        axes.add_patch(Rectangle(corner, box.width, box.height, fill=False, edgecolor=colour, linewidth=width))
