"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def print_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Prints a line for each row under the names of the columns, words on the left and numbers on the right.

    No line is cut off, on a narrow terminal or in a pipe.

    Args:
      rows: The values of each row by the names of the columns; None is printed as a dash.
      columns: Name of each column, where an underscore stands for a space -> the format of its values.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows, table = list(rows), Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        words = any(isinstance(row[name], str) for row in rows)
        table.add_column(name.replace("_", " "), justify="left" if words else "right", no_wrap=True)
    for row in rows:
        cells = ("-" if row[name] is None else form.format(row[name]) for name, form in columns.items())
        table.add_row(*map(Text, cells))  # Text, since rich would read brackets in plain strings as markup.
    console = Console()
    console.width = max(console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        print(line.rstrip())  # Rich fills up the last column with spaces.
