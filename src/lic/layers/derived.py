"""Tensors that layers derive from their weights, such as a kernel from its Fourier transform."""

from __future__ import annotations

import abc
import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from lic.environment import tf

_known: contextvars.ContextVar[dict[int, Any] | None] = contextvars.ContextVar("known", default=None)


class Derives(abc.ABC):
    """A layer that computes with something derived from its weights: anew in every call, or once for a snapshot."""

    @abc.abstractmethod
    def derive(self) -> Any:
        """Returns what is derived from the weights as they are now: a tensor or a tuple of tensors."""

    def derived(self) -> Any:
        """Returns what `derive` does, or within `remembering` what it returned the first time."""
        known = _known.get()
        if known is None:
            return self.derive()
        if id(self) not in known:
            with tf.init_scope():  # As numbers, not as operations of the graph that is being traced.
                known[id(self)] = self.derive()
        return known[id(self)]


@contextlib.contextmanager
def remembering(known: dict[int, Any]) -> Iterator[None]:
    """Makes layers keep in `known` what they derive, so that a function traced within holds it as constants."""
    token = _known.set(known)
    try:
        yield
    finally:
        _known.reset(token)
