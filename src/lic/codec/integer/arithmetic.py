"""The arithmetic of deterministic graphs: parameter networks in whole numbers, the same on every machine.

Hyper synthesis, context, parameter and slice networks, and latent residual prediction are computed as in
`lic.codec.integer.layers`. Analysis, hyper analysis and synthesis stay in floating point: no scale index depends on
them when decoding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lic.codec.integer.audit import inexact_operations
from lic.codec.integer.calibration import parameter_layers
from lic.codec.integer.gains import IntegerGains, integer_gains
from lic.codec.integer.layers import SCOPE, IntegerConvolution, Units, integer_half_tanh
from lic.entropy.coders.base import Coder
from lic.entropy.residual import HalfTanh
from lic.environment import numpy_function, tf
from lic.errors import CheckpointError, LicError
from lic.layers.convolution import Convolution
from lic.layers.tracing import intercept
from lic.models.base import CompressionModel
from lic.weights import named_layers


class IntegerArithmetic:
    """Computes walks in whole numbers, for `Graphs`.

    Args:
      model: The model.
      units: The units of each convolution, from `calibrate`.

    Raises:
      CheckpointError: Units are missing, or allow sums that are not exact.
    """

    def __init__(self, model: CompressionModel, units: Mapping[str, Units]):
        self._model, self._functions = model, dict(_integer_functions(model, units))
        self._layers = {path: layer for path, layer in named_layers(model).items() if path in self._functions}
        self._gains_at = functools.cache(lambda quality: integer_gains(model.rate, quality))

    def walk(self, coder: Coder, quality: tf.Tensor, gains: IntegerGains | None = None) -> tf.Tensor:
        """Codes the latent of one image as `CompressionModel.walk` does, and returns it quantised.

        Args:
          coder: The coder.
          quality: The quality [1], or that of each position [1, rows, columns].
          gains: Takes the place of the gains at the quality.
        """
        if gains is None and self._model.rate.count > 1:
            gains = self._gains(quality)
        with intercept(self._layers, lambda path, layer, call, values: self._functions[path](values)):
            return self._model.walk(coder, quality, gains)

    def check(self, symbols: tf.Tensor) -> None:
        """Raises an error unless symbols of a graph depend on exact operations only.

        Args:
          symbols: The symbols, a tensor of the graph.

        Raises:
          LicError: The symbols depend on operations that are not exact; the message names them.
        """
        places: dict[str, str] = {}  # The first place of each type of operation.
        for name, kind in sorted((operation.name, operation.type) for operation in inexact_operations(symbols.op)):
            places.setdefault(kind, name)
        if places:
            found = ", ".join(f"{kind} ({name})" for kind, name in sorted(places.items()))
            dense = "lic.layers.Convolution(units, 1) in place of Dense, " if "MatMul" in places else ""
            raise LicError(
                "A deterministic codec needs parameter networks of convolutions, ReLU and operations that move "
                f"numbers. This one also has {found}, which differ between machines. Take {dense}parts without them, "
                "such as the entropy model 'checkerboard', the hyper transform 'conv' and hyper_activation='relu', or "
                "deterministic=False."
            )

    def _gains(self, quality: tf.Tensor) -> IntegerGains:
        shape = (1, 1, 1) if quality.shape.rank == 1 else quality.shape
        with tf.name_scope(SCOPE):
            numbers = numpy_function(self._gains_of, [quality], [tf.float32] * len(IntegerGains._fields))
        return IntegerGains(*(tf.ensure_shape(each, (*shape, self._model.transform.depth)) for each in numbers))

    def _gains_of(self, quality: np.ndarray) -> list[np.ndarray]:
        """Returns the fields of `IntegerGains` [1, rows, columns, depth] at qualities [1] or [1, rows, columns]."""
        levels, number = np.unique(quality, return_inverse=True)
        gains = map(self._gains_at, map(float, levels))
        shape = quality.shape if quality.ndim == 3 else (1, 1, 1)
        return [np.stack(each)[number.reshape(shape)] for each in zip(*gains)]


def _integer_functions(model: CompressionModel, units: Mapping[str, Units]) -> Iterator[tuple[str, Callable]]:
    """Yields the path of each layer, and the function that takes the layer's place."""
    for path, layer in parameter_layers(model, Convolution).items():
        if path in units:  # Calibration met no input of layers without units. If they are used, the audit finds them.
            if units[path].output_bits.shape != (layer.filters,):
                raise CheckpointError(f"The units of {path!r} are of another convolution. Get the codec anew.")
            yield path, IntegerConvolution(layer, units[path])
    for path in parameter_layers(model, HalfTanh):
        yield path, integer_half_tanh
