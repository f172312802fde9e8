"""Files of JSON that users may have edited, and that may be damaged."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import pathlib
from typing import Any

LARGEST = 64 << 20
_log = logging.getLogger(__name__)


def parse_json(text: str | bytes) -> Any:
    """Returns the data of a JSON text, which holds finite numbers only.

    Raises:
      ValueError: The text is not JSON, or holds NaN, an infinity, or a number that becomes one.
      RecursionError: It nests too deep.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
      OSError: The file cannot be read.
      ValueError: The file is not JSON, is larger than any of ours, or holds no object.
      RecursionError: It nests too deep.
    """
    size = os.path.getsize(path)
    if size > LARGEST:
        raise ValueError(f"it has {size} bytes, more than {LARGEST}")
    found = parse_json(pathlib.Path(path).read_bytes())
    if not isinstance(found, dict):
        raise ValueError(f"expected an object, found {type(found).__name__}")
    return found


def read_lines(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Returns the objects in a file with one line of JSON each; none if there is no file.

    Empty lines are left out, and so are others, with a warning that names the line: a process that was killed while it
    wrote leaves one that is cut off.
    """
    rows = []
    lines = pathlib.Path(path).read_bytes().split(b"\n") if os.path.exists(path) else []
    for number, line in enumerate(lines, 1):
        row = None
        with contextlib.suppress(ValueError, RecursionError):
            row = parse_json(line)
        if isinstance(row, dict):
            rows.append(row)
        elif line.strip():
            _log.warning("%s: line %d is cut off or damaged, and counts as missing", os.fspath(path), number)
    return rows


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
