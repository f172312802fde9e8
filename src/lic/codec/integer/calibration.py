"""The units of layers in whole numbers, which are chosen once from the layers' inputs on photographs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lic.codec.integer.layers import FRACTION, LARGEST_SUM, Units, choose_units
from lic.entropy.coders.estimate import Estimate
from lic.environment import keras, tf
from lic.errors import CheckpointError
from lic.layers.convolution import Convolution
from lic.layers.tracing import intercept
from lic.models.base import CompressionModel
from lic.weights import named_layers

LEVELS = 511  # Tried on `default`; see docs/deterministic.md.
# Codec files hold the fields of `Units` under these names.
_NAMES = {"input_bits": "inputs", "output_bits": "outputs", "levels": "levels"}
VERSION, _VERSION_NAME = 1, "version"  # Any other way of computing the numbers needs a new version.
HEADROOM = 2.0  # Inputs this many times larger than any that calibration met are not clipped.


def calibrate(model: CompressionModel, latents: Iterable[tuple[np.ndarray, float]]) -> dict[str, Units]:
    """Returns the units of each convolution that the parameters depend on, by its attribute path.

    Args:
      model: The model.
      latents: Latents [height, width, depth] as the analysis gives them, each with a quality.
    """
    layers = parameter_layers(model, Convolution)
    largest: dict[str, Any] = {}

    def watch(path: str, layer: Convolution, call: Callable, values: tf.Tensor) -> tf.Tensor:
        seen = np.abs(np.asarray(values)).max((0, 1, 2), initial=0.0)
        largest[path] = np.maximum(largest.get(path, 0.0), seen)
        return call(values)

    # Walks run eagerly here, so that `watch` sees the numbers.
    for latent, quality in latents:
        quality = tf.constant([quality], tf.float32)
        with intercept(layers, watch):
            model.walk(Estimate(model.rate.apply_gain(tf.constant(latent[None]), quality)), quality)
    return {path: choose_units(layers[path], HEADROOM * seen, LEVELS) for path, seen in largest.items()}


def parameter_layers(model: CompressionModel, kind: type) -> dict[str, keras.layers.Layer]:
    """Returns the layers of a kind that parameters may depend on: the entropy model's, except for the hyper analysis.

    A subclass that computes in its own way is none of them: whole numbers would leave out what it adds.
    """
    return {
        path: layer
        for path, layer in named_layers(model).items()
        if _computes_as(layer, kind) and path.startswith("entropy/") and not path.startswith("entropy/hyper/analysis")
    }


def _computes_as(layer: keras.layers.Layer, kind: type) -> bool:
    """Returns True if a layer is of a kind, and at most makes its weights and its kernel in another way."""
    if not isinstance(layer, kind):
        return False
    methods = [name for name, value in vars(kind).items() if inspect.isfunction(value)]
    own = {name for name in methods if getattr(type(layer), name) is not getattr(kind, name)}
    return own <= {"__init__", "build", "spatial_kernel", "derive", "get_config"}


def units_of(arrays: Mapping[str, np.ndarray]) -> dict[str, Units]:
    """Returns the units that `arrays_of` has written as arrays.

    Raises:
      CheckpointError: The units are not complete, or of another version.
    """
    arrays = dict(arrays)
    version = arrays.pop(_VERSION_NAME, None)
    if version is None or version.shape or version != VERSION:
        raise CheckpointError(f"The deterministic networks have version {version}, this lic computes {VERSION}.")
    paths = sorted({name.rsplit("/", 1)[0] for name in arrays})
    found = {path: [arrays.get(f"{path}/{_NAMES[field]}") for field in Units._fields] for path in paths}
    for path, fields in found.items():
        if any(field is None for field in fields):
            raise CheckpointError(f"The units of {path!r} are not complete. Get the codec anew.")
        _check_units(path, Units(*fields))
    return {
        path: Units(input_bits, output_bits, int(levels)) for path, (input_bits, output_bits, levels) in found.items()
    }


def _check_units(path: str, units: Units) -> None:
    """Raises a CheckpointError unless units, which may come from a made-up file, are such as `choose_units` returns."""
    bits, levels = (units.input_bits, units.output_bits), units.levels
    whole = all(each.dtype == np.int8 and each.ndim == 1 for each in bits) and levels.dtype == np.int32
    fits = whole and not levels.ndim and 1 <= levels <= LARGEST_SUM
    if not fits or np.abs(bits[0].astype(int)).max(initial=0) > FRACTION:
        raise CheckpointError(
            f"The units of {path!r} are not those of a convolution in whole numbers: expected inputs and outputs as "
            f"lists of int8, the former from -{FRACTION} to {FRACTION}, and levels as an int32 from 1 to "
            f"{LARGEST_SUM}. Received: {units}. Get the codec anew."
        )


def arrays_of(units: Mapping[str, Units]) -> dict[str, np.ndarray]:
    """Returns units as arrays with names, for a codec file."""
    arrays = {_VERSION_NAME: np.array(VERSION, np.int32)}
    for path, each in units.items():
        fields = each._replace(levels=np.array(each.levels, np.int32))._asdict()
        arrays |= {f"{path}/{_NAMES[field]}": value for field, value in fields.items()}
    return arrays
