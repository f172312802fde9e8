"""Shows notebooks as pages of the site: their text, code and outputs, as they were computed."""

from __future__ import annotations

import base64
import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from mkdocs.structure.files import File, Files


def on_files(files: Files, config: Any) -> Files:
    """Adds a page and its pictures for each notebook; the notebook itself stays, to be downloaded."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            notebook = json.loads(pathlib.Path(file.abs_src_path).read_text(encoding="utf-8"))
            for uri, content in _page_of(file.src_uri.removesuffix(".ipynb"), notebook):
                files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leads links to notebooks to their pages."""
    return re.sub(r"\]\(([^)]*)\.ipynb\)", r"](\1.md)", markdown)


def _page_of(name: str, notebook: dict[str, Any]) -> Iterator[tuple[str, str | bytes]]:
    """Pictures of a notebook, then its page, each with its place in the site."""
    blocks, pictures = [], 0
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            blocks.append(source)
            continue
        blocks.append(f"```python\n{source}\n```")
        text = "".join(_text_of(output) for output in cell["outputs"])
        if text:
            blocks.append(f"```text\n{text.rstrip()}\n```")
        for drawn in (output["data"]["image/png"] for output in cell["outputs"] if _is_picture(output)):
            pictures += 1
            picture = f"{name}-{pictures}.png"
            yield picture, base64.b64decode("".join(drawn))
            blocks.append(f"![What the code above draws]({picture.rpartition('/')[2]})")
    own = name.rpartition("/")[2] + ".ipynb"
    blocks.append(f'<a href="{own}" download>This page as a notebook</a>')
    yield f"{name}.md", "\n\n".join(blocks)


def _is_picture(output: dict[str, Any]) -> bool:
    return "image/png" in output.get("data", {})


def _text_of(output: dict[str, Any]) -> str:
    """What an output says in words; nothing where it is a picture."""
    return "" if _is_picture(output) else "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
