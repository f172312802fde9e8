"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Returns columns of rows as aligned text under their names; what a row lacks is a dash.

    Args:
      rows: Figures by name.
      columns: Name of each column -> how its figures are written, as for `str.format`.
    """
    lines = [[name.replace("_", " ") for name in columns]]
    for row in rows:
        lines.append(["-" if row[name] is None else form.format(row[name]) for name, form in columns.items()])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    )
