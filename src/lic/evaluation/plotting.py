"""Matplotlib, which is imported only where something is drawn, and without its global state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from lic.atomic_write import atomic_write
from lic.errors import ImageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = "viridis"  # Reads the same for eyes that do not tell red from green, and in grey.
ENDINGS = (".png", ".svg")
_DPI = 130


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure, in inches, whose parts are laid out so that nothing overlaps.

    Raises:
      ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def write_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Writes a figure to a file that ends in .png or .svg, aside and renamed.

    Raises:
      ImageError: The file ends otherwise.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise ImageError(f"{path}: a figure is written to a file that ends in {' or '.join(ENDINGS)}.")
    dated: dict[str, Any] = {"Date": None} if ending == ".svg" else {}
    with atomic_write(path) as file:
        figure.savefig(file, format=ending[1:], dpi="figure", metadata=dated)


def in_colours(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Returns numbers as colours, uint8 [..., 3], the lowest dark blue and the highest yellow.

    Raises:
      ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib import colormaps

    span = high - low
    shares = (np.asarray(values, np.float64) - low) / (span if span > 0 else 1.0)
    return colormaps[COLOURS](shares, bytes=True)[..., :3]


def check_matplotlib() -> None:
    """Raises an ImportError that says what to install where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Drawing needs matplotlib, which cannot be imported here ({error}). Install `keras-lic[eval]`."
        ) from None
