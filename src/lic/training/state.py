"""The state of a training as named tensors: weights, what the optimiser keeps of each, and the step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lic.environment import keras, tf
from lic.models.base import CompressionModel
from lic.weights import assign, named_variables, value_of

_AVERAGE = "model_variables_moving_average"


def state_of(model: CompressionModel) -> dict[str, np.ndarray]:
    """Returns the state of a compiled model's training, from which `restore_state` goes on.

    Tensors are named "weights/NAME" and "optimizer/KIND/NAME", with the names that codec files have, so that a training
    goes on in the other environment too.
    """
    return {name: value_of(variable) for name, variable in _variables(model).items()}


def restore_state(model: CompressionModel, state: Mapping[str, np.ndarray]) -> None:
    """Sets the state of a compiled model's training.

    Raises:
      CheckpointError: A tensor is missing, too many, or of another shape; it is named.
    """
    assign(_variables(model), state)


def step_of(model: keras.Model) -> int:
    """Returns how many steps a compiled model's optimiser has taken."""
    return int(value_of(model.optimizer.iterations))


@contextlib.contextmanager
def averaged(model: CompressionModel) -> Iterator[None]:
    """Puts the averaged weights in the place of the weights, where the optimiser averages them."""
    averages = _kept(model.optimizer, model).get(_AVERAGE)
    if not averages:
        yield
        return
    weights = model.trainable_variables
    kept = [value_of(variable) for variable in weights]
    _assign(weights, averages)
    try:
        yield
    finally:
        _assign(weights, kept)


def _variables(model: CompressionModel) -> dict[str, tf.Variable]:
    weights = named_variables(model)
    name_of = {id(variable): name for name, variable in weights.items()}
    names = [name_of[id(variable)] for variable in model.trainable_variables]
    variables = {f"weights/{name}": variable for name, variable in weights.items()}
    for kind, kept in _kept(model.optimizer, model).items():
        variables |= {f"optimizer/{kind}/{name}": variable for name, variable in zip(names, kept, strict=True)}
    return variables | {"optimizer/iterations": model.optimizer.iterations}


def _kept(optimizer: Any, model: CompressionModel) -> dict[str, list[tf.Variable]]:
    """What an optimiser keeps of each weight: its attributes that are lists as long as the weights."""
    weights = model.trainable_variables
    mine = {id(variable) for variable in weights}
    return {
        name.strip("_"): list(values)
        for name, values in vars(optimizer).items()
        if isinstance(values, (list, tuple)) and len(values) == len(weights) and not {*map(id, values)} & mine
    }


def _assign(variables: list[tf.Variable], values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
