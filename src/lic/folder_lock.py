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
