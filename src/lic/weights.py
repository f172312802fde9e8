"""Weights as named tensors: names that are the same in both Kerases, for codec files and checkpoints."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lic.environment import keras, layer_internals, tf
from lic.errors import CheckpointError, LicError


def named_variables(layer: keras.layers.Layer) -> dict[str, tf.Variable]:
    """Returns every weight of a layer by its attribute path, such as "transform/analysis/layers/0/kernel".

    Attributes are walked in the order in which they were set, lists by index; a leading underscore does not count.
    What Keras keeps for itself, and metrics, are left out.

    Raises:
      LicError: A weight cannot be reached by attributes, such as one in a list of lists.
    """
    found = _first_paths(each for each in _walk(layer, ()) if not isinstance(each[1], keras.layers.Layer))
    seen = {id(variable) for variable in found.values()}
    for variable in layer.weights:
        if id(variable) not in seen:
            raise LicError(
                f"The weight {variable.name!r} is not reached through attributes of layers, so it could not be saved. "
                "Keep layers and weights as attributes, or in flat lists or dicts that are attributes."
            )
    return found


def named_layers(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Returns every layer inside a layer by its attribute path, in the order and with the names of its weights."""
    return _first_paths(each for each in _walk(layer, ()) if each[0] and isinstance(each[1], keras.layers.Layer))


def named_parts(layer: keras.layers.Layer, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Returns every object of some kinds inside a layer by its attribute path, in the order of the attributes.

    Of several that are equal, the first is returned.
    """
    found = (each for each in _walk(layer, (), kinds) if each[0] and isinstance(each[1], kinds))
    paths, seen = {}, set()
    for path, value in found:
        if value not in seen:
            seen.add(value)
            paths["/".join(path)] = value
    return paths


def get_tensors(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    """Returns the values of every weight by its name."""
    return {name: value_of(variable) for name, variable in named_variables(layer).items()}


def value_of(variable: tf.Variable) -> np.ndarray:
    """Returns a copy of a variable's value, also of one that several devices hold."""
    return np.array(tf.convert_to_tensor(variable))


def set_tensors(layer: keras.layers.Layer, tensors: Mapping[str, np.ndarray]) -> None:
    """Sets every weight by its name.

    Raises:
      CheckpointError: A tensor is missing, or there is one too many, or one of another shape; it is named.
    """
    assign(named_variables(layer), tensors)


def assign(variables: Mapping[str, tf.Variable], tensors: Mapping[str, np.ndarray]) -> None:
    """Sets variables by their names, each in its own type.

    Raises:
      CheckpointError: A tensor is missing, or there is one too many, or one of another shape; it is named.
    """
    require_fitting({name: tuple(variable.shape) for name, variable in variables.items()}, tensors)
    for name, variable in variables.items():
        variable.assign(tensors[name].astype(tf.as_dtype(variable.dtype).as_numpy_dtype))


def require_fitting(shapes: Mapping[str, tuple[int, ...]], tensors: Mapping[str, np.ndarray]) -> None:
    """Requires tensors to be those of a model, each of its shape.

    Args:
      shapes: Name -> the shape that the model's tensor has.
      tensors: Name -> what there is.

    Raises:
      CheckpointError: A tensor is missing, or there is one too many, or one of another shape; it is named.
    """
    for name in sorted(shapes.keys() ^ tensors.keys()):
        state = "missing" if name in shapes else "there, but the model has no such weight"
        raise CheckpointError(f"The tensor {name!r} is {state}. Weights and configuration must be of the same model.")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise CheckpointError(
                f"The tensor {name!r} has shape {tensors[name].shape}, expected {shape}. "
                "Weights and configuration must be of the same model."
            )


def _first_paths(found: Iterable[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """Each value that was found, by its path or by the first of several paths."""
    paths, seen = {}, set()
    for path, value in found:
        if id(value) not in seen:
            seen.add(id(value))
            paths["/".join(path)] = value
    return paths


def _walk(value: object, path: tuple[str, ...], kinds: tuple[type, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every weight, layer and object of other kinds with its path, layers before what they hold."""
    if isinstance(value, (tf.Variable, getattr(keras, "Variable", tf.Variable))):
        yield path, value
    elif isinstance(value, keras.layers.Layer) and not isinstance(value, keras.metrics.Metric):
        yield path, value
        for name, attribute in list(vars(value).items()):
            if name not in _internals() and not (name.startswith("_") and isinstance(attribute, dict)):
                yield from _walk(attribute, (*path, name.lstrip("_")), kinds)
    elif isinstance(value, kinds):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _walk(item, (*path, str(number)), kinds)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, (*path, str(name)), kinds)


@functools.cache
def _internals() -> frozenset[str]:
    return layer_internals()
