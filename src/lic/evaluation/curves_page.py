"""Rate-distortion curves as a page to explore: one HTML file that works without a network."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from typing import Any

from lic.atomic_write import atomic_write
from lic.evaluation.contenders import Contender
from lic.evaluation.plots import DASHED, DECIBELS, RATE, limits
from lic.evaluation.style import Style, styles

# Plotly's words for the markers and dashes of `lic.evaluation.style`.
_SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond"},
    **{"v": "triangle-down", "P": "cross", "X": "x", "*": "star"},
}
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot", "longdash": "longdash"}


def write_page(
    path: str | os.PathLike,
    contenders: Mapping[str, Sequence[Contender]],
    title: str | None = None,
    max_bpp: float | None = None,
) -> None:
    """Writes the curves of each measure beside each other; the pointer on a point tells codec, quality, rate and dB.

    Args:
      path: The file to write.
      contenders: What to draw, for each measure, "psnr" or "ms_ssim_db".
      title: What stands above.
      max_bpp: Right end of the axis in bits per pixel, to begin with.

    Raises:
      LicError: There is nothing to draw.
      ImportError: plotly is missing.
    """
    figure = page_figure(contenders, title, max_bpp)
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, div_id="rate-distortion", config={"displaylogo": False}
    )
    heading = html.escape(title or "Rate-distortion curves")
    page = f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{heading}</title></head>\n'
    with atomic_write(path) as file:
        file.write(f"{page}<body>{drawn}</body>\n</html>\n".encode())


def page_figure(
    contenders: Mapping[str, Sequence[Contender]], title: str | None = None, max_bpp: float | None = None
) -> Any:
    """Returns the figure of the page, as plotly's; arguments and errors are those of `write_page`."""
    try:
        from plotly.subplots import make_subplots
    except ImportError as error:
        raise ImportError(
            f"Pages need plotly, which cannot be imported ({error}). Install `keras-lic[eval]`."
        ) from error

    figure = make_subplots(cols=len(contenders), horizontal_spacing=0.07)
    of = styles(list(dict.fromkeys(each.name for group in contenders.values() for each in group)))
    seen: set[str] = set()
    for column, (measure, group) in enumerate(contenders.items(), start=1):
        for each in group:
            trace = _trace(each, of[each.name]) | {"showlegend": each.name not in seen}
            figure.add_trace(trace, row=1, col=column)
            seen.add(each.name)
        rates, decibels = limits(group, max_bpp)
        figure.update_xaxes(title=RATE, range=rates, col=column)
        figure.update_yaxes(title=DECIBELS[measure], range=decibels, col=column)
    legend = {"text": DASHED} if any(each.published for group in contenders.values() for each in group) else None
    figure.update_layout(
        **{"title": title and html.escape(title), "template": "plotly_white", "hovermode": "closest", "height": 640},
        **{"hoverlabel": {"namelength": -1}, "legend": {"font": {"size": 12}, "title": legend}, "font": {"size": 14}},
    )
    return figure


def _trace(contender: Contender, style: Style) -> dict[str, Any]:
    single, symbol = len(contender.curve.bpp) == 1, _SYMBOLS[style.marker]
    name = html.escape(contender.label)
    return {
        **{"type": "scatter", "x": contender.curve.bpp, "y": contender.curve.decibels, "name": name},
        **{"mode": "markers" if single else "lines+markers", "legendgroup": contender.name},
        "line": {"color": style.colour, "dash": _DASHES[style.dash], "width": 1.5 if contender.published else 2.5},
        "marker": {
            **{"color": style.colour, "size": 13 if single else 7},
            "symbol": f"{symbol}-open" if contender.published else symbol,
        },
        "text": [_hover(contender, quality) for quality in contender.qualities],
        "hovertemplate": f"<b>{name}</b><br>%{{text}}%{{x:.4f}} bpp<br>%{{y:.3f}} dB<extra></extra>",
    }


def _hover(contender: Contender, quality: float | None) -> str:
    if contender.published:
        return f"published: {html.escape(contender.curve.source)}<br>"
    return "" if quality is None else f"quality {quality:g}<br>"
