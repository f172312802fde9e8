"""Errors of `lic`: each message names what was given, what is allowed and what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


def check(owner: str, name: str, holds: bool, expected: str, received: object) -> None:
    """Raises a ValueError with the argument of `owner`, what is expected and what was received, unless it holds."""
    if not holds:
        raise ValueError(f"{owner}: expected {name} to be {expected}. Received: {received!r}.")


class LicError(Exception):
    """Base of every error that `lic` raises on purpose."""


class RegistryError(LicError):
    """A name or a size that no registered part has, or a name that is taken."""


class ImageError(LicError):
    """An image that cannot be compressed as it is."""


class BitstreamError(LicError):
    """Bytes that are not a stream of `lic`, or a damaged one."""


class WrongModelError(LicError):
    """A stream that another model, or the same one with other weights, has made."""


class DesyncError(LicError):
    """Decoded symbols differ from the encoded ones: the networks gave other numbers here."""


class CheckpointError(LicError):
    """Weights or a codec file that do not fit, or are damaged."""


class EvaluationError(LicError):
    """An evaluation that cannot be run, resumed, compared or drawn."""


@contextlib.contextmanager
def as_checkpoint_error(message: str, advice: str = "Get the file anew.") -> Iterator[None]:
    """Raises a CheckpointError for whatever a library raises while it opens what a user gave.

    Python's, numpy's and TensorFlow's readers raise a dozen kinds of errors on damaged files, and others in other
    versions. Errors of `lic`, and of a package that is not installed, pass.

    Args:
      message: The beginning of the message, a clause without a full stop, such as "x.codec is damaged".
      advice: What the user should do.
    """
    try:
        yield
    except (LicError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise CheckpointError(f"{message} ({type(error).__name__}: {error}). {advice}") from error
