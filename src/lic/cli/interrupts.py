"""Ctrl-C that is not lost: a KeyboardInterrupt that meets a destructor or a callback is only printed by Python."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def keeping_interrupts() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt once Ctrl-C was pressed within; it is raised at once, too.

    Outside the main thread, where Python takes no signals, the function does nothing.
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
