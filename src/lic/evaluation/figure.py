"""The figure of one image in a codec."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lic.codec.images import coloured
from lic.evaluation.pictures import Picture
from lic.evaluation.plotting import COLOURS, new_figure
from lic.evaluation.show import Box, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_COLUMN = 4.6  # Inches that a picture is wide; three stand side by side.
_LOWEST, _HIGHEST = 0.4, 1.5  # Height over width that a picture is given at least and at most.
_ABOVE = 0.75  # Inches for what stands above and below a picture.
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
    pictures, crops = (2 * [_picture_height(shown.original.pixels.shape)], [_picture_height(shown.crop[:1:-1])])
    bars = max(pictures[0], 1.2 + _BAR * (len(shown.bits.parts) + 1))
    rows = math.ceil(len(shown.previews) / _PREVIEWS)
    previews = [rows * (3 / _PREVIEWS * (pictures[0] - _ABOVE) + _ABOVE)] if rows else []
    heights = [pictures[0], crops[0], bars, *previews]
    figure = new_figure(3 * _COLUMN, sum(heights) + 0.5)
    figure.suptitle(title, parse_math=False, fontsize=13, fontweight="bold")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    _draw_pictures(parts[0], shown)
    _draw_crops(parts[1], shown)
    _draw_bits(parts[2], shown)
    if previews:
        _draw_previews(parts[3], shown.previews, rows)
    return figure


def _picture_height(shape: tuple[int, ...]) -> float:
    """Inches for a picture [height, width, ...] and what stands above it."""
    return _COLUMN * min(max(shape[0] / shape[1], _LOWEST), _HIGHEST) + _ABOVE


def _draw_pictures(figure: SubFigure, shown: Shown) -> None:
    first, second, third = figure.subplots(1, 3)
    for axes, picture in ((first, shown.original), (second, shown.decoded)):
        _draw_picture(axes, picture.pixels, _titled(picture))
        _outline(axes, shown.crop)
    error = shown.error
    most = max(float(np.percentile(error, _SEEN)), 1.0)
    drawn = third.imshow(error, cmap=COLOURS, vmin=0, vmax=most)
    _finish(third, f"error, mean {error.mean():.2f}, at most {error.max():.0f}\n")
    extend = "max" if error.max() > most else "neither"
    figure.colorbar(drawn, ax=third, label="absolute error, grey levels", extend=extend, fraction=0.05)


def _draw_crops(figure: SubFigure, shown: Shown) -> None:
    box = shown.crop
    names = [f"columns {box.left} to {box.left + box.width - 1}, rows {box.top} to {box.top + box.height - 1}", "", ""]
    pictures = (shown.original, shown.decoded, shown.jpeg)
    for axes, picture, where in zip(figure.subplots(1, 3), pictures, names):
        about = where if picture is shown.original else picture.figures
        _draw_picture(axes, box.cut(picture.pixels), f"{picture.name}, enlarged\n{about}", "nearest")


def _draw_bits(figure: SubFigure, shown: Shown) -> None:
    positions, bars = figure.subplots(1, 2, width_ratios=(1, 1.6))
    block = f"{shown.bits.downscale}x{shown.bits.downscale}"
    drawn = positions.imshow(shown.bits.positions, cmap=COLOURS, vmin=0, interpolation="nearest")
    _finish(positions, f"bits at each position of the latent\n(one for {block} pixels, without side information)")
    figure.colorbar(drawn, ax=positions, label="bits, estimated", fraction=0.05)
    side = [("side information", shown.bits.side)] if shown.bits.side else []
    _draw_bars(bars, [*side, *shown.bits.parts], shown.decoded.bits)


def _draw_bars(axes: Axes, parts: list[tuple[str, float]], stream: float) -> None:
    names, bits = zip(*parts)
    total = sum(bits)
    drawn = axes.barh(range(len(bits)), bits, color="#31688e")
    axes.bar_label(drawn, [f"{each:,.0f}  ({each / total:.1%})" for each in bits], padding=4, fontsize=9)
    axes.set_yticks(range(len(bits)), names, fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * max(bits))
    axes.set_xlabel("bits, estimated")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"bits of each part\n{total:,.0f} estimated, {stream:,.0f} in the stream", fontsize=10)


def _draw_previews(figure: SubFigure, previews: tuple[Picture, ...], rows: int) -> None:
    figure.suptitle("decoded from the first parts alone, the rest at its predicted means", fontsize=11)
    cells = figure.subplots(rows, _PREVIEWS, squeeze=False).ravel()
    for axes, picture in zip(cells, previews):
        _draw_picture(axes, picture.pixels, f"{picture.name}\n{picture.bpp:.3f} bpp so far, {picture.psnr:.2f} dB")
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


def _titled(picture: Picture) -> str:
    if math.isinf(picture.psnr):
        height, width = picture.pixels.shape[:2]
        return f"{picture.name}\n{width}x{height} pixels, {picture.bytes:,} bytes"
    return f"{picture.name}\n{picture.figures}"
