"""The weights that new layers start with: random numbers, or zeros where a file's weights follow.

A file is not trusted. While its configuration is built, layers may make no more weights than the file holds, so that a
made-up configuration takes no memory.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import math
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

from lic.errors import CheckpointError

_LAYERS_OF_A_WEIGHT, _LAYERS_WITHOUT = 4, 200  # Some layers have no weights.


@dataclasses.dataclass
class _Budget:
    """The weights that may still be made.

    Attributes:
      numbers: Their numbers.
      weights: Their count.
      layers: The layers that may still be made.
      refusal: The error of the first one that was refused. Keras raises a longer copy, with each layer's arguments.
    """

    numbers: int
    weights: int
    layers: int
    refusal: CheckpointError | None = None

    def take_layer(self) -> None:
        """Takes a layer from the budget, or raises a CheckpointError."""
        if not self.layers:
            self._refuse(
                "The configuration asks for many more layers than there are weights. Weights and configuration must be "
                "of the same model."
            )
        self.layers -= 1

    def take(self, shape: Sequence[int]) -> None:
        """Takes a weight from the budget, or raises a CheckpointError."""
        size = math.prod(shape)
        if size > self.numbers or not self.weights:
            self._refuse(
                f"The configuration asks for a weight of shape {tuple(shape)}, more than the {self.numbers} numbers "
                f"and {self.weights} weights that are left. Weights and configuration must be of the same model."
            )
        self.numbers -= size
        self.weights -= 1

    def _refuse(self, message: str) -> NoReturn:
        self.refusal = self.refusal or CheckpointError(message)
        raise self.refusal


# What is left within `skip_random_init` in this thread, or None outside of it.
_budget: contextvars.ContextVar[_Budget | None] = contextvars.ContextVar("budget", default=None)


@contextlib.contextmanager
def skip_random_init(largest: int = sys.maxsize, most: int = sys.maxsize) -> Iterator[None]:
    """Makes layers start with zeros, for weights that are set right afterwards: random numbers take longer to draw.

    Args:
      largest: How many numbers are there to be set. Weights of more, all together, are a CheckpointError before they
        take memory.
      most: How many weights are there to be set. More are a CheckpointError.
    """
    budget = _Budget(largest, most, _LAYERS_OF_A_WEIGHT * most + _LAYERS_WITHOUT)
    token = _budget.set(budget)
    try:
        yield
    except Exception:
        if budget.refusal:
            raise budget.refusal from None
        raise
    finally:
        _budget.reset(token)


def take_layer() -> None:
    """States that a layer is about to be made, which is a CheckpointError where a file has no weights for it."""
    budget = _budget.get()
    if budget is not None:
        budget.take_layer()


def skips_random_init() -> bool:
    """Returns whether `skip_random_init` is active in this thread, so that weights start with zeros."""
    return _budget.get() is not None


def take_weight(shape: Sequence[int]) -> None:
    """States that a weight is about to be made, which is a CheckpointError where a file has no numbers for it.

    Args:
      shape: The shape of the weight.
    """
    budget = _budget.get()
    if budget is not None:
        budget.take(shape)
