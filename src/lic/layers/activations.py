"""Activations by name: those of Keras, and leaky ReLU with any slope."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from lic.environment import keras, tf

# Those of Keras's that compute the same in all its versions; "hard_sigmoid", for one, does not.
NAMES = (
    "elu",
    "exponential",
    "gelu",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "swish",
    "tanh",
)
_LEAKY = re.compile(r"leaky_relu_(?P<slope>\d+(\.\d+)?)")


class LeakyReLU(NamedTuple):
    """Leaky ReLU whose slope below zero is part of its name, such as "leaky_relu_0.01".

    The slope of "leaky_relu" is 0.2 in Keras, while PyTorch's default is 0.01.

    Attributes:
      name: "leaky_relu_" and the slope.
      slope: The factor of negative values.
    """

    name: str
    slope: float

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Multiplies the negative ones among values [...] by the slope."""
        return tf.nn.leaky_relu(values, self.slope)


def get(name: str | None) -> Callable:
    """Returns an activation by its name.

    Args:
      name: One of `NAMES`, "leaky_relu_" and a slope, or None for the identity.

    Raises:
      ValueError: There is no activation of this name.
    """
    found = _LEAKY.fullmatch(name) if isinstance(name, str) else None
    if found:
        return LeakyReLU(name, float(found["slope"]))
    if name is not None and name not in NAMES:
        raise ValueError(
            f"activations.get: expected one of {', '.join(NAMES)}, or leaky_relu_SLOPE. Received: {name!r}."
        )
    return keras.activations.get(name)
