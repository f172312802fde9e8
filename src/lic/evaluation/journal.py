"""The rows of an evaluation as they come, so that one that was stopped goes on."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from lic.errors import LicError
from lic.evaluation.row import Row

NAME = "rows.jsonl"


class Journal:
    """Rows in a file to which lines are added.

    Args:
      folder: Where the file is; it is made where there is none.
      facts: What the evaluation is of, as plain data: `images` and `codecs`, and anything else.

    Attributes:
      rows: Those that were there.
      facts: What was given, with the codecs that were there.

    Raises:
      LicError: What is there is of other images, or of another codec of the same name.
    """

    def __init__(self, folder: str | os.PathLike, facts: dict[str, Any]):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / NAME
        self.rows, before = _read(self._file)
        _check(folder, before, facts)
        self.facts = facts | {"codecs": before.get("codecs", {}) | facts["codecs"]}
        self._append([{"facts": self.facts}])

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows, which are in the file when this returns."""
        self._append([row._asdict() for row in rows])

    def _append(self, lines: list[dict[str, Any]]) -> None:
        # Each begins a line of its own, behind one that was cut off too.
        with open(self._file, "a", encoding="utf-8") as file:
            file.writelines("\n" + json.dumps(line) for line in lines)


def _read(file: pathlib.Path) -> tuple[list[Row], dict[str, Any]]:
    """All rows, and the last facts; lines that are empty or were cut off are left out."""
    rows, facts = [], {}
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if "facts" in line:
            facts = line["facts"]
        else:
            rows.append(Row(**line))
    return rows, facts


def _check(folder: pathlib.Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    if before and before["images"] != now["images"]:
        raise LicError(
            f"{folder} holds results of {before['images']}, this evaluation is of {now['images']}. Take another folder."
        )
    for name, facts in now["codecs"].items():
        there = before.get("codecs", {}).get(name, facts)
        if there != facts:
            raise LicError(
                f"{folder} holds results of another codec {name}: {there}, this is {facts}. "
                "Take another folder, or another name for the file of the codec."
            )
