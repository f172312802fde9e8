"""The page of an inspection: one HTML file with the pictures inside, a slider between them, and a heat map of bits."""

from __future__ import annotations

import base64
import html
import importlib.resources
import io
import json
import string

import numpy as np
from PIL import Image

from lic.evaluation.inspect.inspection import Inspection
from lic.evaluation.inspect.pictures import Picture
from lic.evaluation.plots.theme import heat_colours

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
    bits = inspection.bits
    most = float(bits.positions.max())
    pictures = (inspection.original, inspection.decoded, inspection.jpeg)
    height, width = inspection.original.pixels.shape[:2]
    rows, columns = bits.positions.shape
    data = {
        "width": width,
        "height": height,
        # The latent covers whole blocks, so the heat map may reach beyond the image.
        "heat": {"width": columns * bits.downscale, "height": rows * bits.downscale},
        "pictures": [{"name": each.name, "source": _data_url(each.pixels)} for each in pictures],
    }
    return string.Template(_resource("page.html")).substitute(
        title=html.escape(title),
        about=html.escape(about),
        style=_resource("page.css"),
        script=_resource("page.js"),
        options="".join(_option(number, each) for number, each in enumerate(pictures)),
        rows="".join(
            _table_row(f"{each.name}{', uncompressed' * (each is inspection.original)}", each) for each in pictures
        ),
        heat=_data_url(heat_colours(bits.positions, 0.0, most)),
        gradient=", ".join(f"#{bytes(stop.tolist()).hex()}" for stop in heat_colours(np.linspace(0, 1, _STOPS), 0, 1)),
        most=f"{most:,.0f}",
        block=f"{bits.downscale}x{bits.downscale}",
        # Within a script element only "<" can end the element or begin a comment.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _resource(name: str) -> str:
    return (importlib.resources.files("lic.evaluation.inspect") / name).read_text(encoding="utf-8").strip()


def _data_url(pixels: np.ndarray) -> str:
    """Returns the URL of a PNG whose bytes are the URL itself."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _option(number: int, picture: Picture) -> str:
    return f'<option value="{number}">{html.escape(picture.name)}</option>'


def _table_row(name: str, picture: Picture) -> str:
    cells = "".join(f"<td>{cell}</td>" for cell in (f"{picture.bytes:,}", f"{picture.bpp:.3f}", picture.loss))
    return f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>'
