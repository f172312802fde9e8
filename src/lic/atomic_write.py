"""Files that are written beside their place and get their name when they are complete."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import shutil
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import IO

from lic.interrupts import holding_interrupts

_umask_lock = threading.Lock()
_STATUS = pathlib.Path("/proc/self/status")  # On Linux.


class atomic_write:  # noqa: N801 - used as a function
    """Opens a temporary file, which gets the name `path` at the end or is removed after an error.

    A symbolic link stays a link: the file that it points to is written, or made. A device or a pipe gets the bytes when
    they are complete. A file that is replaced hands down its permissions.

    Ctrl-C waits while the temporary file is made, named or removed. Wherever else it comes, a finaliser removes the
    file.

    Args:
      path: Path of the complete file.
      overwrite: Whether an existing file is replaced. If it is not, a file that another process makes in the meantime
        is left as it is, too.

    Raises:
      FileExistsError: There is a file at `path`, and `overwrite` is False.
      IsADirectoryError: There is a folder at `path`.
      FileNotFoundError: There is no folder for the file; the error names the folder.
    """

    def __init__(self, path: str | os.PathLike, overwrite: bool = True):
        self.path, self.overwrite = pathlib.Path(path), overwrite

    def __enter__(self) -> IO[bytes]:
        self._place = _Place(self.path, self.overwrite)
        if self._place.is_special:
            self._file = tempfile.TemporaryFile()
        else:
            with holding_interrupts():
                # The whole name could be too long with something added to it.
                self._file = tempfile.NamedTemporaryFile(
                    dir=self._place.path.parent, prefix=f".{self.path.name[:32]}.", suffix=".part", delete=False
                )
                self._remove = weakref.finalize(self, pathlib.Path(self._file.name).unlink, missing_ok=True)
        return self._file

    def __exit__(self, error_type: type | None, *_: object) -> None:
        if self._place.is_special:
            with self._file:
                if error_type is None:
                    self._file.seek(0)
                    self._place.pour(self._file)
            return
        with holding_interrupts():
            try:
                self._file.close()  # It flushes the buffer and may fail, so that the file must not be renamed before.
                if error_type is None:
                    self._place.fill(self._file.name)
            finally:
                self._remove()


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, overwrite: bool = True) -> Iterator[pathlib.Path]:
    """Yields a path of the same name in a temporary folder, and puts the file that is written there at `path`.

    This is `atomic_write` for functions that take a path and no file; arguments and errors are the same.
    """
    place = _Place(pathlib.Path(path), overwrite)
    beside = None if place.is_special else place.path.parent
    with holding_interrupts():
        folder = tempfile.TemporaryDirectory(dir=beside, prefix=".", suffix=".part")
    try:
        written = pathlib.Path(folder.name) / pathlib.Path(path).name
        yield written
        if place.is_special:
            with written.open("rb") as file:
                place.pour(file)
        else:
            with holding_interrupts():
                place.fill(written)
    finally:
        with holding_interrupts():
            folder.cleanup()


class _Place:
    """The place of a complete file: a path without symbolic links, or a device or pipe."""

    def __init__(self, path: pathlib.Path, overwrite: bool):
        self.path, self._overwrite, self._mode = path, overwrite, None
        self.is_special = False
        with contextlib.suppress(FileNotFoundError):
            self._mode = os.stat(path).st_mode
        if self._mode is not None and not overwrite:
            raise _error(errno.EEXIST, path)
        if self._mode is not None and stat.S_ISDIR(self._mode):
            raise _error(errno.EISDIR, path)
        if self._mode is not None and not stat.S_ISREG(self._mode):
            self.is_special = True
        else:
            self.path = pathlib.Path(os.path.realpath(path))
            if not self.path.parent.is_dir():
                raise _error(errno.ENOENT, self.path.parent)

    def fill(self, written: str | os.PathLike) -> None:
        """Gives a file that lies on the same disk the name of the place."""
        os.chmod(written, 0o666 & ~_umask() if self._mode is None else stat.S_IMODE(self._mode))
        if self._overwrite:
            os.replace(written, self.path)
            return
        try:
            os.link(written, self.path)  # Renaming would replace a file that has come into being since.
        except FileExistsError:
            raise _error(errno.EEXIST, self.path) from None
        except OSError:  # The file system has no hard links.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.replace(written, self.path)

    def pour(self, file: IO[bytes]) -> None:
        """Writes the bytes of a file into the device or pipe."""
        with open(self.path, "wb") as special:
            shutil.copyfileobj(file, special)


def _umask() -> int:
    with contextlib.suppress(OSError):
        masks = [line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("Umask:")]
        if masks:
            return int(masks[0], 8)
    # Else it is read by setting it, in the whole process. Files that other threads make meanwhile must not be open to
    # all.
    with _umask_lock:
        umask = os.umask(0o077)
        os.umask(umask)
    return umask


def _error(number: int, path: pathlib.Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))  # Python makes it the subclass of the number.
