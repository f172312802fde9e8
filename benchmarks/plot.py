"""The plot of cost over the size of the image."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Sequence

from results import Row
from sections import is_square, pixels

QUANTITIES = {"codec peak memory": "peak memory, GiB", "compress": "compress, s", "decompress": "decompress, s"}
# The colours of Okabe and Ito, which colour-blind people can distinguish.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "osD^vP"
LEAST_SIZES = 2


def series(rows: Sequence[Row], quantity: str) -> dict[str, list[tuple[float, float]]]:
    """Returns megapixels and medians of a quantity on square images, for each model and tile with several sizes."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["quantity"] == quantity and is_square(row["size"]):
            label = f"{row['model']} ({row['weights']}), tile {row['tile'] or 'none'}"
            found.setdefault(label, []).append((pixels(row["size"]) / 1e6, float(row["median"])))
    return {label: sorted(points) for label, points in found.items() if len(points) >= LEAST_SIZES}


def draw(rows: Sequence[Row], title: str, path: pathlib.Path) -> bool:
    """Draws memory and times over megapixels as SVG, and returns whether there was anything to draw."""
    drawn = {quantity: found for quantity in QUANTITIES if (found := series(rows, quantity))}
    if not drawn:
        return False
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "lic", "svg.fonttype": "path", "font.size": 9}):
        figure, axes = pyplot.subplots(1, len(drawn), figsize=(11, 3.6), layout="constrained", squeeze=False)
        for panel, (quantity, lines) in zip(axes[0], drawn.items()):
            for number, (name, points) in enumerate(lines.items()):
                style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
                panel.plot(*zip(*points), label=name, linestyle="-" if number % 2 == 0 else "--", markersize=5, **style)
            panel.set(xscale="log", yscale="log", xlabel="megapixels", title=QUANTITIES[quantity])
            values = [value for points in lines.values() for _, value in points]
            panel.set_ylim(10 ** math.floor(math.log10(min(values))), 10 ** (math.floor(math.log10(max(values))) + 1))
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter("")
            panel.grid(True, which="both", color="#dddddd", linewidth=0.5)
        axes[0, 0].legend(fontsize=8)
        figure.suptitle(title, fontsize=9)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    return True
