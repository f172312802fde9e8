"""Copies of parts, and contexts that change a part or a policy for a while, so that laws change nothing for good."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from lic.config import Configured
from lic.environment import keras
from lic.weights import assign, get_tensors, named_variables

MOVED = 0.1  # Standard deviation of the noise that `moved` adds.


def fresh(part: Configured) -> Configured:
    """Returns a new part from the configuration of a part, with weights of its own."""
    return type(part).from_config(part.get_config())


def computes_in_16_bits(layer: keras.layers.Layer) -> bool:
    """Returns whether any layer inside computes in float16 or bfloat16."""
    return any(each.compute_dtype in ("float16", "bfloat16") for each in layer._flatten_layers())


def tolerance_of(layer: keras.layers.Layer, exact: float) -> float:
    """Returns the tolerance for what a layer computes: the given one, or what 16 bits need."""
    return max(exact, 2e-2) if computes_in_16_bits(layer) else exact


def moved(layer: keras.layers.Layer, seed: int = 0) -> contextlib.AbstractContextManager[None]:
    """Adds noise, inside the context, to each weight whose numbers are all the same.

    A network that starts at zero hides the layers before it: no gradient reaches them, and no influence is seen.

    Args:
      layer: A layer that has its variables.
      seed: Seed of the noise.
    """
    random = np.random.default_rng(seed)
    changed = {}
    for name, values in get_tensors(layer).items():
        constant = values.size > 1 and values.min() == values.max()
        changed[name] = values + random.normal(0, MOVED, values.shape) * constant
    return holding(layer, changed)


@contextlib.contextmanager
def holding(layer: keras.layers.Layer, tensors: dict[str, np.ndarray]) -> Iterator[None]:
    """Gives a layer other weights inside the context."""
    before, variables = get_tensors(layer), named_variables(layer)
    assign(variables, tensors)  # Not `set_tensors`, since the weights of a codec's model come back.
    try:
        yield
    finally:
        assign(variables, before)


def require_same_variables(
    names: str, layer: keras.layers.Layer, before: dict[str, np.ndarray], statistics: bool = False
) -> None:
    """Requires that a layer has the same variables, with the same values, as before.

    Args:
      names: The actions since then, for the message.
      layer: The layer.
      before: The earlier result of `get_tensors`.
      statistics: Whether variables that are never trained, such as the means of a batch normalisation, may change.
    """
    after = named_variables(layer)
    new = sorted(after.keys() - before.keys())
    if new:
        raise AssertionError(f"{names}: made the variable {new[0]!r}")
    trained = {id(variable) for variable in layer.trainable_weights}
    for name, values in get_tensors(layer).items():
        is_statistic = statistics and id(after[name]) not in trained
        if not is_statistic and not np.array_equal(values, before[name]):
            raise AssertionError(f"{names}: changed the variable {name!r}")
