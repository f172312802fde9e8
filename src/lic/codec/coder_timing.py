"""The seconds that range coders take, for benchmarks and evaluations."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

_collected: contextvars.ContextVar[list[float] | None] = contextvars.ContextVar("coder_seconds", default=None)


@contextlib.contextmanager
def coder_seconds() -> Iterator[list[float]]:
    """Yields a list to which codecs in this thread add the range coder's seconds for each stream.

    A codec runs the coder once more to measure it, so these seconds are also the ones by which each call takes longer.
    """
    collected: list[float] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def collect(measure: Callable[[], float]) -> None:
    """Adds the seconds of one stream to the list of the innermost `coder_seconds`, if there is one.

    Args:
      measure: Returns the seconds. It is called only if there is a list.
    """
    collected = _collected.get()
    if collected is not None:
        collected.append(measure())
