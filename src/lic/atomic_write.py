"""Files that are written beside their place and renamed when they are complete."""

from __future__ import annotations

import io
import os
import pathlib
import tempfile


class atomic_write:  # noqa: N801 - used as a function
    """Opens a temporary file beside `path`, which is renamed to `path` at the end or removed after an error.

    Args:
      path: Path of the complete file.
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
            self.file.close()  # It flushes the buffer and may fail, so that the file must not be renamed before.
            if error_type is None:
                umask = os.umask(0)
                os.umask(umask)
                os.chmod(self.file.name, 0o666 & ~umask)
                os.replace(self.file.name, self.path)
        finally:
            pathlib.Path(self.file.name).unlink(missing_ok=True)
