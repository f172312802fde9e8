"""Pictures of results for papers: rate-distortion curves, bars of BD-rate, speed against rate savings."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lic.errors import LicError
from lic.evaluation.compare import Compared, Comparison
from lic.evaluation.contenders import Contender, is_published
from lic.evaluation.labels import Label, place
from lic.evaluation.style import COLOURS, GREY, Style, legend_below, look, new_figure, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATE = "Bits per pixel"
DECIBELS = {"psnr": "PSNR in dB", "ms_ssim_db": "MS-SSIM in dB"}
DASHED = "dashed: published, over Kodak"
SECONDS = "Seconds per megapixel"
_AXES = 2.7  # Inches that the axes are high.
_CHARACTER = 0.06  # Inches that a character of a value beside a bar is wide.
_LINE, _BAR = 0.12, 0.2  # Inches that a line of a bar's name, and a bar with its gap, are high.


def rate_distortion(
    contenders: Sequence[Contender], measure: str = "psnr", title: str | None = None, max_bpp: float | None = None
) -> Figure:
    """Draws decibels over bits per pixel, with measured points marked; published curves are dashed.

    Args:
      contenders: What to draw; one with a single rate is a marker with its name.
      measure: What the decibels are of, "psnr" or "ms_ssim_db".
      title: What stands above.
      max_bpp: Right end of the axis in bits per pixel; by default that of the codecs of runs.

    Raises:
      LicError: There is nothing to draw.
      ImportError: matplotlib is missing.
    """
    (left, right), (low, high) = limits(contenders, max_bpp)
    with look():
        figure, axes = new_figure(_AXES, title)
        of = styles([each.name for each in contenders])
        lines = [_draw_curve(axes, each, of[each.name]) for each in contenders]
        axes.set(xlabel=RATE, ylabel=DECIBELS[measure], xlim=(left, right), ylim=(low, high))
        axes.locator_params(steps=(1, 2, 5, 10))
        legend_below(
            *(figure, lines, [each.label for each in contenders]),
            title=DASHED if any(each.published for each in contenders) else None,
        )
        points = [each for each in contenders if len(each.curve.bpp) == 1 and each.curve.bpp[0] <= right]
        place(axes, [Label(*_first(each), textwrap.fill(each.label, 22), of[each.name].colour) for each in points])
    return figure


def limits(
    contenders: Sequence[Contender], max_bpp: float | None = None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the ends of both axes of a rate-distortion picture, bits per pixel and dB.

    Args:
      contenders: What is drawn.
      max_bpp: Right end in bits per pixel; by default that of the codecs of runs, since published curves go far.

    Raises:
      LicError: There is nothing to draw.
    """
    measured = [each for each in contenders if not each.published] or contenders
    if not measured:
        raise LicError("There are no curves to draw.")
    right = max_bpp or 1.04 * max(max(each.curve.bpp) for each in measured)
    seen = [decibels for each in contenders for bpp, decibels in zip(*each.curve[1:3]) if bpp <= right]
    if not seen:
        raise LicError(f"No curve has points below {right:g} bits per pixel. Name a larger right end.")
    margin = 0.05 * (max(seen) - min(seen)) or 1.0
    return (0.0, right), (min(seen) - margin, max(seen) + margin)


def bd_rate_bars(comparison: Comparison, title: str | None = None) -> Figure:
    """Draws BD-rates as bars, the best on top; a codec with one rate has the change at its point, hatched.

    Raises:
      LicError: Nothing is to be compared with the anchor.
      ImportError: matplotlib is missing.
    """
    rows = sorted(_others(comparison), key=lambda row: row.rate, reverse=True)
    names = [textwrap.fill(row.label, 26) for row in rows]
    height = max(_BAR, 0.03 + _LINE * (1 + max(name.count("\n") for name in names)))
    with look():
        figure, axes = new_figure(0.85 + height * len(rows), title)
        kinds = {}
        for position, row in enumerate(rows):
            kind, drawn = _kind(row)
            (bar,) = axes.barh(position, row.rate, height=0.7, edgecolor="white", linewidth=0, **drawn)
            kinds.setdefault(kind, bar)
        axes.set_yticks(range(len(rows)), names, fontsize=7)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color="black", linewidth=0.6)
        axes.spines["left"].set_visible(False)
        axes.margins(y=0.02)
        axes.set_xlabel(_rate_label(comparison), loc="right")
        if len(kinds) > 1 or any(row.bd_rate is None for row in rows):
            legend_below(figure, *zip(*[(kinds[kind], kind) for kind in sorted(kinds)]))
        _write_values(axes, [row.rate for row in rows])
    return figure


def speed(comparison: Comparison, title: str | None = None) -> Figure:
    """Draws BD-rate over seconds per megapixel, of decoding filled and of encoding hollow; below and left is better.

    Raises:
      LicError: No codec but the anchor has both BD-rate and times.
      ImportError: matplotlib is missing.
    """
    rows = [row for row in comparison.rows if row.rate is not None and row.encode_seconds and row.decode_seconds]
    if not any(row.codec != comparison.anchor.name for row in rows):
        raise LicError("No codec but the anchor has both a BD-rate and times.")
    with look():
        figure, axes = new_figure(_AXES, title)
        of = styles([row.codec for row in comparison.rows])
        axes.set_xscale("log")
        for row in rows:
            _draw_speeds(axes, row, of[row.codec])
        axes.axhline(0, color="black", linewidth=0.6, zorder=1)
        axes.set(xlabel=SECONDS, ylabel=_rate_label(comparison), xlim=_decades(rows))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(y=0.15)
        legend_below(figure, _decode_and_encode(), ["decode", "encode"])
        place(axes, [_speed_label(row, of[row.codec]) for row in rows])
    return figure


def _draw_curve(axes: Axes, contender: Contender, style: Style) -> Any:
    curve, single = contender.curve, len(contender.curve.bpp) == 1
    (line,) = axes.plot(
        *(curve.bpp, curve.decibels),
        **{"color": style.colour, "linestyle": "none" if single else style.line, "marker": style.marker},
        **{"markerfacecolor": style.fill, "markersize": 6 if single else 3.5, "zorder": 3 if single else 2},
        **{"linewidth": 1.0 if contender.published else 1.2, "markevery": 0.12 if _dense(contender) else None},
    )
    return line


def _dense(contender: Contender) -> bool:
    """Whether a curve has more points than marks can be told apart; those of runs are all marked."""
    return contender.published and len(contender.curve.bpp) > 15


def _first(contender: Contender) -> tuple[float, float]:
    return contender.curve.bpp[0], contender.curve.decibels[0]


def _others(comparison: Comparison) -> list[Compared]:
    rows = [row for row in comparison.rows if row.codec != comparison.anchor.name and row.rate is not None]
    if not rows:
        raise LicError(f"No codec has a BD-rate against {comparison.anchor.label}.")
    return rows


def _kind(row: Compared) -> tuple[str, dict[str, Any]]:
    """What a bar stands for, and how it is drawn."""
    published = is_published(row.codec)
    drawn = {"color": GREY if published else COLOURS[0]}
    kind = "published" if published else "measured"
    if row.bd_rate is None:
        return f"{kind}, one rate: at its point", drawn | {"hatch": "/////", "alpha": 0.75}
    return kind, drawn


def _write_values(axes: Axes, values: Sequence[float]) -> None:
    """Writes the value of each bar beside its end, and widens the axis so that all are within."""
    axes.figure.draw_without_rendering()  # Settles the layout.
    rounded = [round(value, 1) + 0.0 for value in values]  # Without negative zeros.
    texts = [f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") for value in rounded]
    for position, (value, text) in enumerate(zip(rounded, texts)):
        side = -1 if value < 0 else 1
        beside = {"xytext": (3 * side, 0), "textcoords": "offset points", "ha": "right" if side < 0 else "left"}
        axes.annotate(text, (value, position), va="center", fontsize=7, **beside)
    left, right = min(rounded) < 0, max(rounded) >= 0
    low, high = min(0.0, *rounded), max(0.0, *rounded)
    inches, value_inches = axes.get_window_extent().width / axes.figure.dpi, 0.08 + _CHARACTER * max(map(len, texts))
    room = value_inches * ((high - low) or 1.0) / (inches - value_inches * (left + right))
    axes.set_xlim(low - room * left, high + room * right)


def _rate_label(comparison: Comparison) -> str:
    """What is on the axis of BD-rates."""
    measure = DECIBELS[comparison.measure].removesuffix(" in dB")
    against = textwrap.fill(f"BD-rate in % against {comparison.anchor.label}", 40)
    return f"{against}\n(negative: fewer bits at equal {measure})"


def _draw_speeds(axes: Axes, row: Compared, style: Style) -> None:
    axes.plot([row.decode_seconds, row.encode_seconds], [row.rate] * 2, color=style.colour, linewidth=0.8)
    for seconds, fill in ((row.decode_seconds, style.colour), (row.encode_seconds, "white")):
        axes.plot(seconds, row.rate, color=style.colour, marker=style.marker, markerfacecolor=fill, markersize=5)


def _speed_label(row: Compared, style: Style) -> Label:
    text = row.label if row.bd_rate is not None else f"{row.label}\n(one rate)"
    return Label(math.sqrt(row.decode_seconds * row.encode_seconds), row.rate, text, style.colour)


def _decades(rows: Sequence[Compared]) -> tuple[float, float]:
    """Ends of the axis of seconds: whole decades, so that two numbers or more stand there."""
    seconds = [value for row in rows for value in (row.encode_seconds, row.decode_seconds)]
    return 10 ** math.floor(math.log10(min(seconds) / 1.3)), 10 ** math.ceil(math.log10(max(seconds) * 1.3))


def _decode_and_encode() -> list[Any]:
    from matplotlib.lines import Line2D

    drawn = {"linestyle": "none", "marker": "o", "color": GREY}
    return [Line2D([], [], **drawn), Line2D([], [], markerfacecolor="white", **drawn)]
