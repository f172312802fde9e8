"""The three environments of `lic`, and all code that differs between them.

Python 3.10 and 3.11 come with TensorFlow 2.14, whose Keras is Keras 2. Python 3.12 comes with TensorFlow 2.17, Python
3.13 with TensorFlow 2.21, and both with Keras 3. All other files import `tf` and `keras` from here, and are the same
code in all environments.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

NEEDS = (
    "lic needs TensorFlow 2.14 on Python 3.10 or 3.11, 2.17 on Python 3.12, or 2.21 on Python 3.13; "
    "pip chooses the right one when it installs lic"
)

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(f"{NEEDS}, but TensorFlow cannot be imported here ({error}).") from None

if tf.__version__.split(".")[:2] not in (["2", "14"], ["2", "17"], ["2", "21"]):
    raise ImportError(f"{NEEDS}, but TensorFlow {tf.__version__} is installed here.")

keras = tf.keras
KERAS_3 = hasattr(keras, "ops")
saving = importlib.import_module("keras").saving  # In Keras 3 `tf.keras` has no `saving`.
_policy_lock = threading.RLock()
Precision = Literal["float32", "bfloat16"]  # The type that transforms compute in.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # Keras's policy of each.


def compute_in(layer: keras.layers.Layer, policy: str) -> None:
    """Makes a layer and all layers inside compute by a policy, whatever the global one is.

    Args:
      layer: The layer.
      policy: The name of a Keras dtype policy, such as "float32" or "mixed_bfloat16".
    """
    made = keras.dtype_policies.DTypePolicy(policy) if KERAS_3 else keras.mixed_precision.Policy(policy)
    for part in layer._flatten_layers():
        _set_policy(part, made)


def policies_of(layer: keras.layers.Layer) -> list[Any]:
    """Returns the dtype policies of a layer and of all layers inside, which `set_policies` takes."""
    return [part.dtype_policy for part in layer._flatten_layers()]


def set_policies(layer: keras.layers.Layer, policies: Sequence[Any]) -> None:
    """Sets the dtype policies of a layer and of all layers inside."""
    for part, policy in zip(layer._flatten_layers(), policies, strict=True):
        _set_policy(part, policy)


def _set_policy(layer: keras.layers.Layer, policy: Any) -> None:
    if KERAS_3:
        layer.dtype_policy = policy
    else:
        layer._set_dtype_policy(policy)


def learning_rate_variable(optimizer: keras.optimizers.Optimizer) -> tf.Variable | None:
    """Returns the variable of an optimiser's learning rate, or None if a schedule gives the rate."""
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if isinstance(rate, (tf.Variable, keras.Variable) if KERAS_3 else tf.Variable) else None


def set_name(layer: keras.layers.Layer, name: str) -> None:
    """Gives a layer another name.

    Args:
      layer: The layer.
      name: The name.
    """
    setattr(layer, "name" if KERAS_3 else "_name", name)


def track_lists(layer: keras.layers.Layer) -> None:
    """Makes `tf.train.Checkpoint` see the layers and weights in lists, which Keras 3 hides from it.

    Args:
      layer: A layer whose attributes have been set.
    """
    if not KERAS_3:
        return
    for name, items in list(vars(layer).items()):
        if isinstance(items, list) and items and name not in layer_internals():
            values = [item.value if isinstance(item, keras.Variable) else item for item in items]
            if all(isinstance(value, tf.__internal__.tracking.Trackable) for value in values):
                layer._track_trackable(tf.__internal__.tracking.wrap(values), name, overwrite=True)


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Makes a dtype policy of Keras the global one inside the context.

    Other threads wait for the context to end: in Keras 2 they share the policy, and would bring back one another's.

    Args:
      name: The name of the policy, such as "float32" or "mixed_bfloat16".
    """
    with _policy_lock:
        before = keras.mixed_precision.global_policy()
        keras.mixed_precision.set_global_policy(name)
        try:
            yield
        finally:
            keras.mixed_precision.set_global_policy(before)


def slots_of(optimizer: keras.optimizers.Adam, variable: tf.Variable) -> tuple[tf.Variable, tf.Variable]:
    """Returns the first and the second moment of a variable in Adam."""
    if KERAS_3:
        number = optimizer._get_variable_index(variable)
        return optimizer._momentums[number].value, optimizer._velocities[number].value
    number = optimizer._index_dict[optimizer._var_key(variable)]
    return optimizer._momentums[number], optimizer._velocities[number]


def apply_summed(optimizer: keras.optimizers.Optimizer, gradients_and_variables: Any) -> None:
    """Takes a step with gradients that are already summed over all replicas.

    Keras would sum them itself, but Keras 3 clips each replica's gradients before it sums them.

    Args:
      optimizer: The optimiser.
      gradients_and_variables: Pairs of a gradient and its variable.
    """
    options = {}
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        if KERAS_3:
            optimizer._all_reduce_sum_gradients = list
        elif hasattr(optimizer, "build"):
            options = {"skip_gradients_aggregation": True}
        else:  # A legacy optimiser of Keras.
            options = {"experimental_aggregate_gradients": False}
    optimizer.apply_gradients(gradients_and_variables, **options)


def training_steps(optimizer: keras.optimizers.Optimizer) -> tf.Variable:
    """Returns the number of training steps so far, of which an optimiser of Keras 3 may gather several into one."""
    return optimizer._iterations.value if KERAS_3 else optimizer.iterations


def as_reported(value: tf.Tensor) -> tf.Tensor:
    """Returns a number in the form in which Keras expects it from a training step.

    With several workers Keras 3 averages over a first axis, which a single number does not have.
    """
    workers = getattr(tf.distribute.get_strategy().extended, "_in_multi_worker_mode", lambda: False)()
    return value[None] if KERAS_3 and workers else value


def numpy_function(function: Callable, inputs: Sequence[tf.Tensor], types: Any) -> Any:
    """Returns the results of a function of numpy arrays, as `tf.numpy_function` does.

    TensorFlow keeps every such function, and all that it holds, until the process ends. This one is freed with the
    graph that is being traced.

    Args:
      function: The function.
      inputs: Its arguments.
      types: The type of its result, or a list of types.
    """
    weak = weakref.ref(function)
    if not tf.executing_eagerly():
        graph = tf.compat.v1.get_default_graph()
        graph.numpy_functions_of_lic = [*getattr(graph, "numpy_functions_of_lic", []), function]
    return tf.numpy_function(lambda *arrays: weak()(*arrays), inputs, types)


@functools.cache
def layer_internals() -> frozenset[str]:
    """Returns the names of the attributes that Keras itself gives to every layer and model."""
    return frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model()))


def is_compiled_by_xla() -> bool:
    """Returns whether a function of `jit_compile=True` is being traced."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = graph._get_control_flow_context()
        while context is not None:
            if context.IsXLAContext():
                return True
            context = context.outer_context
        graph = getattr(graph, "outer_graph", None)
    return False


def called_graph(operation: tf.Operation, function: Any) -> tf.Graph:
    """Returns the traced graph of a function that an operation calls.

    Args:
      operation: The operation.
      function: The attribute of the operation that names the function.
    """
    return operation.graph._get_function(function.name).graph
