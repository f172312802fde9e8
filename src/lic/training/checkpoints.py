"""The state of a training: its tensors, and the checkpoints that keep it."""

from __future__ import annotations

import contextlib
import io
import pathlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lic.array_archive import Header, arrays_of, headers_of, open_archive
from lic.atomic_write import atomic_write
from lic.environment import keras, learning_rate_variable, tf
from lic.errors import CheckpointError, TrainingError, as_checkpoint_error
from lic.models.base import CompressionModel
from lic.weights import assign, named_variables, require_fitting, value_of

KEPT = 3
_AVERAGE, _WEIGHTS = "model_variables_moving_average", "weights/"
_STEP, _RATE = "optimizer/iterations", "optimizer/learning_rate"


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
        return next(reversed(self._files()), None)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes a checkpoint and removes the oldest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        step = step_of(self.model)
        # An archive that meets a full disk fails once more when it is freed, so it is made in memory.
        np.savez(archive := io.BytesIO(), **state_of(self.model))
        with atomic_write(self.folder / f"step-{step:07d}.npz") as file:
            file.write(archive.getbuffer())
        for old in self._files()[:-KEPT]:
            old.unlink()

    def restore(self, model: keras.Model) -> int:
        """Restores the latest checkpoint into a compiled model, and returns its step; 0 if there is none.

        A damaged checkpoint is passed over for the one before, with a warning.

        Raises:
          TrainingError: All checkpoints are damaged, or the latest whole one is of another model or optimizer.
        """
        state = self._last_whole({name: tuple(variable.shape) for name, variable in _variables(model).items()})
        if not state:
            return 0
        restore_state(model, state)
        return step_of(model)

    def averaged_weights(self, weights: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
        """Returns weights of the latest checkpoint, averaged ones where there are any.

        A damaged checkpoint is passed over for the one before, with a warning.

        Args:
          weights: The shapes of the weights by name; the checkpoint may hold others.

        Raises:
          TrainingError: All checkpoints are damaged, or the latest whole one is of another model.
        """
        averages = {f"optimizer/{_AVERAGE}/{name}": shape for name, shape in weights.items()}
        shapes = {f"{_WEIGHTS}{name}": shape for name, shape in weights.items()}
        state = self._last_whole(shapes, averages)
        return {name: state.get(f"optimizer/{_AVERAGE}/{name}", state.get(f"{_WEIGHTS}{name}")) for name in weights}

    def weight_headers(self) -> dict[str, Header]:
        """Returns the types of the weights in the latest checkpoint that can be opened, by name."""
        for file in reversed(self._files()):
            with contextlib.suppress(CheckpointError), as_checkpoint_error(f"{file} is damaged"):
                with open_archive(file) as archive:
                    headers = headers_of(archive)
                return {name: header for name, header in headers.items() if name.startswith(_WEIGHTS)}
        return {}

    def _last_whole(
        self, shapes: Mapping[str, tuple[int, ...]], may_be: Mapping[str, tuple[int, ...]] | None = None
    ) -> dict[str, np.ndarray]:
        """Returns the state in the latest checkpoint that is whole; it is empty if there is no checkpoint."""
        damaged: list[str] = []
        for file in reversed(self._files()):
            try:
                with as_checkpoint_error(f"{file} is damaged", "Remove it."):
                    state = _read(file, shapes, may_be)
            except CheckpointError as error:
                damaged.append(str(error))
                continue
            for message in damaged:
                warnings.warn(f"{message} Training goes on from {file.name}.", stacklevel=3)
            return state
        if damaged:
            raise TrainingError(f"{damaged[0]} No whole checkpoint is left: train in another folder.")
        return {}

    def _files(self) -> list[pathlib.Path]:
        steps = _steps_in(self.folder)
        return [steps[step] for step in sorted(steps)]


def latest_step(folder: pathlib.Path) -> int:
    """Returns the step of the latest checkpoint in a folder; 0 if there is none."""
    return max(_steps_in(folder), default=0)


def _steps_in(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    return {int(file.stem[5:]): file for file in folder.glob("step-*.npz") if file.stem[5:].isdecimal()}


def _read(
    file: pathlib.Path, shapes: Mapping[str, tuple[int, ...]], may_be: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, np.ndarray]:
    """Returns the state in a checkpoint of a model whose variables have these shapes.

    Args:
      file: The checkpoint.
      shapes: The shapes of what it must hold, by name.
      may_be: The shapes of what it may hold beside these; then all else in it is left out.

    Raises:
      TrainingError: It is the checkpoint of another training.
      Exception: Whatever the libraries raise for a damaged file.
    """
    with open_archive(file) as archive:
        headers = headers_of(archive)
        if may_be is not None:
            shapes = shapes | {name: shape for name, shape in may_be.items() if name in headers} | {_STEP: ()}
            headers = {name: header for name, header in headers.items() if name in shapes}
        try:
            require_fitting(shapes, headers)  # What is to be unpacked is as large as the model, then.
        except CheckpointError as error:
            raise TrainingError(f"{file} is of another training. {error}") from None
        state = arrays_of(archive, headers)
    if f"step-{int(state[_STEP]):07d}" != file.stem:
        raise ValueError(f"its step is {state[_STEP]}")
    for name, array in state.items():
        if array.dtype.kind not in "fiu" or (name.startswith(_WEIGHTS) and not np.isfinite(array).all()):
            raise ValueError(f"{name} holds what are no finite numbers")
    return state


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
    rate = learning_rate_variable(model.optimizer)  # A callback of Keras may have changed it.
    return variables | {_STEP: model.optimizer.iterations} | ({} if rate is None else {_RATE: rate})


def _slots(optimizer: Any, model: CompressionModel) -> dict[str, list[tf.Variable]]:
    """Returns the optimizer's variables for each weight, by kind, such as moments and averages.

    They are the optimizer's attributes that are lists of variables, as long as the weights.
    """
    weights = model.trainable_variables
    mine = {id(variable) for variable in weights}
    return {
        name.strip("_"): list(values)
        for name, values in vars(optimizer).items()
        if isinstance(values, (list, tuple)) and len(values) == len(weights) and not {*map(id, values)} & mine
        if all(hasattr(value, "assign") for value in values)
    }


def _assign(variables: list[tf.Variable], values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
