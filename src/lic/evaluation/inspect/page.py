"""The page of an inspection: one HTML file with the pictures inside, a slider between them, and a heat map of bits."""

from __future__ import annotations

import base64
import importlib.resources
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from lic.evaluation.inspect.inspection import Inspection
from lic.evaluation.plots.theme import heat_colours
from lic.pages import filled

_STOPS = 16  # Number of colours in the gradient that explains the heat map.


def inspection_page(inspection: Inspection, title: str, about: str) -> str:
    """Returns the page as HTML that needs no other file.

    Args:
      inspection: The inspection of an image.
      title: Heading of the page, such as the image's name.
      about: Line below the heading.

    Raises:
      ImportError: matplotlib, which provides the colours of the heat map, is missing.
    """
    template = (importlib.resources.files("lic.evaluation.inspect") / "page.html").read_text(encoding="utf-8")
    return filled(template, comparison_of(inspection, data_url), title=title, about=about)


def comparison_of(inspection: Inspection, address: Callable[[str, np.ndarray], str | None]) -> dict[str, Any]:
    """Returns what the page of a comparison shows, as `lic/pages/compare.js` describes it.

    Args:
      inspection: The inspection of an image.
      address: Returns the address of a picture, given its pixels and "original", "decoded", "jpeg" or "bits"; or None
        where the page has a picture of its own.

    Raises:
      ImportError: matplotlib, which provides the colours of the heat map, is missing.
    """
    bits = inspection.bits
    most = float(bits.positions.max())
    height, width = inspection.original.pixels.shape[:2]
    rows, columns = bits.positions.shape
    stops = heat_colours(np.linspace(0, 1, _STOPS), 0, 1)
    pictures = {"original": inspection.original, "decoded": inspection.decoded, "jpeg": inspection.jpeg}
    block = f"{bits.downscale}x{bits.downscale}"
    return {
        "width": width,
        "height": height,
        "heat": {
            "source": address("bits", heat_colours(bits.positions, 0.0, most)),
            # The latent covers whole blocks, so the heat map may reach beyond the image.
            "width": columns * bits.downscale,
            "height": rows * bits.downscale,
            "most": f"{most:,.0f} estimated bits at a position of the latent, which is {block} pixels",
            "gradient": ", ".join(f"#{bytes(stop.tolist()).hex()}" for stop in stops),
        },
        "pictures": [
            {
                "name": picture.name,
                "source": address(name, picture.pixels),
                "label": f"{picture.name}{', uncompressed' * (name == 'original')}",
                "figures": [f"{picture.bytes:,}", f"{picture.bpp:.3f}", picture.loss],
            }
            for name, picture in pictures.items()
        ],
    }


def data_url(name: str, pixels: np.ndarray) -> str:
    """Returns the URL of a PNG whose bytes are the URL itself."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
