"""The audit of a graph, which finds the operations that may give other floats on another machine.

`IntegerArithmetic.check` runs it on the graph that decodes, when a codec makes its graphs in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lic.codec.integer.layers import SCOPE
from lic.environment import called_graph, tf

# These operations move floats, or round them once as IEEE 754 defines. All others may differ between libraries.
_EXACT = frozenset(
    [
        "Abs",
        "AddV2",
        "BroadcastTo",
        "Cast",
        "Ceil",
        "ClipByValue",
        "ConcatV2",
        "Const",
        "EnsureShape",
        "ExpandDims",
        "Fill",
        "GatherNd",
        "GatherV2",
        "Identity",
        "LeakyRelu",
        "Max",
        "Maximum",
        "Min",
        "Minimum",
        "Mul",
        "Neg",
        "OnesLike",
        "Pack",
        "Pad",
        "PadV2",
        "Placeholder",
        "Relu",
        "Relu6",
        "Reshape",
        "ReverseV2",
        "Rint",
        "Round",
        "SelectV2",
        "Slice",
        "Split",
        "SplitV",
        "Squeeze",
        "StopGradient",
        "StridedSlice",
        "Sub",
        "TensorScatterUpdate",
        "TensorStridedSliceUpdate",
        "Tile",
        "Transpose",
        "Unpack",
        "ZerosLike",
    ]
)
# These are exact on the whole numbers that layers in `SCOPE` compute with. PyFunc is `integer_gains`, whose decimal
# arithmetic is exact everywhere.
_EXACT_ON_INTEGERS = frozenset(["BiasAdd", "Conv2D", "DepthToSpace", "MatMul", "PyFunc"])


def inexact_operations(last: tf.Operation) -> Iterator[tf.Operation]:
    """Yields the operations that the last one depends on and that may give other floats on another machine.

    Args:
      last: The operation; functions that it or its inputs call are searched too.
    """
    # A function that several operations call is searched once: functions in functions would else be searched for ever.
    waiting, seen = [last], set()
    while waiting:
        operation = waiting.pop()
        place = id(operation.graph), operation.name
        if place in seen:
            continue
        seen.add(place)
        waiting += [tensor.op for tensor in operation.inputs]
        calls = _functions(operation)
        for function in calls:
            waiting += [tensor.op for tensor in called_graph(operation, function).outputs]
        # Operations on integers give the same on every machine.
        gives_floats = any(not _is_no_float(tensor.dtype) for tensor in operation.outputs)
        if gives_floats and not calls and not _is_exact(operation):
            yield operation


def _is_no_float(dtype: tf.DType) -> bool:
    return dtype.is_integer or dtype.is_bool or dtype in (tf.string, tf.resource, tf.variant)


def _is_exact(operation: tf.Operation) -> bool:
    return operation.type in _EXACT or (SCOPE in operation.name and operation.type in _EXACT_ON_INTEGERS)


def _functions(operation: tf.Operation) -> list[Any]:
    """Returns the functions that an operation calls, as its attributes name them."""
    values = [operation.get_attr(name) for name in operation.node_def.attr]
    return [value for value in values if type(value).__name__ == "NameAttrList"]
