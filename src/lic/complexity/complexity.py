"""The multiply-accumulates of any function of tensors, and the table of the sizes of a model's parts.

Nothing here depends on models: any function can be counted, and any layers can be its parts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lic.complexity.abstract_tensor import AbstractTensor
from lic.complexity.interpreter import Counts, GraphInterpreter
from lic.environment import keras, tf
from lic.layers.tracing import intercept


class PartComplexity(NamedTuple):
    """The size of one part.

    Attributes:
      part: The name of the part.
      parameters: Number of its parameters.
      macs_encode: Multiply-accumulates when one image is encoded.
      macs_decode: Multiply-accumulates when one image is decoded.
    """

    part: str
    parameters: int
    macs_encode: float
    macs_decode: float


@dataclasses.dataclass(frozen=True)
class Complexity:
    """The size of a model, part by part, for images of one size.

    Multiply-accumulates are those of convolutions and matrix products: convolutional and dense layers, the 1x1 products
    in GDN, queries, keys, values, scores and sums of attention. They count as the codec computes them, on the padded
    image, including zeros around values and zeros in masked kernels. Tensors that a codec derives from weights once,
    such as kernels from their Fourier transform, do not count. Operations on single values do not count either: biases,
    activations, norms, softmax, rounding, range coding, and the lookup of factorized priors.

    Attributes:
      height: Height of the image in pixels.
      width: Width of the image in pixels.
      rows: The parts.
    """

    height: int
    width: int
    rows: tuple[PartComplexity, ...]

    @property
    def total(self) -> PartComplexity:
        """The sum over all parts."""
        _, *columns = zip(*self.rows)
        return PartComplexity("total", *map(sum, columns))

    @property
    def per_pixel(self) -> tuple[PartComplexity, ...]:
        """The parts, with multiply-accumulates for each pixel of the image."""
        return tuple(self._per_pixel(row) for row in self.rows)

    @property
    def total_per_pixel(self) -> PartComplexity:
        """The sum over all parts, with multiply-accumulates for each pixel of the image."""
        return self._per_pixel(self.total)

    def _per_pixel(self, row: PartComplexity) -> PartComplexity:
        pixels = self.height * self.width
        return row._replace(macs_encode=row.macs_encode / pixels, macs_decode=row.macs_decode / pixels)


class PartScopes:
    """Name scopes that mark the part to which each operation of a graph belongs.

    The scopes of Keras would not do, since they are ambiguous (see `lic.layers.tracing.intercept`).
    """

    def __init__(self):
        self._parts: list[str] = []

    def scope(self, part: str) -> contextlib.AbstractContextManager:
        """Opens a scope: operations that are traced within belong to the part."""
        if part not in self._parts:
            self._parts.append(part)
        return tf.name_scope(f"lic.part.{self._parts.index(part)}")

    def scopes_of(
        self, layers: Mapping[str, keras.layers.Layer], part_of: Callable[[str], str]
    ) -> contextlib.AbstractContextManager:
        """Opens a scope whenever one of the layers is called within, in this thread.

        Args:
          layers: The layers by path.
          part_of: Maps a path to the layer's part.
        """

        def call_in_scope(path: str, layer: keras.layers.Layer, call: Callable, *args: Any, **kwargs: Any) -> Any:
            with self.scope(part_of(path)):
                return call(*args, **kwargs)

        return intercept(layers, call_in_scope)

    def part_of(self, operation: str) -> str | None:
        """Returns the part of the innermost scope in an operation's name, or None."""
        found = re.findall(r"lic\.part\.(\d+)", operation)
        return self._parts[int(found[-1])] if found else None


def count(
    function: Callable, *shapes: Sequence[int | None], label_of: Callable[[str], str | None] = lambda _: None
) -> Counts:
    """Traces a function, and counts its multiply-accumulates without computing it.

    Args:
      function: A function of float32 tensors.
      *shapes: The shape of each tensor.
      label_of: Maps an operation's name to the label that it counts under, such as `PartScopes.part_of`.

    Raises:
      LicError: The count depends on more than shapes.
    """
    traced = tf.function(function, autograph=False).get_concrete_function(*map(tf.TensorSpec, shapes))
    return count_graph(traced.graph, *shapes, label_of=label_of)


def count_graph(
    graph: tf.Graph, *shapes: Sequence[int | None], label_of: Callable[[str], str | None] = lambda _: None
) -> Counts:
    """Counts the multiply-accumulates of a function's graph without computing it.

    Args:
      graph: The graph of a traced function, which may have been traced for other or unknown shapes.
      *shapes: The shape of each argument; captured tensors have their own.
      label_of: Maps an operation's name to the label that it counts under.

    Raises:
      LicError: The count depends on more than shapes.
    """
    captured = [tensor.shape for tensor in graph.inputs[len(shapes) :]]
    inputs = [AbstractTensor(tf.TensorShape(shape)) for shape in (*shapes, *captured)]
    return GraphInterpreter(label_of).run(graph, inputs)[1]
