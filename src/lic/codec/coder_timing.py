"""The seconds that range coders take, for benchmarks and evaluations."""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple


class CoderTime(NamedTuple):
    """The time of the range coder for one stream.

    Attributes:
      seconds: The seconds that it takes to encode the stream, or to decode it.
      measuring: The seconds by which the codec's call took longer since these were measured.
    """

    seconds: float
    measuring: float


_collected: contextvars.ContextVar[list[CoderTime] | None] = contextvars.ContextVar("coder_times", default=None)


@contextlib.contextmanager
def coder_times() -> Iterator[list[CoderTime]]:
    """Yields a list to which codecs in this thread add the range coder's time for each stream.

    A codec decodes and encodes the stream once more to measure the coder.
    """
    collected: list[CoderTime] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def collect(measure: Callable[[], float]) -> None:
    """Adds the time of one stream to the list of the innermost `coder_times`, if there is one.

    Args:
      measure: Returns the seconds. It is called only if there is a list.
    """
    collected = _collected.get()
    if collected is not None:
        began = time.perf_counter()
        seconds = measure()
        collected.append(CoderTime(seconds, time.perf_counter() - began))
