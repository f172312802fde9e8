"""Parameter networks in whole numbers for a codec, so that its streams decode to the same on every machine.

Hyper synthesis, context, parameter and slice networks, and latent residual prediction are computed as in
`lic.codec.integer.arithmetic`; the units that this takes are chosen once, by what the networks meet on photographs, and
kept with the codec. Analysis, hyper analysis and synthesis stay in floating point: no scale index depends on them when
decoding.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lic.codec.graphs import Graphs
from lic.codec.integer.arithmetic import SCOPE, ExactConvolution, Units, choose_units, exact_half_tanh
from lic.codec.integer.variable_rate import ExactGained, Steps, steps_of
from lic.entropy.coders.coder import Coder, Estimate
from lic.entropy.parameters import ScaleIndex
from lic.entropy.range_coding.cdf_tables import Tables
from lic.entropy.residual import HalfTanh
from lic.environment import called_graph, keras, tf
from lic.errors import CheckpointError, LicError
from lic.layers.convolution import Convolution
from lic.layers.substitutes import Function, substituted
from lic.models.base import CompressionModel
from lic.weights import named_layers

LEVELS = 511  # Tried on `default`; see docs/deterministic.md.
VERSION, _VERSION_NAME = 1, "version"  # Of how numbers are computed: another way is another version.
HEADROOM = 2.0  # Inputs this many times larger than any that calibration met are not clipped.

# Operations on floats that move numbers, or round once as IEEE 754 defines; all others differ between libraries.
_EXACT = frozenset(
    {
        *("Abs", "AddV2", "BroadcastTo", "Cast", "Ceil", "ClipByValue", "ConcatV2", "Const", "EnsureShape"),
        *("ExpandDims", "Fill", "GatherNd", "GatherV2", "Identity", "LeakyRelu", "Maximum", "Minimum", "Mul"),
        *("Neg", "OnesLike", "Pack", "Pad", "PadV2", "Placeholder", "RealDiv", "Relu", "Reshape", "ReverseV2"),
        *("Rint", "Round", "SelectV2", "Slice", "Split", "SplitV", "Squeeze", "StopGradient", "StridedSlice"),
        *("Sub", "Tile", "Timestamp", "Transpose", "Unpack", "ZerosLike"),
    }
)


def calibrate(model: CompressionModel, latents: Iterable[tuple[np.ndarray, float]]) -> dict[str, Units]:
    """Chooses the units of each convolution that the parameters depend on, by its attribute path.

    Args:
      model: The model.
      latents: Latents [height, width, depth] as the analysis gives them, each with a quality, 0 where there is none.
    """
    layers = _parameter_layers(model, Convolution)
    largest: dict[str, Any] = {}

    def watch(path: str, layer: Convolution, values: tf.Tensor) -> tf.Tensor:
        seen = np.abs(np.asarray(values)).max((0, 1, 2), initial=0.0)
        largest[path] = np.maximum(largest.get(path, 0.0), seen)
        return layer.compute(values)

    watched = {id(layer): functools.partial(watch, path, layer) for path, layer in layers.items()}
    for latent, quality in latents:
        quality = tf.constant([quality], tf.float32)
        coder = model.coder(Estimate(model.scale(tf.constant(latent[None]), quality), model.entropy.scales), quality)
        with substituted(watched):
            model.entropy.walk(coder)
    return {path: choose_units(layers[path], HEADROOM * seen, LEVELS) for path, seen in largest.items()}


class ExactGraphs(Graphs):
    """The graphs of a codec whose parameter networks are exact.

    Args:
      model: The model.
      tables: The coder's tables.
      units: The units of each convolution, from `calibrate`.

    Raises:
      LicError: The parameters depend on operations that are not exact, which are named.
      CheckpointError: Units are missing, or allow sums that are not exact.
    """

    def __init__(self, model: CompressionModel, tables: Tables, units: Mapping[str, Units]):
        self._exact = dict(_substitutes(model, units))
        self._steps = functools.lru_cache(lambda quality: steps_of(model.gains, quality, model.entropy.scales))
        super().__init__(model, tables)
        _, symbols, _ = self.decode.get_concrete_function().structured_outputs
        inexact = sorted({f"{operation.type} ({operation.name})" for operation in _inexact(symbols.op)})
        if inexact:
            raise LicError(
                "A deterministic codec needs parameter networks of convolutions, ReLU and what moves numbers. This one "
                f"also has {', '.join(inexact[:3])}{' and others' * (len(inexact) > 3)}, which differ between "
                "machines. Take other parts, such as hyper='conv', or deterministic=False."
            )

    def _walk(self, coder: Coder, quality: tf.Tensor) -> tf.Tensor:
        with substituted(self._exact):
            return super()._walk(coder, quality)

    def _at_quality(self, coder: Coder, quality: tf.Tensor) -> Coder:
        if not self._model.gains:
            return coder
        depth = self._model.transform.depth
        with tf.name_scope(SCOPE):
            steps = tf.numpy_function(lambda quality: list(self._steps(float(quality))), [quality], [tf.float32] * 3)
        return ExactGained(coder, Steps(*(tf.ensure_shape(each, [depth]) for each in steps)))


def units_of(arrays: Mapping[str, np.ndarray]) -> dict[str, Units]:
    """Returns the units that `arrays_of` made arrays of.

    Raises:
      CheckpointError: They are not complete, or of another version.
    """
    arrays = dict(arrays)
    version = arrays.pop(_VERSION_NAME, None)
    if version != VERSION:
        raise CheckpointError(f"The deterministic networks have version {version}, this lic computes {VERSION}.")
    paths = sorted({name.rsplit("/", 1)[0] for name in arrays})
    found = {path: [arrays.get(f"{path}/{field}") for field in Units._fields] for path in paths}
    for path, fields in found.items():
        if any(field is None for field in fields):
            raise CheckpointError(f"The units of {path!r} are not complete. Get the codec anew.")
    return {path: Units(inputs, outputs, int(levels)) for path, (inputs, outputs, levels) in found.items()}


def arrays_of(units: Mapping[str, Units]) -> dict[str, np.ndarray]:
    """Returns units as arrays with names, for a codec file."""
    arrays = {_VERSION_NAME: np.array(VERSION, np.int32)}
    for path, each in units.items():
        arrays |= {f"{path}/inputs": each.inputs, f"{path}/outputs": each.outputs}
        arrays[f"{path}/levels"] = np.array(each.levels, np.int32)
    return arrays


def _parameter_layers(model: CompressionModel, kind: type) -> dict[str, keras.layers.Layer]:
    """The layers of a kind that parameters may depend on: those of the entropy model but for the hyper analysis."""
    return {
        path: layer
        for path, layer in named_layers(model).items()
        if isinstance(layer, kind) and path.startswith("entropy/") and not path.startswith("entropy/hyper/analysis")
    }


def _substitutes(model: CompressionModel, units: Mapping[str, Units]) -> Iterator[tuple[int, Function]]:
    for path, layer in _parameter_layers(model, Convolution).items():
        if path in units:  # Others are not used; if they were, their sums would be found to be inexact.
            fits = units[path].outputs.shape == (layer.filters,)
            if not fits:
                raise CheckpointError(f"The units of {path!r} are of another convolution. Get the codec anew.")
            yield id(layer), ExactConvolution(layer, units[path])
    for layer in _parameter_layers(model, HalfTanh).values():
        yield id(layer), exact_half_tanh
    for layer in _parameter_layers(model, ScaleIndex).values():
        yield id(layer), layer.scales.exact_index


def _inexact(last: tf.Operation) -> Iterator[tf.Operation]:
    """The operations that another depends on and that do not give the same floats everywhere."""
    waiting, seen = [last], set()
    while waiting:
        operation = waiting.pop()
        if operation.name in seen:
            continue
        seen.add(operation.name)
        waiting += [tensor.op for tensor in operation.inputs]
        floats = any(tensor.dtype.is_floating for tensor in operation.outputs)
        calls = _functions(operation)
        for function in calls:
            graph = called_graph(operation, function)
            for tensor in graph.outputs:
                yield from _inexact(tensor.op)
        if floats and not calls and operation.type not in _EXACT and SCOPE not in operation.name:
            yield operation


def _functions(operation: tf.Operation) -> list[Any]:
    """The functions that an operation calls, as its attributes name them."""
    values = [operation.get_attr(name) for name in operation.node_def.attr]
    return [value for value in values if type(value).__name__ == "NameAttrList"]
