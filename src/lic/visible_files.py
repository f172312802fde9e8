"""The files in a folder and in all folders inside, without those that systems hide there."""

from __future__ import annotations

import logging
import os
import pathlib
from collections.abc import Callable

_log = logging.getLogger(__name__)


def visible_files(folder: str | os.PathLike, wanted: Callable[[pathlib.Path], bool]) -> list[pathlib.Path]:
    """Returns the files in a folder and in all folders inside that are wanted, sorted.

    Hidden files and folders, whose names begin with a dot, are passed over: systems keep files of their own there. So
    are folders that cannot be read, of which a warning is logged.

    Args:
      folder: The folder.
      wanted: Returns whether a file is wanted, by its path. It is called before the file is looked for on the disk.
    """
    found = []
    for path, folders, names in os.walk(folder, onerror=_warn):
        folders[:] = [name for name in folders if not name.startswith(".")]
        visible = (pathlib.Path(path) / name for name in names if not name.startswith("."))
        found += [file for file in visible if wanted(file) and file.is_file()]
    return sorted(found)


def _warn(error: OSError) -> None:
    _log.warning("%s is passed over: %s", error.filename, error.strerror)
