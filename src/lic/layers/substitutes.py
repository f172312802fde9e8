"""Other functions in place of what layers compute, for a while: exact arithmetic, or an eye on what they are given."""

from __future__ import annotations

import abc
import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping

from lic.environment import tf

Function = Callable[[tf.Tensor], tf.Tensor]
_substitutes: contextvars.ContextVar[Mapping[int, Function] | None] = contextvars.ContextVar(
    "substitutes", default=None
)


class Substitutable(abc.ABC):
    """A layer of one input whose function may be another within `substituted`: a subclass writes `compute`."""

    @abc.abstractmethod
    def compute(self, values: tf.Tensor) -> tf.Tensor:
        """What the layer itself makes of values."""

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Computes, by the layer's substitute where it has one."""
        return (_substitutes.get() or {}).get(id(self), self.compute)(values)


@contextlib.contextmanager
def substituted(functions: Mapping[int, Function]) -> Iterator[None]:
    """Makes functions take the place of layers, as long as this lasts.

    Args:
      functions: The `id` of each layer -> its substitute.
    """
    token = _substitutes.set(functions)
    try:
        yield
    finally:
        _substitutes.reset(token)
