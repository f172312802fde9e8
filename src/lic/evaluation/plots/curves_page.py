"""Rate-distortion curves as a page to explore: one HTML file that works without a network."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lic.atomic_write import atomic_write
from lic.evaluation.compare.curves import Measure
from lic.evaluation.compare.entries import Entry
from lic.evaluation.plots.figures import DASHED, DECIBELS, RATE, limits
from lic.evaluation.plots.theme import Style, styles

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Plotly's names for the markers and dashes of `lic.evaluation.plots.theme`.
_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "*": "star",
}
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot", "longdash": "longdash"}


def write_curves_page(
    path: str | os.PathLike,
    groups: Mapping[Measure, Sequence[Entry]],
    title: str | None = None,
    max_bpp: float | None = None,
) -> None:
    """Writes a page with the curves of each measure side by side; pointing at a point shows its figures.

    Args:
      path: The file to write.
      groups: The entries to draw for each measure, "psnr" or "ms_ssim_db".
      title: Text above the curves.
      max_bpp: Right end of the axis in bits per pixel when the page is opened.

    Raises:
      EvaluationError: There are no points to draw.
      ImportError: plotly is missing.
    """
    figure = curves_page_figure(groups, title, max_bpp)
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, div_id="rate-distortion", config={"displaylogo": False}
    )
    heading = html.escape(title or "Rate-distortion curves")
    page = f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{heading}</title></head>\n'
    with atomic_write(path) as file:
        file.write(f"{page}<body>{drawn}</body>\n</html>\n".encode())


def curves_page_figure(
    groups: Mapping[Measure, Sequence[Entry]], title: str | None = None, max_bpp: float | None = None
) -> Figure:
    """Returns the plotly figure of the page; arguments and errors are those of `write_curves_page`."""
    try:
        from plotly.subplots import make_subplots
    except ImportError as error:
        raise ImportError(
            f"Pages need plotly, which cannot be imported ({error}). Install it: pip install 'keras-lic[eval]'."
        ) from error

    figure = make_subplots(cols=len(groups), horizontal_spacing=0.07)
    every = {entry.name: entry for entries in groups.values() for entry in entries}
    style_of = styles(every.values())
    in_legend: set[str] = set()
    for column, (measure, entries) in enumerate(groups.items(), start=1):
        for entry in entries:
            trace = _trace(entry, style_of[entry.name]) | {"showlegend": entry.name not in in_legend}
            figure.add_trace(trace, row=1, col=column)
            in_legend.add(entry.name)
        rates, decibels = limits(entries, max_bpp)
        figure.update_xaxes(title=RATE, range=rates, col=column)
        figure.update_yaxes(title=DECIBELS[measure], range=decibels, col=column)
    legend_title = {"text": DASHED} if any(entry.published for entry in every.values()) else None
    figure.update_layout(
        title=title and html.escape(title),
        template="plotly_white",
        hovermode="closest",
        height=640,
        hoverlabel={"namelength": -1},
        legend={"font": {"size": 12}, "title": legend_title},
        font={"size": 14},
    )
    return figure


def _trace(entry: Entry, style: Style) -> dict[str, Any]:
    symbol, name = _SYMBOLS[style.marker], html.escape(entry.label)
    return {
        "type": "scatter",
        "x": entry.curve.bpp,
        "y": entry.curve.decibels,
        "name": name,
        "mode": "markers" if entry.single_rate else "lines+markers",
        "legendgroup": entry.name,
        "line": {"color": style.colour, "dash": _DASHES[style.dash], "width": 1.5 if entry.published else 2.5},
        "marker": {
            "color": style.colour,
            "size": 13 if entry.single_rate else 7,
            "symbol": f"{symbol}-open" if entry.published else symbol,
        },
        "text": [_hover_text(entry, quality) for quality in entry.qualities],
        "hovertemplate": f"<b>{name}</b><br>%{{text}}%{{x:.4f}} bpp<br>%{{y:.3f}} dB<extra></extra>",
    }


def _hover_text(entry: Entry, quality: float | None) -> str:
    if entry.published:
        return f"published: {html.escape(entry.curve.source)}<br>"
    return "" if quality is None else f"quality {quality:g}<br>"
