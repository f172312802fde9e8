"""Something that is made when it is first asked for, once, by whichever thread comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Once(Generic[Made]):
    """Calls a function when it is first called itself, and gives the same result ever after.

    Args:
      make: The function.
    """

    def __init__(self, make: Callable[[], Made]):
        self._make, self._lock = make, threading.Lock()

    def __call__(self) -> Made:
        """Returns what the function made; where it raised, the next call tries again."""
        with self._lock:
            if not hasattr(self, "_made"):
                self._made = self._make()
            return self._made
