"""Streams in files, for commands."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

from lic.errors import BitstreamError


def read_stream(path: pathlib.Path) -> bytes:
    """Returns the bytes of a file.

    Raises:
      BitstreamError: There is none.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BitstreamError(f"There is no file {str(path)!r}.") from None


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Puts the name of a file before the message of what is raised within."""
    try:
        yield
    except Exception as error:
        error.args = (f"{path}: {error}",)
        raise
