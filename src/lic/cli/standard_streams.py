"""Standard input and output: names of any bytes are printed, and an output that is closed or full stops no work."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator

from lic.errors import LicError


def printable(text: str) -> str:
    """Returns a text on one line, in which bytes and characters that cannot be printed are escaped, as \\xe9 or \\n."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # A space of whatever width.
        return character
    # Python holds a byte of a file's name that is not UTF-8 as a character from U+DC80 to U+DCFF.
    byte = ord(character) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode()


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Makes standard output and error take every text while the context lasts, whatever they are connected to.

    Characters that the encoding lacks are escaped. What cannot be written is dropped, and the work goes on.

    Raises:
      OSError: The standard output was full, or its reader has gone; this is raised at the end.
    """
    _open_closed_ones()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _tolerant(sys.stdout, sys.__stdout__, 1), _tolerant(sys.stderr, sys.__stderr__, 2)
    output, leaving = sys.stdout, None
    try:
        yield
    except SystemExit as exit:
        leaving = exit
    finally:
        for stream in (output, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before
    _raise_write_error(output)
    if leaving:
        raise leaving


def _raise_write_error(output: io.TextIOBase) -> None:
    """Raises the OSError of an earlier write to an output of `standard_streams`, once."""
    raw = _raw(output)
    if isinstance(raw, _Tolerant) and raw.error:
        error, raw.error = raw.error, None
        raise error


def _raw(output: io.TextIOBase) -> io.RawIOBase | None:
    return getattr(getattr(output, "buffer", None), "raw", None)


class _Tolerant(io.FileIO):
    """A file whose write never fails.

    Attributes:
      error: The error of a write that failed.
      was_closed: Whether the command began with this file closed, so that it leads nowhere.
    """

    error: OSError | None = None
    was_closed = False

    def write(self, data: bytes) -> int | None:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            return len(data)


def _tolerant(stream: io.TextIOWrapper | None, original: io.TextIOWrapper | None, number: int) -> io.TextIOWrapper:
    if stream is not None and stream is not original:  # Another program has put its own in the place.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")
        return stream
    with contextlib.suppress(OSError, AttributeError):
        stream.flush()
    raw = _Tolerant(number, "wb", closefd=False)
    raw.was_closed = stream is None
    by_line = number == 2 or raw.isatty()
    encoding = stream.encoding if stream is not None else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=by_line)


def _open_closed_ones() -> None:
    """Connects closed ones of the three to nothing, since the next file to be opened would get their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def read_input() -> bytes:
    """Returns all bytes of the standard input.

    Raises:
      LicError: There are none.
    """
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    if not data:
        raise LicError("There is nothing on the standard input.")
    return data


def write_output(data: bytes) -> None:
    """Writes bytes to the standard output.

    Raises:
      LicError: They could not be written.
    """
    try:
        if sys.stdout is None or getattr(_raw(sys.stdout), "was_closed", False):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        _raise_write_error(sys.stdout)
    except OSError as error:
        raise LicError(f"The standard output cannot be written: {error.strerror}.") from error
