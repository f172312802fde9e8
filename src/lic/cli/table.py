"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Returns columns of rows as aligned text under their names, words left, figures right; what a row lacks is a dash.

    Args:
      rows: Figures by name.
      columns: Name of each column -> how its figures are written, as for `str.format`.
    """
    rows, lines = list(rows), [[name.replace("_", " ") for name in columns]]
    for row in rows:
        lines.append(["-" if row[name] is None else form.format(row[name]) for name, form in columns.items()])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    aligned = [str.ljust if any(isinstance(row[name], str) for row in rows) else str.rjust for name in columns]
    return "\n".join(
        "  ".join(align(cell, width) for align, cell, width in zip(aligned, line, widths)).rstrip() for line in lines
    )


def listed(facts: Mapping[str, Any]) -> str:
    """Returns facts as text, a name and a value on each line."""
    width = max(map(len, facts))
    return "\n".join(f"{name:{width}}  {value}" for name, value in facts.items())


def print_whole(table: Table) -> None:
    """Prints a table of rich's with a line for each row, whole on a narrow terminal too."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, console.measure(table, options=console.options.update(max_width=1000)).maximum)
    console.print(table)
