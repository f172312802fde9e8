"""Keras's global policy, for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lic.environment import keras


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Makes a policy the global one as long as this lasts."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
