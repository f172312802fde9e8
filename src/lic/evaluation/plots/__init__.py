"""Drawing results: figures for papers with matplotlib, and a page to explore with plotly.

Both packages are imported when something is drawn.
"""

from lic.evaluation.plots.curves_page import write_curves_page
from lic.evaluation.plots.figures import bd_rate_bars, rate_distortion, speed
from lic.evaluation.plots.theme import save_figure

__all__ = ["bd_rate_bars", "rate_distortion", "save_figure", "speed", "write_curves_page"]
