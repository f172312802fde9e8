"""Traced graphs run on shapes alone: sizes that follow from sizes are known exactly, and no image is computed."""

from __future__ import annotations

import collections
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lic.complexity.known_tensor import Known, common
from lic.complexity.multiply_accumulates import PRODUCTS, multiply_accumulates
from lic.complexity.tensor_lists import TENSOR_LISTS
from lic.environment import called_graph, tf
from lic.errors import LicError

Counts = collections.Counter  # Label -> multiply-accumulates.

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_CONDITIONS = ("If", "StatelessIf")
_LOOPS = ("While", "StatelessWhile")
_SAME = ("Identity", "StopGradient", "PreventGradient")  # Lists of tensors pass through them too.
_SIZES = {
    "Shape": lambda shape: shape.as_list(),
    "Size": lambda shape: shape.num_elements(),
    "Rank": lambda shape: shape.rank,
}


class DryRun:
    """Runs graphs on what is known of their inputs, and counts the multiply-accumulates of their products.

    What follows from shapes and constants, such as the number of turns of a loop or positions that are gathered, is
    computed by TensorFlow's own operations; of everything else TensorFlow's own shape functions give the shape. So
    functions, loops and conditions inside are counted as often as they run. Where a condition depends on other values,
    the branch with more multiply-accumulates counts. Operations that no result depends on do not run, and do not count.

    Args:
      label_of: Maps an operation's name to the label that it counts under, or to None for that of the operation which
        calls the function that it is in.
    """

    def __init__(self, label_of: Callable[[str], Any]):
        self._label_of = label_of
        self._scratch = tf.Graph()  # Where shape functions run.
        self._done: dict[tuple, tuple[list[Known], Counts]] = {}
        self._running: dict[tf.Graph, list[tf.Operation]] = {}

    def run(self, graph: tf.Graph, inputs: Sequence[Known]) -> tuple[list[Known], Counts]:
        """Returns what is known of a function graph's outputs, and the multiply-accumulates of each label.

        Raises:
          LicError: The number of turns of a loop, or the size of a product, depends on more than shapes.
        """
        key = graph, tuple(each.key for each in inputs)
        if key not in self._done:
            self._done[key] = self._run(graph, inputs)
        return self._done[key]

    def _run(self, graph: tf.Graph, inputs: Sequence[Known]) -> tuple[list[Known], Counts]:
        known = {tensor.name: each for tensor, each in zip(graph.inputs, inputs, strict=True)}
        total = Counts()
        for operation in self._running_in(graph):
            if operation.type == "Placeholder":
                continue
            results, counts = self._operate(operation, [known[tensor.name] for tensor in operation.inputs])
            # A function that a gradient was made of since has more results than its call.
            known |= {tensor.name: each for tensor, each in zip(operation.outputs, results)}
            for label, count in counts.items():
                total[self._label_of(operation.name) if label is None else label] += count
        return [known[tensor.name] for tensor in graph.outputs], total

    def _running_in(self, graph: tf.Graph) -> list[tf.Operation]:
        """The operations of a graph that its outputs and side effects depend on, each after those it depends on."""
        if graph not in self._running:
            waiting = [*graph.control_outputs, *(tensor.op for tensor in graph.outputs)]
            seen, ordered = set(), {}
            while waiting:
                operation = waiting[-1]
                if operation.name not in seen:  # Those that it depends on first; gradients add some behind it.
                    seen.add(operation.name)
                    needed = [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
                    waiting += [each for each in needed if each.name not in seen]
                else:
                    ordered.setdefault(waiting.pop().name, operation)
            self._running[graph] = list(ordered.values())
        return self._running[graph]

    def _operate(self, operation: tf.Operation, inputs: list[Known]) -> tuple[list[Known], Counts]:
        if operation.type in _CALLS:
            return self.run(called_graph(operation, operation.get_attr("f")), inputs)
        if operation.type in _CONDITIONS:
            return self._choose(operation, *inputs)
        if operation.type in _LOOPS:
            return self._loop(operation, inputs)
        _check_calls_nothing(operation)
        if operation.type in PRODUCTS:
            return self._multiply(operation, inputs)
        return self._results(operation, inputs), Counts()

    def _choose(self, operation: tf.Operation, condition: Known, *inputs: Known) -> tuple[list[Known], Counts]:
        names = ("then_branch", "else_branch")
        branches = [called_graph(operation, operation.get_attr(name)) for name in names]
        if condition.value is not None:
            return self.run(branches[0 if np.all(condition.value) else 1], inputs)
        (first, first_counts), (second, second_counts) = (self.run(branch, inputs) for branch in branches)
        results = [common(*pair) for pair in zip(first, second, strict=True)]
        return results, max(first_counts, second_counts, key=Counts.total)

    def _loop(self, operation: tf.Operation, state: list[Known]) -> tuple[list[Known], Counts]:
        condition, body = (called_graph(operation, operation.get_attr(name)) for name in ("cond", "body"))
        total = Counts()
        while True:
            (again,), counts = self.run(condition, state)
            total += counts
            if again.value is None:
                raise LicError(
                    f"The number of turns of the loop {operation.name!r} depends on more than shapes, so that its "
                    "multiply-accumulates cannot be counted. Bound it by sizes."
                )
            if not again.value:
                return state, total
            state, counts = self.run(body, state)
            total += counts

    def _multiply(self, operation: tf.Operation, inputs: list[Known]) -> tuple[list[Known], Counts]:
        results = self._inferred(operation, inputs)
        shapes = [each.shape for each in (*inputs, *results)]
        if not all(shape.is_fully_defined() for shape in shapes):
            raise LicError(
                f"The size of the product {operation.name!r} ({operation.type} of {shapes}) depends on more than "
                "shapes, so that its multiply-accumulates cannot be counted. Make it depend on sizes alone."
            )
        *taken, given = (shape.as_list() for shape in shapes)
        return results, Counts({None: multiply_accumulates(operation, taken, given)})

    def _results(self, operation: tf.Operation, inputs: list[Known]) -> list[Known]:
        if operation.type == "Const":
            return [Known.of(np.asarray(tf.get_static_value(operation.outputs[0])))]
        if operation.type in _SIZES and inputs[0].shape.is_fully_defined():
            dtype = operation.outputs[0].dtype.as_numpy_dtype
            return [Known.of(np.array(_SIZES[operation.type](inputs[0].shape), dtype))]
        if operation.type in TENSOR_LISTS:
            pairs = zip(TENSOR_LISTS[operation.type](*inputs), operation.outputs, strict=True)
            return [each._replace(shape=each.shape.merge_with(tensor.shape)) for each, tensor in pairs]
        if operation.type in _SAME:
            return inputs
        if _computable(operation) and all(each.value is not None for each in inputs):
            return self._computed(operation, inputs)
        return self._inferred(operation, inputs)

    def _computed(self, operation: tf.Operation, inputs: list[Known]) -> list[Known]:
        pairs = zip(inputs, operation.inputs, strict=True)
        results = _apply(operation, [tf.constant(each.value, tensor.dtype) for each, tensor in pairs])
        return [Known.of(result.numpy()) for result in results]

    def _inferred(self, operation: tf.Operation, inputs: list[Known]) -> list[Known]:
        shapes = [tensor.shape for tensor in operation.outputs]
        if not all(shape.is_fully_defined() for shape in shapes) and _raw(operation):
            with self._scratch.as_default():
                results = _apply(operation, [_stand_in(*pair) for pair in zip(inputs, operation.inputs)])
            shapes = [result.shape.merge_with(shape) for result, shape in zip(results, shapes, strict=True)]
        return [Known(shape) for shape in shapes]


def _stand_in(known: Known, tensor: tf.Tensor) -> tf.Tensor:
    if known.value is not None:
        return tf.constant(known.value, tensor.dtype)
    return tf.raw_ops.Placeholder(dtype=tensor.dtype, shape=known.shape)


def _computable(operation: tf.Operation) -> bool:
    """Whether an operation can be computed apart from its graph, and always gives the same."""
    plain = all(tensor.dtype not in (tf.variant, tf.resource) for tensor in operation.outputs)
    return bool(operation.outputs) and plain and not operation.op_def.is_stateful and _raw(operation) is not None


def _raw(operation: tf.Operation) -> Callable | None:
    return getattr(tf.raw_ops, operation.type, None)


def _apply(operation: tf.Operation, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """Calls the same operation with other inputs."""
    definition, waiting = operation.op_def, iter(inputs)
    arguments, inferred = {}, set()
    for each in definition.input_arg:
        inferred |= {each.type_attr, each.number_attr, each.type_list_attr}
        arguments[each.name] = [next(waiting) for _ in range(_count(operation, each))]
        if not each.number_attr and not each.type_list_attr:
            (arguments[each.name],) = arguments[each.name]
    names = [each.name for each in definition.attr if each.name not in inferred]
    arguments |= {name: operation.get_attr(name) for name in names}
    return tf.nest.flatten(_raw(operation)(**_renamed(arguments, _raw(operation))))


def _count(operation: tf.Operation, argument: Any) -> int:
    """How many tensors one argument of an operation is."""
    if argument.type_list_attr:
        return len(operation.get_attr(argument.type_list_attr))
    return operation.get_attr(argument.number_attr) if argument.number_attr else 1


def _renamed(arguments: dict[str, Any], function: Callable) -> dict[str, Any]:
    """Arguments by the names in Python, which for some operations, such as Where, are others than in the graph."""
    taken = inspect.signature(function).parameters
    others = iter([name for name in taken if name not in arguments and name != "name"])
    return {name if name in taken else next(others): value for name, value in arguments.items()}


def _check_calls_nothing(operation: tf.Operation) -> None:
    if any(each.type in ("func", "list(func)") for each in operation.op_def.attr):
        raise LicError(
            f"The operation {operation.name!r} ({operation.type}) calls functions in a way whose multiply-accumulates "
            "cannot be counted. Write tf.cond, tf.while_loop or tf.function in its place."
        )
