"""Figures for papers, one column wide: rate-distortion curves, bars of BD-rate, and speed against rate savings."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lic.errors import EvaluationError
from lic.evaluation.compare.comparison import ComparedEntry, Comparison
from lic.evaluation.compare.curves import Measure
from lic.evaluation.compare.entries import Entry
from lic.evaluation.plots.label_placement import Label, place_labels
from lic.evaluation.plots.theme import GREY, Style, column_figure, legend_below, styles, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

RATE = "Bits per pixel"
DECIBELS = {"psnr": "PSNR in dB", "ms_ssim_db": "MS-SSIM in dB"}
DASHED = "broken lines: published, over Kodak"
SECONDS = "Seconds per megapixel"
_HEIGHT = 2.7  # Height of the axes in inches.
_DENSE = 15  # A published curve with more points has a marker at some of them only.


def rate_distortion(
    entries: Sequence[Entry], measure: Measure = "psnr", title: str | None = None, max_bpp: float | None = None
) -> Figure:
    """Draws decibels over bits per pixel, with a marker at each measured point; published curves are dashed.

    Args:
      entries: The entries to draw; an entry with a single rate is a marker with its name.
      measure: The decibels of the curves, "psnr" or "ms_ssim_db".
      title: Text above the figure.
      max_bpp: Right end of the axis in bits per pixel; by default where the codecs of runs end.

    Raises:
      EvaluationError: There are no points to draw.
      ImportError: matplotlib is missing.
    """
    (left, right), (low, high) = limits(entries, max_bpp)
    with theme():
        figure, axes = column_figure(_HEIGHT, title)
        style_of = styles(entries)
        lines = [_draw_curve(axes, entry, style_of[entry.name]) for entry in entries]
        axes.set(xlabel=RATE, ylabel=DECIBELS[measure], xlim=(left, right), ylim=(low, high))
        axes.locator_params(steps=(1, 2, 5, 10))
        legend_title = DASHED if any(entry.published for entry in entries) else None
        legend_below(figure, lines, [entry.label for entry in entries], legend_title)
        labels = [
            Label(
                entry.curve.bpp[0],
                entry.curve.decibels[0],
                textwrap.fill(entry.label, 22),
                style_of[entry.name].colour,
            )
            for entry in entries
            if entry.single_rate and entry.curve.bpp[0] <= right
        ]
        place_labels(axes, labels)
    return figure


def limits(entries: Sequence[Entry], max_bpp: float | None = None) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the ends of both axes of a rate-distortion figure, in bits per pixel and in dB.

    Args:
      entries: The entries to draw.
      max_bpp: Right end in bits per pixel; by default where the codecs of runs end, because published curves go far.

    Raises:
      EvaluationError: There are no points to draw.
    """
    measured = [entry for entry in entries if not entry.published] or entries
    if not measured:
        raise EvaluationError("There are no curves to draw. Give one or more entries.")
    right = max_bpp or 1.04 * max(max(entry.curve.bpp) for entry in measured)
    decibels = [value for entry in entries for bpp, value in zip(entry.curve.bpp, entry.curve.decibels) if bpp <= right]
    if not decibels:
        raise EvaluationError(f"No curve has points below {right:g} bits per pixel. Give a larger right end.")
    margin = 0.05 * (max(decibels) - min(decibels)) or 1.0
    return (0.0, right), (min(decibels) - margin, max(decibels) + margin)


def _draw_curve(axes: Axes, entry: Entry, style: Style) -> Line2D:
    dense = entry.published and len(entry.curve.bpp) > _DENSE
    (line,) = axes.plot(
        entry.curve.bpp,
        entry.curve.decibels,
        color=style.colour,
        linestyle="none" if entry.single_rate else style.line,
        linewidth=1.0 if entry.published else 1.2,
        marker=style.marker,
        markerfacecolor=style.fill,
        markersize=6 if entry.single_rate else 3.5,
        markevery=0.12 if dense else None,  # As a share of the figure's diagonal.
        zorder=3 if entry.single_rate else 2,
    )
    return line


def bd_rate_bars(comparison: Comparison, title: str | None = None) -> Figure:
    """Draws BD-rates as bars, the best on top, hollow for published curves.

    A codec with one rate has a hatched bar, the change at its point.

    Args:
      comparison: The entries and their differences from the anchor.
      title: Text above the figure.

    Raises:
      EvaluationError: No entry has a BD-rate against the anchor.
      ImportError: matplotlib is missing.
    """
    bars = [each for each in comparison.compared if each.entry.name != comparison.anchor.name and each.rate is not None]
    if not bars:
        raise EvaluationError(f"No codec has a BD-rate against {comparison.anchor.label}. Name another anchor.")
    bars.sort(key=lambda each: each.rate, reverse=True)
    names = [textwrap.fill(each.entry.label, 26) for each in bars]
    bar_height = max(0.2, 0.03 + 0.12 * (1 + max(name.count("\n") for name in names)))  # Inches, for the longest name.
    with theme():
        from matplotlib.patches import Patch

        figure, axes = column_figure(0.85 + bar_height * len(bars), title)
        style_of = styles(each.entry for each in comparison.compared)
        kinds = {}
        for position, each in enumerate(bars):
            axes.barh(position, each.rate, height=0.7, **_bar_look(each, style_of[each.entry.name].colour))
            kinds[_bar_kind(each)] = Patch(**_bar_look(each, GREY))
        axes.set_yticks(range(len(bars)), names, fontsize=7)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color="black", linewidth=0.6)
        axes.spines["left"].set_visible(False)
        axes.margins(y=0.02)
        axes.set_xlabel(_rate_label(comparison), loc="right")
        if len(kinds) > 1 or any(each.bd_rate is None for each in bars):
            legend_below(figure, [kinds[kind] for kind in sorted(kinds)], sorted(kinds))
        _write_values(axes, [each.rate for each in bars])
    return figure


def _bar_kind(compared: ComparedEntry) -> str:
    """Returns the kind of a bar as the legend names it."""
    kind = "published" if compared.entry.published else "measured"
    return f"{kind}, one rate: at its point" if compared.bd_rate is None else kind


def _bar_look(compared: ComparedEntry, colour: str) -> dict[str, Any]:
    """Returns the arguments that draw a bar."""
    hollow, hatched = compared.entry.published, compared.bd_rate is None
    look = {"facecolor": "white" if hollow else colour, "edgecolor": colour, "linewidth": 0.8 if hollow else 0.0}
    if hatched:
        look |= {"hatch": "/////", "alpha": 0.75, "edgecolor": colour if hollow else "white"}
    return look


def _write_values(axes: Axes, values: Sequence[float]) -> None:
    """Writes the value of each bar beside its end, and widens the axis so that all values lie inside."""
    axes.figure.draw_without_rendering()  # The layout is settled only by drawing.
    rounded = [round(value, 1) + 0.0 for value in values]  # Adding zero makes a negative zero positive.
    texts = [f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") for value in rounded]
    for position, (value, text) in enumerate(zip(rounded, texts)):
        axes.annotate(
            text,
            (value, position),
            xytext=(-3 if value < 0 else 3, 0),
            textcoords="offset points",
            ha="right" if value < 0 else "left",
            va="center",
            fontsize=7,
        )
    left, right = min(rounded) < 0, max(rounded) >= 0
    low, high = min(0.0, *rounded), max(0.0, *rounded)
    # The room for values is fixed in inches, so the axis is widened by its share of what is left for the bars.
    axes_inches, value_inches = axes.get_window_extent().width / axes.figure.dpi, 0.08 + 0.06 * max(map(len, texts))
    room = value_inches * ((high - low) or 1.0) / (axes_inches - value_inches * (left + right))
    axes.set_xlim(low - room * left, high + room * right)


def _rate_label(comparison: Comparison) -> str:
    measure = DECIBELS[comparison.measure].removesuffix(" in dB")
    against = textwrap.fill(f"BD-rate in % against {comparison.anchor.label}", 40)
    return f"{against}\n(negative: fewer bits at equal {measure})"


def speed(comparison: Comparison, title: str | None = None) -> Figure:
    """Draws BD-rate over seconds per megapixel, filled for decoding and hollow for encoding; lower left is better.

    Args:
      comparison: The entries and their differences from the anchor.
      title: Text above the figure.

    Raises:
      EvaluationError: No codec but the anchor has both a BD-rate and times.
      ImportError: matplotlib is missing.
    """
    timed = [
        each
        for each in comparison.compared
        if each.rate is not None and each.entry.encode_seconds and each.entry.decode_seconds
    ]
    if not any(each.entry.name != comparison.anchor.name for each in timed):
        raise EvaluationError("No codec but the anchor has both a BD-rate and times. Name another anchor.")
    with theme():
        figure, axes = column_figure(_HEIGHT, title)
        style_of = styles(each.entry for each in comparison.compared)
        axes.set_xscale("log")
        for each in timed:
            _draw_speeds(axes, each, style_of[each.entry.name])
        axes.axhline(0, color="black", linewidth=0.6, zorder=1)
        axes.set(xlabel=SECONDS, ylabel=_rate_label(comparison), xlim=_decades(timed))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(y=0.15)
        legend_below(figure, _filled_and_hollow(), ["decode", "encode"])
        place_labels(axes, [_speed_label(each, style_of[each.entry.name]) for each in timed])
    return figure


def _draw_speeds(axes: Axes, compared: ComparedEntry, style: Style) -> None:
    decode, encode, rate = compared.entry.decode_seconds, compared.entry.encode_seconds, compared.rate
    axes.plot([decode, encode], [rate, rate], color=style.colour, linewidth=0.8)
    for seconds, fill in ((decode, style.colour), (encode, "white")):
        axes.plot(seconds, rate, color=style.colour, marker=style.marker, markerfacecolor=fill, markersize=5)


def _speed_label(compared: ComparedEntry, style: Style) -> Label:
    entry = compared.entry
    text = entry.label if compared.bd_rate is not None else f"{entry.label}\n(one rate)"
    return Label(math.sqrt(entry.decode_seconds * entry.encode_seconds), compared.rate, text, style.colour)


def _decades(timed: Sequence[ComparedEntry]) -> tuple[float, float]:
    """Returns the ends of the axis of seconds, which are whole decades so that it has two numbers or more."""
    seconds = [value for each in timed for value in (each.entry.encode_seconds, each.entry.decode_seconds)]
    return 10 ** math.floor(math.log10(min(seconds) / 1.3)), 10 ** math.ceil(math.log10(max(seconds) * 1.3))


def _filled_and_hollow() -> list[Line2D]:
    from matplotlib.lines import Line2D

    look = {"linestyle": "none", "marker": "o", "color": GREY}
    return [Line2D([], [], **look), Line2D([], [], markerfacecolor="white", **look)]
