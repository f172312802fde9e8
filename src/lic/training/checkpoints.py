"""The state of a training: its tensors, and the checkpoints that keep it."""

from __future__ import annotations

import contextlib
import pathlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lic.atomic_write import atomic_write
from lic.environment import keras, tf
from lic.errors import CheckpointError, TrainingError
from lic.models.base import CompressionModel
from lic.weights import assign, named_variables, value_of

KEPT = 3
_AVERAGE = "model_variables_moving_average"


class Checkpoints(keras.callbacks.Callback):
    """Writes a checkpoint at the end of each epoch and keeps the last three.

    Args:
      folder: The folder of the checkpoints, whose names are like step-0001000.npz.
    """

    def __init__(self, folder: pathlib.Path):
        super().__init__()
        self.folder = folder

    @property
    def latest(self) -> pathlib.Path | None:
        """The checkpoint of the last step, or None."""
        return max(self._files(), default=None)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes a checkpoint and removes the oldest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        step = step_of(self.model)
        with atomic_write(self.folder / f"step-{step:07d}.npz") as file:
            np.savez(file, **state_of(self.model))
        for old in self._files()[:-KEPT]:
            old.unlink()

    def restore(self, model: keras.Model) -> int:
        """Restores the latest checkpoint into a compiled model, and returns its step; 0 if there is none.

        Raises:
          TrainingError: The checkpoint is damaged, or of another model or optimizer.
        """
        latest = self.latest
        if not latest:
            return 0
        try:
            with latest.open("rb") as file, np.load(file) as arrays:
                state = dict(arrays)
        except (EOFError, OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise TrainingError(f"{latest} is damaged ({error}). Remove it to go on from the one before.") from error
        try:
            restore_state(model, state)
        except CheckpointError as error:
            raise TrainingError(f"{latest} is of another training. {error}") from error
        return step_of(model)

    def _files(self) -> list[pathlib.Path]:
        return sorted(self.folder.glob("step-*.npz"))


def state_of(model: CompressionModel) -> dict[str, np.ndarray]:
    """Returns the state of a compiled model's training: weights, the optimizer's variables, and the step.

    Tensors are named "weights/NAME" and "optimizer/KIND/NAME". The names are those of codec files, so that a training
    goes on in another environment too.
    """
    return {name: value_of(variable) for name, variable in _variables(model).items()}


def restore_state(model: CompressionModel, state: Mapping[str, np.ndarray]) -> None:
    """Sets the state of a compiled model's training.

    Raises:
      CheckpointError: A tensor is missing, left over, or of another shape; the message names it.
    """
    assign(_variables(model), state)


def step_of(model: keras.Model) -> int:
    """Returns the number of steps that a compiled model's optimizer has taken."""
    return int(value_of(model.optimizer.iterations))


@contextlib.contextmanager
def averaged(model: CompressionModel) -> Iterator[None]:
    """Gives a model its averaged weights while the context lasts, if the optimizer averages them."""
    averages = _slots(model.optimizer, model).get(_AVERAGE)
    if not averages:
        yield
        return
    weights = model.trainable_variables
    current = [value_of(variable) for variable in weights]
    _assign(weights, averages)
    try:
        yield
    finally:
        _assign(weights, current)


def _variables(model: CompressionModel) -> dict[str, tf.Variable]:
    weights = named_variables(model)
    name_of = {id(variable): name for name, variable in weights.items()}
    names = [name_of[id(variable)] for variable in model.trainable_variables]
    variables = {f"weights/{name}": variable for name, variable in weights.items()}
    for kind, slots in _slots(model.optimizer, model).items():
        variables |= {f"optimizer/{kind}/{name}": variable for name, variable in zip(names, slots, strict=True)}
    return variables | {"optimizer/iterations": model.optimizer.iterations}


def _slots(optimizer: Any, model: CompressionModel) -> dict[str, list[tf.Variable]]:
    """The optimizer's variables for each weight, by kind, such as moments and averages.

    They are the optimizer's attributes that are lists as long as the weights.
    """
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
