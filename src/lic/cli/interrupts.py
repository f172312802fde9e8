"""Ctrl-C that is not lost: Python prints and drops a KeyboardInterrupt that is raised in a destructor or a callback."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def keeping_interrupts() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C was pressed since the context was entered.

    Ctrl-C also raises KeyboardInterrupt at once, as ever. Outside the main thread, where Python handles no signals, the
    function does nothing.
    """
    pressed = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.default_int_handler(number, frame)

    def raise_if_pressed() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield raise_if_pressed
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield raise_if_pressed
    finally:
        signal.signal(signal.SIGINT, before)
