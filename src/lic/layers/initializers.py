"""Initial weights: none are drawn where others take their place at once."""

from __future__ import annotations

import contextlib
import contextvars
import math
import sys
from collections.abc import Callable, Iterator

from lic.environment import keras, tf
from lic.errors import CheckpointError

_largest: contextvars.ContextVar[int] = contextvars.ContextVar("largest", default=0)  # 0: nothing is replaced.


@contextlib.contextmanager
def replaced_at_once(largest: int = sys.maxsize) -> Iterator[None]:
    """Makes layers start with zeros, not with random numbers, which take longer than reading them.

    Args:
      largest: How many numbers there are to replace them; a weight of more is a CheckpointError before it takes memory.
    """
    token = _largest.set(largest)
    try:
        yield
    finally:
        _largest.reset(token)


def unless_replaced(initializer: keras.initializers.Initializer) -> Callable:
    """Returns an initialiser that does what the given one does, or gives zeros within `replaced_at_once`."""

    def start(shape: tuple, dtype: str | None = None, **_: object) -> tf.Tensor:
        dtype, largest = dtype or "float32", _largest.get()
        if not largest:
            return initializer(shape, dtype=dtype)
        if math.prod(shape) > largest:
            raise CheckpointError(
                f"The configuration asks for a weight of shape {tuple(shape)}, more than the {largest} numbers that "
                "there are. Weights and configuration must be of the same model."
            )
        return tf.zeros(shape, dtype)

    return start
