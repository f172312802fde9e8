"""The journal of an evaluation: rows on disk as soon as they are measured, so that a stopped evaluation can resume."""

from __future__ import annotations

import json
import os
import pathlib
import warnings
from collections.abc import Iterable
from typing import Any

from lic.errors import EvaluationError, as_error
from lic.evaluation.run.results import Failure, Row, check_facts, checked_failure, checked_row
from lic.json_files import read_lines

NAME = "rows.jsonl"


class Journal:
    """A file of rows, to which an evaluation adds lines.

    Args:
      folder: Folder of the file; it is made if it does not exist.
      facts: What the evaluation measures, as plain data: `images`, `codecs`, and anything else.

    Attributes:
      rows: Rows that the file held already.
      failures: Failures that the file held already, of images and qualities that have no row.
      facts: The given facts, with the codecs that the file held already.

    Raises:
      EvaluationError: The file holds results of other images, or of another codec with the same name, or is damaged.
    """

    def __init__(self, folder: str | os.PathLike, facts: dict[str, Any]):
        folder, facts = pathlib.Path(folder), json.loads(json.dumps(facts))  # As the file gives them back.
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / NAME
        self.rows, self.failures, before = _read(self._file)
        _check_same(folder, before, facts)
        if self.rows and _timing(before) != _timing(facts):
            warnings.warn(
                f"{folder} holds results of another machine or of another number of images at once, so that the "
                "seconds of its codecs do not compare. The facts are those of this evaluation.",
                stacklevel=3,
            )
        self.facts = facts | {"codecs": before.get("codecs", {}) | facts["codecs"]}
        self._append([{"facts": self.facts}])

    def add(self, rows: Iterable[Row], failures: Iterable[Failure] = ()) -> None:
        """Adds rows and failures, which are in the file when this method returns."""
        lines = [{"failure": failure._asdict()} for failure in failures]
        self._append([*lines, *(row._asdict() for row in rows)])

    def _append(self, lines: list[dict[str, Any]]) -> None:
        # The line break comes first: the file may end in a line that was cut off when an evaluation was killed.
        with open(self._file, "a", encoding="utf-8") as file:
            file.writelines("\n" + json.dumps(line) for line in lines)


def _read(file: pathlib.Path) -> tuple[list[Row], list[Failure], dict[str, Any]]:
    """Returns all rows and failures, of each codec, image and quality the last, and the last facts.

    Lines that were cut off are left out with a warning, and what they held is measured anew.
    """
    rows, failures, facts = {}, {}, {}
    with as_error(EvaluationError, f"{file} is damaged", "Remove the line, or write to another folder."):
        for line in read_lines(file):
            if "facts" in line:
                facts = line["facts"]
                if not isinstance(facts, dict) or not {"images", "codecs"} <= facts.keys():
                    raise ValueError(f"expected images and codecs. Received: {facts!r}")
                check_facts(facts)
            elif "failure" in line:
                failure = checked_failure(line["failure"])
                failures[failure.codec, failure.image, failure.quality] = failure
            else:
                row = checked_row(line)
                rows[row.codec, row.image, row.quality] = row
                failures.pop((row.codec, row.image, row.quality), None)
        if rows and not facts:
            raise ValueError("it holds rows, and not what they measure")
    return list(rows.values()), list(failures.values()), facts


def _check_same(folder: pathlib.Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    if before and before["images"] != now["images"]:
        raise EvaluationError(
            f"{folder} holds results of other images: {_described(before['images'])}. This evaluation is of "
            f"{_described(now['images'])}{_and_yet(before['images'], now['images'])}. Write to another folder."
        )
    for name, facts in now["codecs"].items():
        known = before.get("codecs", {}).get(name, facts)
        if known != facts:
            raise EvaluationError(
                f"{folder} holds results of another codec {name}: {_listed(known, facts)}. The codec to be measured "
                f"has {_listed(facts, known)}. Write to another folder, or give the codec another name: NAME=PATH."
            )


def _timing(facts: dict[str, Any]) -> tuple:
    """Returns the facts on which the seconds of results depend."""
    return facts.get("machine"), facts.get("conventions", {}).get("images_at_once")


def _described(images: dict[str, Any]) -> str:
    count = images.get("count")
    return f"{count} image{'s' * (count != 1)} in the folder {images.get('folder')!r}"


def _and_yet(before: dict[str, Any], now: dict[str, Any]) -> str:
    return ", whose names or contents differ" if _described(before) == _described(now) else ""


def _listed(facts: dict[str, Any], other: dict[str, Any]) -> str:
    """Returns the facts that differ from those of another codec, in words."""
    return ", ".join(f"{name} {value}" for name, value in facts.items() if other.get(name) != value) or "no such facts"
