"""Whatever a library raises while it reads an image, as an error that names the image."""

from __future__ import annotations

import contextlib
import re
import struct
import threading
import warnings
from collections.abc import Iterator

from lic.errors import ImageError

# Errors that nobody raises on purpose: their texts are about Python, and not about the image.
_BY_ACCIDENT = (LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError, struct.error)
# Texts of such errors, which libraries pass on in errors of other kinds.
_PYTHONS_WORDS = re.compile(
    r"unpack|buffer|out of range|literal|reshape|broadcast|can't decode|NoneType|object|0x[0-9a-f]{6}"
    r"|\w(Error|Exception)\b"
    r"|[A-Za-z]_[A-Za-z]"  # A name in a library, such as opj_decode.
)


class _Silence:
    """A context without warnings, for several threads at once: the last one to leave it brings the filters back.

    `warnings.catch_warnings` alone would bring back those that another thread has set.
    """

    def __init__(self):
        self._lock, self._inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._caught.__exit__(None, None, None)


_SILENCE = _Silence()


@contextlib.contextmanager
def as_image_errors(name: str) -> Iterator[None]:
    """Turns any error inside into an ImageError that names an image, and drops libraries' warnings, which name none."""
    try:
        with _SILENCE:
            yield
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"There is no file {name!r}.") from None
    except MemoryError as error:
        raise ImageError(f"{name} cannot be read as an image: it needs more memory than there is.") from error
    except Exception as error:
        raise ImageError(f"{name} cannot be read as an image: {words_of(error)}.") from error


def words_of(error: Exception) -> str:
    """Returns why an image cannot be read: the text of an error, if that is about the image."""
    text = getattr(error, "strerror", None) or str(error).strip().rstrip(".")
    if not text or isinstance(error, _BY_ACCIDENT) or _PYTHONS_WORDS.search(text):
        return "its contents are damaged, or it is cut off"
    return text
