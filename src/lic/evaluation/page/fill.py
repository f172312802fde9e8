"""Fills the page in: pictures as data in the file itself, text escaped."""

from __future__ import annotations

import base64
import html
import importlib.resources
import io
import json
import string

import numpy as np
from PIL import Image

from lic.evaluation.pictures import Picture
from lic.evaluation.plotting import in_colours
from lic.evaluation.show import Shown

_STOPS = 16  # Colours that the scale below the pictures is drawn from.


def page(shown: Shown, title: str, about: str) -> str:
    """Returns the page as HTML that needs no other file.

    Args:
      shown: What there is to see.
      title: Its heading, such as the image's name.
      about: A line below it.

    Raises:
      ImportError: matplotlib, whose colours the heat map has, is not installed.
    """
    bits = shown.bits
    most = float(bits.positions.max())
    pictures = (shown.original, shown.decoded, shown.jpeg)
    height, width = shown.original.pixels.shape[:2]
    rows, columns = bits.positions.shape
    data = {
        "width": width,
        "height": height,
        "heat": {"width": columns * bits.downscale, "height": rows * bits.downscale},
        "pictures": [{"name": each.name, "source": _source(each.pixels)} for each in pictures],
    }
    return string.Template(_text("page.html")).substitute(
        title=html.escape(title),
        about=html.escape(about),
        style=_text("page.css"),
        script=_text("page.js"),
        options="".join(_option(number, each) for number, each in enumerate(pictures)),
        rows="".join(map(_row, pictures)),
        heat=_source(in_colours(bits.positions, 0.0, most)),
        gradient=", ".join(_colour(stop) for stop in in_colours(np.linspace(0, 1, _STOPS), 0.0, 1.0)),
        most=f"{most:,.0f}",
        block=f"{bits.downscale}x{bits.downscale}",
        # Within a script element nothing else can end it or begin a comment.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _text(name: str) -> str:
    return (importlib.resources.files("lic.evaluation.page") / name).read_text(encoding="utf-8").strip()


def _source(pixels: np.ndarray) -> str:
    """Pixels as the address of a PNG that is part of it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _option(number: int, picture: Picture) -> str:
    return f'<option value="{number}">{html.escape(picture.name)}</option>'


def _row(picture: Picture) -> str:
    cells = "".join(f"<td>{cell}</td>" for cell in (f"{picture.bytes:,}", f"{picture.bpp:.3f}", picture.loss))
    return f'<tr><th scope="row">{html.escape(picture.name)}</th>{cells}</tr>'


def _colour(pixel: np.ndarray) -> str:
    return f"#{bytes(pixel.tolist()).hex()}"
