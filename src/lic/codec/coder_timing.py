"""The time that range coders take."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from lic.environment import tf

_collected: contextvars.ContextVar[list[float] | None] = contextvars.ContextVar("coder_seconds", default=None)


@contextlib.contextmanager
def coder_seconds() -> Iterator[list[float]]:
    """Collects, in this thread, the seconds that the range coder takes for each stream that codecs make or decode."""
    collected: list[float] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def collect(seconds: tf.Tensor) -> None:
    """Adds the seconds of one stream to what is collected, if anything is."""
    collected = _collected.get()
    if collected is not None:
        collected.append(float(seconds))
