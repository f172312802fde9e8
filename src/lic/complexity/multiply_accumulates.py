"""Multiply-accumulates of TensorFlow's convolutions and matrix products, from the shapes of inputs and output."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lic.environment import tf

Shape = Sequence[int]


def multiply_accumulates(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    """Returns the multiply-accumulates of one operation.

    Zeros around the input of a convolution count like other values. A transposed convolution counts each position of
    its input times the kernel, without the zeros that some implementations write between these positions.

    Args:
      operation: The operation, of a type in `PRODUCTS`.
      inputs: Shapes of its inputs.
      output: Shape of its output.
    """
    return PRODUCTS[operation.type](operation, inputs, output)


def _convolution(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    # The kernel of a grouped convolution is [..., inputs of one group, outputs], so that this holds for it too.
    return math.prod(output) * math.prod(inputs[1][:-1])


def _depthwise(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    return math.prod(output) * math.prod(inputs[1][:-2])


def _transposed(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    return math.prod(inputs[2]) * math.prod(inputs[1][:-1])


def _matrix(flag: str) -> Callable:
    """Returns the count for products of matrices, whose first one is transposed if an attribute is set."""

    def count(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
        return math.prod(output) * inputs[0][-2 if operation.get_attr(flag) else -1]

    return count


def _einsum(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    if len(inputs) == 1:
        return 0  # A sum or a transposition.
    terms = operation.get_attr("equation").decode().split("->")[0].split(",")
    sizes: dict[str | int, int] = {}
    for term, shape in zip(terms, inputs, strict=True):
        for label, size in zip(_labels(term, len(shape)), shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 0))  # An axis of an ellipsis may be 1, and is broadcast.
    return math.prod(sizes.values())


def _labels(term: str, rank: int) -> list[str | int]:
    """Returns a label for each axis: its letter, or for axes of an ellipsis a number that counts from the right."""
    before, _, after = term.partition("...")
    return [*before, *range(rank - len(before) - len(after), 0, -1), *after]


PRODUCTS = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Conv2DBackpropInput": _transposed,
    "Conv3DBackpropInputV2": _transposed,
    "MatMul": _matrix("transpose_a"),
    "BatchMatMul": _matrix("adj_x"),
    "BatchMatMulV2": _matrix("adj_x"),
    "BatchMatMulV3": _matrix("adj_x"),
    "Einsum": _einsum,
}
