"""Multiply-accumulates of TensorFlow's convolutions and matrix products, from the shapes of what they take and give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lic.environment import tf

Shape = Sequence[int]


def multiply_accumulates(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    """Returns the multiply-accumulates of one operation of a graph, of a type in `PRODUCTS`.

    Zeros that a convolution is padded with count like other values. A transposed convolution counts each position of
    what it is given times the kernel, not the zeros that some write between those positions.

    Args:
      operation: The operation.
      inputs: Shapes of its inputs.
      output: Shape of its output.
    """
    return PRODUCTS[operation.type](operation, inputs, output)


def _convolution(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    # A kernel is [..., inputs of a group, outputs]: grouped convolutions need no further care.
    return math.prod(output) * math.prod(inputs[1][:-1])


def _depthwise(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    return math.prod(output) * math.prod(inputs[1][:-2])


def _transposed(operation: tf.Operation, inputs: Sequence[Shape], output: Shape) -> int:
    return math.prod(inputs[2]) * math.prod(inputs[1][:-1])


def _matrix(flag: str) -> Callable:
    """Products of matrices, where an attribute says whether the first one is transposed."""

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
            sizes[label] = max(size, sizes.get(label, 0))  # Behind an ellipsis, one stands for any size.
    return math.prod(sizes.values())


def _labels(term: str, rank: int) -> list[str | int]:
    """A label for each axis, letters as they are and numbers from the right for those of an ellipsis."""
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
