"""Initial weights: none are drawn where others take their place at once."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

from lic.environment import keras, tf

_replaced = contextvars.ContextVar("replaced", default=False)


@contextlib.contextmanager
def replaced_at_once() -> Iterator[None]:
    """Makes layers start with zeros, not with random numbers, which take longer than reading them."""
    token = _replaced.set(True)
    try:
        yield
    finally:
        _replaced.reset(token)


def unless_replaced(initializer: keras.initializers.Initializer) -> Callable:
    """Returns an initialiser that does what the given one does, or gives zeros within `replaced_at_once`."""

    def start(shape: tuple, dtype: str | None = None, **_: object) -> tf.Tensor:
        dtype = dtype or "float32"
        return tf.zeros(shape, dtype) if _replaced.get() else initializer(shape, dtype=dtype)

    return start
