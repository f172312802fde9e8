"""Whatever a library raises while it reads an image, as an error that names the image."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

from PIL import Image

from lic.errors import ImageError

# Errors that libraries raise on purpose, whose text is a reason.
_ON_PURPOSE = (OSError, ValueError, SyntaxError, EOFError, NotImplementedError, Image.DecompressionBombError)


@contextlib.contextmanager
def as_image_errors(name: str) -> Iterator[None]:
    """Turns any error inside into an ImageError that names an image, and drops libraries' warnings, which name none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
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
    """Returns why an image cannot be read: the text of an error, if it was raised on purpose."""
    text = getattr(error, "strerror", None) or str(error).strip().rstrip(".")
    if text and isinstance(error, _ON_PURPOSE):
        return text
    return f"its contents are damaged ({type(error).__name__}{': ' * bool(text)}{text})"
