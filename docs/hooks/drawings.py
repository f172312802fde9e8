"""Puts drawings into the pages themselves, where they take the colours of the theme."""

from __future__ import annotations

import pathlib
import re
from typing import Any

_IMAGE = re.compile(r'<img alt="([^"]*)" src="[^"]*drawings/([\w-]+\.svg)"\s*/?>')
_STYLE = re.compile(r"<style>.*?</style>\s*", re.DOTALL)


def on_page_content(html: str, config: Any, **_: Any) -> str:
    """Replaces each image of a drawing by the drawing."""
    folder = pathlib.Path(config.docs_dir) / "drawings"

    def drawing(found: re.Match) -> str:
        # The style is for a drawing that is looked at alone, and would follow the system in place of the theme.
        svg = _STYLE.sub("", (folder / found[2]).read_text(encoding="utf-8"))
        svg = svg.replace("<svg ", f'<svg role="img" aria-label="{found[1]}" ', 1)
        return f'<span class="drawing">{svg}</span>'

    return _IMAGE.sub(drawing, html)
