"""Errors of `lic`: each message names what was received, what was expected, and what to do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def check(owner: str, name: str, holds: bool, expected: str, received: object) -> None:
    """Raises a ValueError about an argument unless a condition holds.

    Args:
      owner: The class or function that expects the argument.
      name: Name of the argument.
      holds: Whether the argument is as expected.
      expected: The expectation in words.
      received: The argument.
    """
    if not holds:
        raise ValueError(f"{owner}: expected {name} to be {expected}. Received: {received!r}.")


def check_kind(owner: str, name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Raises a ValueError unless an argument is of a kind; the message names the kind that was received.

    Args:
      owner: The function that expects the argument.
      name: Name of the argument.
      value: The argument.
      kind: The class, or several.
      expected: The expectation in words, with a way to get such an argument.
    """
    if not isinstance(value, kind):
        raise ValueError(f"{owner}: expected {name} to be {expected}. Received: {type(value).__name__}.")


def check_path(owner: str, name: str, value: object) -> None:
    """Raises a ValueError unless an argument is a path.

    Args:
      owner: The function that expects the argument.
      name: Name of the argument.
      value: The argument.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        received = repr(value) if isinstance(value, (str, int, float, bytes)) or value is None else type(value).__name__
        raise ValueError(f"{owner}: expected {name} to be a path, which is not empty. Received: {received}.")


class LicError(Exception):
    """Base of every error that `lic` raises on purpose."""


class RegistryError(LicError):
    """A name or a size that no registered part has, or a name that is taken."""


class ImageError(LicError):
    """An image that cannot be compressed as it is.

    Args:
      reason: The reason, and a way on if no argument helps.
      advice: A sentence for each argument of `lic.images.read_image` that has to be given, by its name. Given all of
        them, the image is read.

    Attributes:
      reason: The reason.
      advice: The sentences, which follow the reason in the message.
    """

    def __init__(self, reason: str, advice: dict[str, str] | None = None):
        self.reason, self.advice = reason, advice or {}
        super().__init__(" ".join([reason, *self.advice.values()]))

    def without_advice(self) -> str:
        """Returns the message for a caller who cannot give these arguments, such as an evaluation."""
        return f"{self.reason} Convert it before, to opaque PNG of 8 bits." if self.advice else str(self)


class BitstreamError(LicError):
    """Bytes that are no stream of `lic`, or a damaged stream."""


class WrongModelError(LicError):
    """A stream that another model, or the same model with other weights, made."""


class DesyncError(LicError):
    """Decoded symbols that differ from the encoded ones: the networks gave other numbers on this machine."""


class CheckpointError(LicError):
    """Weights or a codec file that do not fit, or are damaged."""


class EvaluationError(LicError):
    """An evaluation that cannot be run, resumed, compared or drawn."""


class TrainingError(LicError):
    """A training that cannot start, be resumed or go on."""


class DivergenceError(TrainingError):
    """A training whose loss is not finite any more, or has grown a million times."""


@contextlib.contextmanager
def as_error(kind: type[LicError], message: str, advice: str = "Get the file anew.") -> Iterator[None]:
    """Raises an error of `lic` in place of any error that a library raises while it opens a user's file.

    Python's, numpy's and TensorFlow's readers raise a dozen kinds of errors on damaged files, and others in other
    versions. A file that asks for more memory than there is raises a MemoryError. Errors of `lic` and ImportError pass.

    Args:
      kind: The error, such as CheckpointError.
      message: The beginning of the message, a clause without a full stop, such as "x.codec is damaged".
      advice: The end of the message: an action for the user.
    """
    try:
        yield
    except (LicError, ImportError):
        raise
    except Exception as error:
        raise kind(f"{message} ({type(error).__name__}: {error}). {advice}") from error


def as_checkpoint_error(message: str, advice: str = "Get the file anew.") -> contextlib.AbstractContextManager[None]:
    """Raises a CheckpointError in place of any error that a library raises while it opens a user's file."""
    return as_error(CheckpointError, message, advice)
