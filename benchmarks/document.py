"""Tables and marked places of Markdown files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from results import Row


def table(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """Returns a Markdown table of rows, without the columns that are empty in every row."""
    columns = [name for name in titles if any(row.get(name) for row in rows)]
    head = [[titles[name] for name in columns], ["---"] * len(columns)]
    lines = [*head, *([row.get(name, "") for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(text: str, name: str, content: str) -> str:
    """Returns a text with other content between its markers `<!-- NAME: begin -->` and `<!-- NAME: end -->`.

    Raises:
      ValueError: The text has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    replaced, count = re.subn(
        f"({re.escape(begin)}).*?({re.escape(end)})",
        lambda found: f"{found[1]}{content}\n{found[2]}" if content else found[1] + found[2],
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"Expected one pair of markers {begin.strip()} and {end}. Received: {count}.")
    return replaced
