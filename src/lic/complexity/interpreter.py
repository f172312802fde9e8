"""An interpreter that runs traced graphs on abstract tensors, and counts the multiply-accumulates of their products.

Three simpler ways do not count the products of a codec:

- TensorFlow's profiler (`float_operation` of `tf.compat.v1.profiler`) reads a graph without running it. It counts no
  product in a Swin block, which works in a loop over chunks of windows, none in `tf.einsum`, none in `tf.while_loop`,
  and none on positions that `tf.where` selects. Beside products it counts biases and activations. A test shows this.
- A formula for each layer misses products outside of layers, such as the scores in attention or a `tf.einsum` in a
  walk. There is none for layers of other people, and it does not know how often a loop runs.
- A run on an image takes the time and memory of coding it, which are seconds and gigabytes for large images.
"""

from __future__ import annotations

import collections
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lic.complexity.abstract_tensor import TENSOR_LISTS, AbstractTensor, join
from lic.complexity.multiply_accumulates import PRODUCTS, multiply_accumulates
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


class GraphInterpreter:
    """Runs graphs on abstract tensors, and counts the multiply-accumulates of their products.

    TensorFlow's own operations compute values that follow from shapes and constants, such as the number of turns of a
    loop or the positions that are gathered. TensorFlow's own shape functions give the shapes of all other tensors. So
    functions, loops and branches count as often as they run. If a condition depends on more than shapes, the branch
    with more multiply-accumulates counts. Operations that no result depends on do not run and do not count.

    Args:
      label_of: Maps an operation's name to the label that it counts under. None stands for the label of the operation
        that calls the function in which it is.
    """

    def __init__(self, label_of: Callable[[str], Any]):
        self._label_of = label_of
        self._scratch = tf.Graph()  # Shape functions run when an operation is added to a graph.
        self._done: dict[tuple, tuple[list[AbstractTensor], Counts]] = {}
        self._running: dict[tf.Graph, list[tf.Operation]] = {}

    def run(self, graph: tf.Graph, inputs: Sequence[AbstractTensor]) -> tuple[list[AbstractTensor], Counts]:
        """Runs a graph.

        Args:
          graph: The graph of a traced function.
          inputs: An abstract tensor for each of the graph's inputs, captured tensors among them.

        Returns:
          The graph's outputs, and the multiply-accumulates of each label.

        Raises:
          LicError: The number of turns of a loop, or the size of a product, depends on more than shapes.
        """
        key = graph, tuple(each.key for each in inputs)
        if key not in self._done:
            self._done[key] = self._run(graph, inputs)
        return self._done[key]

    def _run(self, graph: tf.Graph, inputs: Sequence[AbstractTensor]) -> tuple[list[AbstractTensor], Counts]:
        known = {tensor.name: each for tensor, each in zip(graph.inputs, inputs, strict=True)}
        total = Counts()
        for operation in self._running_in(graph):
            if operation.type == "Placeholder":
                continue
            results, counts = self._operate(operation, [known[tensor.name] for tensor in operation.inputs])
            # A function has more results than this call of it if a gradient was traced in the meantime.
            known |= {tensor.name: each for tensor, each in zip(operation.outputs, results)}
            for label, count in counts.items():
                total[self._label_of(operation.name) if label is None else label] += count
        return [known[tensor.name] for tensor in graph.outputs], total

    def _running_in(self, graph: tf.Graph) -> list[tf.Operation]:
        """Returns the operations that a graph's outputs and side effects need, in an order in which they can run."""
        if graph not in self._running:
            waiting = [*graph.control_outputs, *(tensor.op for tensor in graph.outputs)]
            seen, ordered = set(), {}
            while waiting:
                operation = waiting[-1]
                # The order of the graph would not do: gradients insert operations that earlier ones depend on.
                if operation.name not in seen:
                    seen.add(operation.name)
                    needed = [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
                    waiting += [each for each in needed if each.name not in seen]
                else:
                    ordered.setdefault(waiting.pop().name, operation)
            self._running[graph] = list(ordered.values())
        return self._running[graph]

    def _operate(self, operation: tf.Operation, inputs: list[AbstractTensor]) -> tuple[list[AbstractTensor], Counts]:
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

    def _choose(
        self, operation: tf.Operation, condition: AbstractTensor, *inputs: AbstractTensor
    ) -> tuple[list[AbstractTensor], Counts]:
        names = ("then_branch", "else_branch")
        branches = [called_graph(operation, operation.get_attr(name)) for name in names]
        if condition.value is not None:
            return self.run(branches[0 if np.all(condition.value) else 1], inputs)
        (first, first_counts), (second, second_counts) = (self.run(branch, inputs) for branch in branches)
        results = [join(*pair) for pair in zip(first, second, strict=True)]
        return results, max(first_counts, second_counts, key=Counts.total)

    def _loop(self, operation: tf.Operation, state: list[AbstractTensor]) -> tuple[list[AbstractTensor], Counts]:
        condition, body = (called_graph(operation, operation.get_attr(name)) for name in ("cond", "body"))
        total = Counts()
        while True:
            (again,), counts = self.run(condition, state)
            total += counts
            if again.value is None:
                raise LicError(
                    f"The number of turns of the loop {operation.name!r} depends on more than shapes, so that its "
                    "multiply-accumulates cannot be counted. Bound it by a number that follows from tf.shape."
                )
            if not again.value:
                return state, total
            state, counts = self.run(body, state)
            total += counts

    def _multiply(self, operation: tf.Operation, inputs: list[AbstractTensor]) -> tuple[list[AbstractTensor], Counts]:
        results = self._inferred(operation, inputs)
        shapes = [each.shape for each in (*inputs, *results)]
        if not all(shape.is_fully_defined() for shape in shapes):
            raise LicError(
                f"The size of the product {operation.name!r} ({operation.type} of {shapes}) depends on more than "
                "shapes, so that its multiply-accumulates cannot be counted. Compute sizes from tf.shape alone."
            )
        *taken, given = (shape.as_list() for shape in shapes)
        return results, Counts({None: multiply_accumulates(operation, taken, given)})

    def _results(self, operation: tf.Operation, inputs: list[AbstractTensor]) -> list[AbstractTensor]:
        if operation.type == "Const":
            return [AbstractTensor.of(np.asarray(tf.get_static_value(operation.outputs[0])))]
        if operation.type in _SIZES and inputs[0].shape.is_fully_defined():
            dtype = operation.outputs[0].dtype.as_numpy_dtype
            return [AbstractTensor.of(np.array(_SIZES[operation.type](inputs[0].shape), dtype))]
        if operation.type in TENSOR_LISTS:
            pairs = zip(TENSOR_LISTS[operation.type](*inputs), operation.outputs, strict=True)
            return [each._replace(shape=each.shape.merge_with(tensor.shape)) for each, tensor in pairs]
        if operation.type in _SAME:
            return inputs
        if _computable(operation) and all(each.value is not None for each in inputs):
            return self._computed(operation, inputs)
        return self._inferred(operation, inputs)

    def _computed(self, operation: tf.Operation, inputs: list[AbstractTensor]) -> list[AbstractTensor]:
        pairs = zip(inputs, operation.inputs, strict=True)
        results = _apply(operation, [tf.constant(each.value, tensor.dtype) for each, tensor in pairs])
        return [AbstractTensor.of(result.numpy()) for result in results]

    def _inferred(self, operation: tf.Operation, inputs: list[AbstractTensor]) -> list[AbstractTensor]:
        shapes = [tensor.shape for tensor in operation.outputs]
        if not all(shape.is_fully_defined() for shape in shapes) and _raw(operation):
            with self._scratch.as_default():
                results = _apply(operation, [_stand_in(*pair) for pair in zip(inputs, operation.inputs)])
            shapes = [result.shape.merge_with(shape) for result, shape in zip(results, shapes, strict=True)]
        return [AbstractTensor(shape) for shape in shapes]


def _stand_in(known: AbstractTensor, tensor: tf.Tensor) -> tf.Tensor:
    if known.value is not None:
        return tf.constant(known.value, tensor.dtype)
    return tf.raw_ops.Placeholder(dtype=tensor.dtype, shape=known.shape)


def _computable(operation: tf.Operation) -> bool:
    """Returns whether an operation can be computed apart from its graph, with the same result every time."""
    plain = all(tensor.dtype not in (tf.variant, tf.resource) for tensor in operation.outputs)
    return bool(operation.outputs) and plain and not operation.op_def.is_stateful and _raw(operation) is not None


def _raw(operation: tf.Operation) -> Callable | None:
    return getattr(tf.raw_ops, operation.type, None)


def _apply(operation: tf.Operation, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """Calls the operation, with its attributes, on other inputs."""
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
    """Returns the number of tensors that one argument of an operation consists of."""
    if argument.type_list_attr:
        return len(operation.get_attr(argument.type_list_attr))
    return operation.get_attr(argument.number_attr) if argument.number_attr else 1


def _renamed(arguments: dict[str, Any], function: Callable) -> dict[str, Any]:
    """Returns arguments by their names in Python, which differ from the graph's for some, such as those of `Where`."""
    taken = inspect.signature(function).parameters
    others = iter([name for name in taken if name not in arguments and name != "name"])
    return {name if name in taken else next(others): value for name, value in arguments.items()}


def _check_calls_nothing(operation: tf.Operation) -> None:
    if any(each.type in ("func", "list(func)") for each in operation.op_def.attr):
        raise LicError(
            f"The operation {operation.name!r} ({operation.type}) calls functions in a way whose multiply-accumulates "
            "cannot be counted. Write tf.cond, tf.while_loop or tf.function in its place."
        )
