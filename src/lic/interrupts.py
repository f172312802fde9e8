"""Ctrl-C at a moment that suits: it is not lost in a callback, and does not come while a file gets its name."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


@contextlib.contextmanager
def keeping_interrupts() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C was pressed since the context was entered.

    Python prints and drops a KeyboardInterrupt that is raised in a destructor or a callback. Ctrl-C also calls the
    program's handler at once, which raises it too unless the program has another one.
    """
    pressed = threading.Event()

    def handle(number: int, frame: FrameType | None, handler: Handler) -> None:
        pressed.set()
        handler(number, frame)

    def raise_if_pressed() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    with _handled_by(handle):
        yield raise_if_pressed


@contextlib.contextmanager
def holding_interrupts() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the context, for a few operations that belong together."""
    pressed = threading.Event()
    try:
        with _handled_by(lambda *_: pressed.set()):
            yield
    finally:
        if pressed.is_set():
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _handled_by(handle: Callable[[int, FrameType | None, Handler], None]) -> Iterator[None]:
    """Calls a function at Ctrl-C, with the program's own handler as its third argument.

    It does nothing outside the main thread, where Python handles no signals, and where the program has no handler: a
    command in the background of a script ignores Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: handle(number, frame, before))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
