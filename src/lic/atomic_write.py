"""Files that are written aside and take their place at the end, so that they are never there in part."""

from __future__ import annotations

import io
import os
import pathlib
import tempfile


class atomic_write:  # noqa: N801 - used as a function
    """Opens a temporary file beside `path` that takes its place at the end, or goes if anything failed.

    Args:
      path: Where the file is to be.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)

    def __enter__(self) -> io.BufferedWriter:
        self.file = tempfile.NamedTemporaryFile(
            dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".part", delete=False
        )
        return self.file

    def __exit__(self, error_type: type | None, *_: object) -> None:
        try:
            self.file.close()  # Which writes what is left, and may fail.
            if error_type is None:
                umask = os.umask(0)
                os.umask(umask)
                os.chmod(self.file.name, 0o666 & ~umask)
                os.replace(self.file.name, self.path)
        finally:
            pathlib.Path(self.file.name).unlink(missing_ok=True)
