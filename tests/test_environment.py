import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import lic
from lic import environment
from lic.environment import KERAS_3, compute_in, keras, layer_internals, policy, slots_of, tf
from lic.layers import Convolution, Sequential


def test_python_3_12_comes_with_keras_3():
    assert (sys.version_info >= (3, 12)) == KERAS_3


def test_a_layer_and_those_inside_compute_by_a_policy():
    chain = Sequential([Convolution(2, 1), Sequential([Convolution(2, 1)])])
    compute_in(chain, "mixed_bfloat16")
    assert chain(tf.ones((1, 2, 2, 3))).dtype == tf.bfloat16
    compute_in(chain, "float32")
    assert chain(tf.ones((1, 2, 2, 3))).dtype == tf.float32
    assert all(np.asarray(weight).dtype == np.float32 for weight in chain.weights)


def test_a_policy_in_threads_leaves_the_global_one_as_it_is():
    def hold(inside, leave):
        with policy("float32"):
            inside.set()
            leave.wait(10)

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        events = [(threading.Event(), threading.Event()) for _ in range(2)]
        threads = [threading.Thread(target=hold, args=pair) for pair in events]
        for thread, (inside, _) in zip(threads, events):
            thread.start()
            inside.wait(0.1)  # The second one waits until the first one has left.
        for thread, (_, leave) in zip(threads, events):
            leave.set()
            thread.join()
        assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_slots_are_the_moments_of_a_variable():
    optimizer, variables = lic.Adam(0.1), [tf.Variable([1.0, 2.0]), tf.Variable([3.0])]
    optimizer.build(variables)
    optimizer.apply_gradients([(tf.constant([4.0, 4.0]), variables[0]), (tf.constant([2.0]), variables[1])])
    first, second = slots_of(optimizer, variables[1])
    np.testing.assert_allclose(first, [0.2], rtol=1e-4)
    np.testing.assert_allclose(second, [0.004], rtol=1e-4)


def test_internals_are_attributes_of_keras_and_not_ours():
    names = layer_internals()
    assert "built" in names or "_built" in names
    assert not {"layers", "kernel", "transform", "entropy"} & names


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        ("sys.modules['tensorflow'] = None", "cannot be imported here"),
        ("sys.modules['tensorflow'] = types.SimpleNamespace(__version__='2.16.1')", "TensorFlow 2.16.1 is installed"),
    ],
)
def test_another_tensorflow_is_refused_in_one_sentence(hidden, message):
    code = f"import sys, types; {hidden}; import lic.environment"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: lic needs TensorFlow 2.14")
    assert message in last


def test_a_function_of_arrays_is_freed_with_its_graph():
    class Held:
        number = 3.0

    def graph_of(held):
        def multiply(array):
            return array * np.float32(held.number)

        return tf.function(lambda values: environment.numpy_function(multiply, [values], tf.float32))

    held = Held()
    graph, freed = graph_of(held), weakref.ref(held)
    assert graph(tf.constant(2.0)) == 6.0
    del held
    gc.collect()
    assert freed() is not None
    assert graph(tf.constant(2.0)) == 6.0
    del graph
    gc.collect()
    assert freed() is None
