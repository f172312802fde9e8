"""The figure of an inspection: pictures, errors, crops, bits, and previews."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lic.evaluation.inspect.inspection import Box, Inspection
from lic.evaluation.inspect.pictures import Picture
from lic.evaluation.plots.theme import HEAT_COLOURS, new_figure, theme
from lic.images.arrays import coloured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_DPI = 130
_COLUMN = 4.6  # Width in inches of each of three pictures side by side.
_LEAST_RATIO, _MOST_RATIO = 0.25, 1.3  # Bounds of height over width, so that a strip is seen and a tall image fits.
_TITLES = 0.6  # Height in inches of the text above and below a picture.
_BAR = 0.3  # Height in inches of a bar with its gap.
_PREVIEWS = 4  # Number of previews side by side.
_PERCENTILE = 99.8  # The errors that the colours span; single pixels beyond would leave all others dark.


def inspection_figure(inspection: Inspection, title: str) -> Figure:
    """Draws the pictures, the error, the crops, the bits, and the previews of an inspection.

    Args:
      inspection: The inspection of an image.
      title: Text above the figure, such as the names of image and model.

    Raises:
      ImportError: matplotlib is missing.
    """
    picture_height = _picture_height(*inspection.original.pixels.shape[:2])
    crop_height = _picture_height(inspection.crop.height, inspection.crop.width)
    bits_height = max(picture_height, 1.2 + _BAR * (len(inspection.bits.parts) + 1))
    heights = [picture_height, crop_height, bits_height]
    preview_rows = math.ceil(len(inspection.previews) / _PREVIEWS)
    if preview_rows:
        heights.append(0.3 + preview_rows * (3 / _PREVIEWS * (picture_height - _TITLES) + _TITLES))
    with theme():
        figure = new_figure(3 * _COLUMN, sum(heights) + 0.5, dpi=_DPI)
        figure.suptitle(title, fontsize=13, fontweight="bold")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights)
        _draw_pictures(parts[0], inspection)
        _draw_crops(parts[1], inspection)
        _draw_bits(parts[2], inspection)
        if preview_rows:
            _draw_previews(parts[3], inspection.previews, preview_rows)
    return figure


def _picture_height(height: int, width: int) -> float:
    """Returns the inches for a picture of height x width pixels and its titles."""
    return _COLUMN * min(max(height / width, _LEAST_RATIO), _MOST_RATIO) + _TITLES


def _draw_pictures(figure: SubFigure, inspection: Inspection) -> None:
    first, second, third = figure.subplots(1, 3)
    original, decoded, error = inspection.original, inspection.decoded, inspection.error
    height, width = original.pixels.shape[:2]
    _draw_picture(first, original.pixels, f"original\n{width}x{height} pixels, {original.bytes:,} bytes uncompressed")
    _draw_picture(second, decoded.pixels, f"decoded\n{decoded.figures}")
    for axes in (first, second):
        _outline(axes, inspection.crop)
    _draw_map(third, error, max(float(np.percentile(error, _PERCENTILE)), 1.0), "grey levels")
    _finish(third, f"error of the decoded image\nmean {error.mean():.2f}, at most {error.max():.1f} grey levels")


def _draw_crops(figure: SubFigure, inspection: Inspection) -> None:
    box, first, *others = inspection.crop, *figure.subplots(1, 3)
    where = f"columns {box.left} to {box.left + box.width - 1}, rows {box.top} to {box.top + box.height - 1}"
    _draw_picture(first, box.cut(inspection.original.pixels), f"original, enlarged\n{where}", "nearest")
    for axes, picture in zip(others, (inspection.decoded, inspection.jpeg)):
        _draw_picture(axes, box.cut(picture.pixels), f"{picture.name}, enlarged\n{picture.figures}", "nearest")


def _draw_bits(figure: SubFigure, inspection: Inspection) -> None:
    bits, quality = inspection.bits, inspection.quality
    positions, *maps, bars = figure.subplots(1, 2, width_ratios=(1, 1.6)) if quality is None else figure.subplots(1, 3)
    for axes in maps:
        _draw_map(axes, quality, float(quality.max()), "quality")
        _finish(axes, f"quality at each position of the latent\n{quality.min():g} to {quality.max():g}")
    block = f"{bits.downscale}x{bits.downscale}"
    _draw_map(positions, bits.positions, float(bits.positions.max()), "bits")
    _finish(
        positions,
        f"estimated bits at each position of the latent\n(one for {block} pixels, without side information)",
    )
    side = [("side information", bits.side)] if bits.side else []
    _draw_bars(bars, [*side, *bits.parts], inspection.decoded.bits, 1.7 if maps else 1.3)


def _draw_map(axes: Axes, values: np.ndarray, most: float, label: str) -> None:
    """Draws values from 0 to `most` as colours, with a colour bar beside them."""
    drawn = axes.imshow(values, cmap=HEAT_COLOURS, vmin=0, vmax=most)
    # An inset is as high as the picture; a colour bar of its own would be as high as the subplot.
    beside = axes.inset_axes((1.03, 0, 0.04, 1))
    extend = "max" if values.max() > most else "neither"
    axes.figure.colorbar(drawn, cax=beside, extend=extend, extendfrac=0.03).set_label(label, labelpad=8)


def _draw_bars(axes: Axes, parts: list[tuple[str, float]], stream_bits: float, room: float) -> None:
    """Draws the bits of parts as bars, on an axis that is so many times as long as the longest."""
    names, bits = zip(*parts)
    total = sum(bits)
    drawn = axes.barh(range(len(bits)), bits, color="#31688e")
    axes.bar_label(drawn, [f"{each:,.0f}  ({each / total:.1%})" for each in bits], padding=4, fontsize=9)
    axes.set_yticks(range(len(bits)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, room * max(bits))
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("bits, estimated")
    axes.set_title(f"bits of each part\n{total:,.0f} estimated, {stream_bits:,.0f} in the stream", fontsize=10)


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
    axes.spines[:].set_visible(True)  # A frame, because a picture may be white at its edges.


def _outline(axes: Axes, box: Box) -> None:
    """Draws the edge of a box in white on black, which is seen on any picture."""
    from matplotlib.patches import Rectangle

    for colour, width in (("black", 3), ("white", 1.5)):
        corner = (box.left - 0.5, box.top - 0.5)
        axes.add_patch(Rectangle(corner, box.width, box.height, fill=False, edgecolor=colour, linewidth=width))
