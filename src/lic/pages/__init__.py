"""The look that all pages share: two pictures with a divider between them, their figures, and the bits as colours.

`compare.html` is the body of such a page, `compare.css` its style, and `compare.js` the function `comparison`, which
shows pictures. A page is one file: all three are inside it.
"""

from __future__ import annotations

import html
import importlib.resources
import json
import string
from typing import Any


def filled(template: str, data: Any, **texts: str) -> str:
    """Returns a page: its template with the shared style, body and script, data and texts.

    Args:
      template: HTML with $style, $body, $script, $data, and the names of the texts.
      data: What the script of the page reads from the element `data`, as JSON.
      **texts: Texts of the page, which are escaped.
    """
    files = {"style": "compare.css", "body": "compare.html", "script": "compare.js"}
    return string.Template(template).substitute(
        {name: html.escape(text) for name, text in texts.items()},
        **{name: _source(file) for name, file in files.items()},
        # Within a script element only "<" can end the element or begin a comment.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _source(file: str) -> str:
    return (importlib.resources.files("lic.pages") / file).read_text(encoding="utf-8").strip()
