"""A folder that one process at a time writes to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from lic.errors import LicError

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None


def make_folder(folder: str | os.PathLike, kind: type[LicError]) -> None:
    """Makes a folder with all folders above it, unless it exists.

    Args:
      folder: The folder.
      kind: The error.

    Raises:
      LicError: A file has its name, or it cannot be made.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        reason = "a file has its name" if isinstance(error, FileExistsError) else error.strerror
        raise kind(f"The folder {os.fspath(folder)!r} cannot be made: {reason}. Give another folder.") from None


@contextlib.contextmanager
def locked(folder: str | os.PathLike, kind: type[LicError], use: str) -> Iterator[None]:
    """Locks a folder that exists, until the context or the process ends, however it ends.

    Where the system or the file system has no such locks, the folder is not locked.

    Args:
      folder: The folder.
      kind: The error.
      use: What the other process does, such as "training".

    Raises:
      LicError: Another process, or another call in this process, has locked the folder.
    """
    descriptor = None
    if fcntl:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
    if descriptor is None:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise kind(
                f"Another {use} writes to {os.fspath(folder)!r} now. Wait until it has ended, or give another folder."
            ) from None
        except OSError:
            pass  # The file system has no locks.
        yield
    finally:
        os.close(descriptor)
