"""Activations by name: Keras's own, and leaky ReLU of any slope."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from lic.environment import keras, tf

_LEAKY = re.compile(r"leaky_relu_(?P<slope>\d+(\.\d+)?)")


class LeakyReLU(NamedTuple):
    """Leaky ReLU whose slope below zero is part of its name, such as "leaky_relu_0.01".

    Keras's own "leaky_relu" has a slope of 0.2, PyTorch's has 0.01.

    Attributes:
      name: "leaky_relu_" and the slope.
      slope: What negative values are multiplied by.
    """

    name: str
    slope: float

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Returns values [...], those below zero multiplied by the slope."""
        return tf.nn.leaky_relu(values, self.slope)


def get(name: str | None) -> Callable:
    """Returns an activation by its name, or the identity for None.

    Raises:
      ValueError: There is none of this name.
    """
    found = _LEAKY.fullmatch(name) if isinstance(name, str) else None
    return LeakyReLU(name, float(found["slope"])) if found else keras.activations.get(name)


def serialize(activation: Callable) -> object:
    """Returns what `get` makes the activation of again."""
    return activation.name if isinstance(activation, LeakyReLU) else keras.activations.serialize(activation)
