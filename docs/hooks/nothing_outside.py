"""Fails the build where a page would load anything from another site."""

from __future__ import annotations

import pathlib
import re
from typing import Any

from mkdocs.exceptions import PluginError

# What a browser fetches by itself; links that a reader may follow are no matter.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|object)\b[^>]*?(?:src|data)=["']?(?:https?:)?//[^>]*>"""
    r"""|<link\b(?![^>]*rel=["']?canonical)[^>]*href=["']?(?:https?:)?//[^>]*>|url\(["']?(?:https?:)?//[^)]*\)"""
)


def on_post_build(config: Any) -> None:
    """Looks through the pages and style sheets that were written."""
    for file in sorted(pathlib.Path(config.site_dir).rglob("*")):
        if file.suffix in (".html", ".css"):
            found = _LOADED.search(file.read_text(encoding="utf-8"))
            if found:
                raise PluginError(f"{file} would load something from outside: {found[0]}")
