"""Weights as named tensors, with the same names in Keras 2 and Keras 3, for codec files and checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lic.environment import keras, layer_internals, tf
from lic.errors import CheckpointError, LicError, check_kind


def named_variables(layer: keras.layers.Layer) -> dict[str, tf.Variable]:
    """Returns every weight of a layer by its attribute path, such as "transform/analysis/layers/0/kernel".

    The order is that in which attributes were set, and within lists that of their items. A path leaves out the leading
    underscore of an attribute. Attributes of Keras itself, and metrics, have no path.

    Args:
      layer: A layer whose weights have been made.

    Raises:
      LicError: A weight has no path, since Keras sees it but attributes do not lead to it.
    """
    _check_layer(layer)
    found = _first_paths(each for each in _walk(layer, ()) if not isinstance(each[1], keras.layers.Layer))
    seen = {id(variable) for variable in found.values()}
    for variable in layer.weights:
        if id(variable) not in seen:
            raise LicError(
                f"The weight {variable.name!r} is not reached through attributes of layers, so it could not be saved. "
                "Keep layers and weights as attributes, or in flat lists or dicts that are attributes. The names of "
                "such dicts do not begin with an underscore."
            )
    return found


def named_layers(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Returns every layer inside a layer by its attribute path, with the paths and in the order of `named_variables`.

    Args:
      layer: The layer.
    """
    _check_layer(layer)
    return _first_paths(each for each in _walk(layer, ()) if each[0] and isinstance(each[1], keras.layers.Layer))


def _check_layer(layer: Any) -> None:
    check_kind("lic.weights", "layer", layer, keras.layers.Layer, "a Keras layer or model, such as codec.model")


def named_parts(layer: keras.layers.Layer, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Returns every object of some kinds inside a layer by its attribute path, in the order of `named_variables`.

    Several objects that are equal are returned once, by the shortest path, or else the first in the alphabet.

    Args:
      layer: The layer.
      kinds: The classes of the objects.
    """
    paths: dict[Any, tuple[str, ...]] = {}
    for path, value in _walk(layer, (), kinds):
        if path and isinstance(value, kinds):
            paths[value] = _preferred(path, paths.get(value, path))
    return {"/".join(path): value for value, path in paths.items()}


def get_tensors(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    """Returns a copy of every weight of a layer by its attribute path."""
    return {name: value_of(variable) for name, variable in named_variables(layer).items()}


def value_of(variable: tf.Variable) -> np.ndarray:
    """Returns a copy of the value of a variable, which several devices may hold."""
    return np.array(tf.convert_to_tensor(variable))


def check_may_change(owner: str, layer: keras.layers.Layer) -> None:
    """Raises a ValueError if a layer is the model of a codec, whose streams would no longer be those of its file.

    Args:
      owner: The function that would change weights, for the message.
      layer: The layer or model.
    """
    if getattr(layer, "is_of_a_codec", False):
        raise ValueError(
            f"{owner}: expected a model of its own. Received: the model of a codec, which is a snapshot. Take a copy, "
            "copy.deepcopy(codec.model), and make a lic.Codec of it."
        )


def set_tensors(layer: keras.layers.Layer, tensors: Mapping[str, np.ndarray]) -> None:
    """Sets every weight of a layer.

    Args:
      layer: A layer whose weights have been made.
      tensors: The value of every weight by its attribute path.

    Raises:
      CheckpointError: A tensor is missing, has no weight, has another shape, or holds other than finite real numbers.
      ValueError: `tensors` is no dict, or the layer is the model of a codec.
    """
    check_may_change("set_tensors", layer)
    check_kind("set_tensors", "tensors", tensors, Mapping, "a dict of arrays, as get_tensors returns it")
    variables, arrays = named_variables(layer), {name: np.asarray(tensor) for name, tensor in tensors.items()}
    require_fitting({name: tuple(variable.shape) for name, variable in variables.items()}, arrays)
    for name, variable in variables.items():
        require_finite(f"The tensor {name!r}", arrays[name], tf.as_dtype(variable.dtype).as_numpy_dtype)
    assign(variables, arrays)


def require_finite(what: str, array: np.ndarray, dtype: type[np.generic] = np.float32) -> None:
    """Checks that a tensor holds real numbers that are finite, also in the type of its weight.

    Args:
      what: The tensor, for the message.
      array: The tensor.
      dtype: The type of its weight.

    Raises:
      CheckpointError: It does not.
    """
    # numpy does not count bfloat16 among floats. A weight may be no number, such as a mask.
    if array.dtype.kind not in "fiu" and array.dtype not in (np.dtype(dtype), tf.bfloat16.as_numpy_dtype):
        received = f"the type {array.dtype}"
    else:
        with np.errstate(all="ignore"):
            infinite = np.count_nonzero(~(np.isfinite(array) & np.isfinite(array.astype(dtype))))
        if not infinite:
            return
        received = f"{infinite} of {array.size} numbers that are NaN, infinite or too large for {np.dtype(dtype).name}"
    raise CheckpointError(
        f"{what}: expected finite real numbers. Received: {received}. Take other weights, or save them as float32."
    )


def assign(variables: Mapping[str, tf.Variable], tensors: Mapping[str, np.ndarray]) -> None:
    """Sets variables, each in its own type.

    Args:
      variables: The variables by name.
      tensors: The value of every variable by name.

    Raises:
      CheckpointError: A tensor is missing, has no variable, or has another shape.
    """
    require_fitting({name: tuple(variable.shape) for name, variable in variables.items()}, tensors)
    for name, variable in variables.items():
        variable.assign(tensors[name].astype(tf.as_dtype(variable.dtype).as_numpy_dtype))


def require_fitting(shapes: Mapping[str, tuple[int, ...]], tensors: Mapping[str, np.ndarray]) -> None:
    """Checks that tensors have the names and shapes of a model's weights.

    Args:
      shapes: The shape of every weight by name.
      tensors: The tensors by name.

    Raises:
      CheckpointError: A tensor is missing, has no weight, or has another shape.
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
    """Returns each value by its path; of several paths the shortest, or else the first in the alphabet.

    The order in which Keras keeps attributes differs from version to version, and must not choose among the paths.
    """
    paths: dict[int, tuple[tuple[str, ...], Any]] = {}
    for path, value in found:
        paths[id(value)] = (_preferred(path, paths.get(id(value), (path, value))[0]), value)
    return {"/".join(path): value for path, value in paths.values()}


def _preferred(*paths: tuple[str, ...]) -> tuple[str, ...]:
    return min(paths, key=lambda path: (len(path), path))


def _walk(
    value: object, path: tuple[str, ...], kinds: tuple[type, ...] = (), owners: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields weights, layers and objects of other kinds with their paths, a layer before its own weights and layers.

    Args:
      value: Where the walk begins.
      path: The path of the value.
      kinds: The classes of the other objects.
      owners: The ids of all objects that the path leads through. A layer may refer back to one of them.
    """
    if id(value) in owners:
        return
    if isinstance(value, (tf.Variable, getattr(keras, "Variable", tf.Variable))):
        yield path, value
        return
    is_layer = isinstance(value, keras.layers.Layer) and not isinstance(value, keras.metrics.Metric)
    if is_layer or isinstance(value, kinds):
        yield path, value
    for name, item in _items(value, is_layer, kinds):
        yield from _walk(item, (*path, name), kinds, (*owners, id(value)))


def _items(value: object, is_layer: bool, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """Yields what an object holds, each with its name in a path."""
    if is_layer and isinstance(value, keras.Model) and type(value).__module__.startswith("keras."):
        # Sequential and functional models of Keras keep their layers where no attribute of their own leads to.
        yield "layers", list(value.layers)
    elif is_layer:
        for name, attribute in list(vars(value).items()):
            # Attributes of TensorFlow's own start with `_self_`.
            hidden = name.startswith("_self_") or (name.startswith("_") and isinstance(attribute, dict))
            if name not in layer_internals() and not hidden:
                yield name.lstrip("_"), attribute
    elif isinstance(value, kinds):
        yield from ((name.lstrip("_"), attribute) for name, attribute in vars(value).items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(number), item) for number, item in enumerate(value))
    elif isinstance(value, dict):
        yield from ((str(name), item) for name, item in value.items())
