import threading

import numpy as np
import pytest

from lic.environment import keras, tf
from lic.layers import Convolution
from lic.layers.tracing import (
    HasDerivedWeights,
    Interceptable,
    building,
    intercept,
    is_plain,
    plain_graphs,
    snapshot_weights,
)


def in_another_thread(function):
    """Returns the result of a function that runs in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


class Doubling(HasDerivedWeights, keras.layers.Layer):
    """Multiplies by twice its weight, and counts how often that is derived."""

    def __init__(self):
        super().__init__()
        self.weight = self.add_weight(name="weight", shape=(), initializer="ones")
        self.count = 0

    def derive(self):
        self.count += 1
        return 2 * tf.convert_to_tensor(self.weight)

    def call(self, values):
        return values * self.derived()


def test_weights_count_as_they_are_at_each_call():
    layer = Doubling()
    assert float(layer(tf.constant(3.0))) == 6
    layer.weight.assign(5.0)
    assert float(layer(tf.constant(3.0))) == 30


def test_a_snapshot_is_derived_once_and_stays():
    layer, cache = Doubling(), {}

    def call(values):
        with snapshot_weights(cache):
            return layer(values)

    traced = tf.function(call, autograph=False)
    assert float(call(tf.constant(3.0))) == 6
    layer.weight.assign(5.0)
    assert float(traced(tf.constant(3.0))) == 6
    assert layer.count == 1


def test_no_snapshot_is_left_afterwards():
    layer = Doubling()
    with snapshot_weights({}):
        layer(tf.constant(1.0))
    layer.weight.assign(5.0)
    np.testing.assert_allclose(layer(tf.constant(1.0)), 10)


def test_layers_do_not_share_derived_weights():
    first, second = Doubling(), Doubling()
    second.weight.assign(4.0)
    with snapshot_weights({}):
        assert [float(layer(tf.constant(1.0))) for layer in (first, second, first)] == [2, 8, 2]


class Triple(Interceptable, keras.layers.Layer):
    def call(self, values):
        return 3 * values


class ForeignTriple(keras.layers.Layer):
    def call(self, values):
        return 3 * values


KINDS = pytest.mark.parametrize("kind", [Triple, ForeignTriple])


def called(layer):
    return float(layer(tf.constant(2.0)))


def negative(path, layer, call, values):
    return -values


@KINDS
def test_a_function_takes_the_place_of_one_layer_within(kind):
    layer, other = kind(), kind()
    with intercept({"layer": layer}, negative):
        assert (called(layer), called(other)) == (-2, 6)
    assert called(layer) == 6


@KINDS
def test_an_interceptor_receives_path_layer_call_and_arguments(kind):
    layer, received = kind(), []

    def note(path, layer, call, values):
        received.append((path, layer, float(values)))
        return 10 * call(values)

    with intercept({"some/path": layer}, note):
        assert called(layer) == 60
    assert received == [("some/path", layer, 2.0)]


@KINDS
def test_keyword_arguments_reach_the_interceptor(kind):
    class InTraining(kind):
        def call(self, values, training=False):
            return 5 * values if training else values

    layer = InTraining()
    with intercept({"layer": layer}, lambda path, layer, call, *args, **kwargs: -call(*args, **kwargs)):
        assert float(layer(tf.constant(2.0), training=True)) == -10


@KINDS
def test_the_inner_one_counts_and_the_outer_one_comes_back(kind):
    layer = kind()
    with intercept({"layer": layer}, negative):
        with intercept({}, negative):
            assert called(layer) == 6
        assert called(layer) == -2


@KINDS
def test_it_ends_with_an_error_too(kind):
    layer = kind()
    with pytest.raises(RuntimeError), intercept({"layer": layer}, negative):
        raise RuntimeError
    assert called(layer) == 6
    assert "call" not in vars(layer)


@KINDS
def test_other_threads_keep_their_layers(kind):
    layer = kind()
    with intercept({"layer": layer}, negative):
        assert in_another_thread(lambda: called(layer)) == 6
        assert called(layer) == -2


@KINDS
def test_threads_that_trace_the_same_layer_at_once_do_not_meet(kind):
    """Each of four threads traces the layer many times: two with interceptors of their own, two without."""
    layer, start = kind(), threading.Barrier(4)
    called(layer)
    found = {}

    def trace(number):
        factor = (-1.0, -10.0, None, None)[number]
        start.wait()
        results = set()
        for _ in range(30):
            if factor is None:
                results.add(float(tf.function(layer, autograph=False)(tf.constant(2.0))))
            else:
                with intercept({"layer": layer}, lambda path, layer, call, values: factor * call(values)):
                    results.add(float(tf.function(layer, autograph=False)(tf.constant(2.0))))
        found[number] = results

    threads = [threading.Thread(target=trace, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: {-6}, 1: {-60}, 2: {6}, 3: {6}}
    assert "call" not in vars(layer)


def test_our_own_layers_are_intercepted_untouched():
    layer = Convolution(2, 1)
    layer(tf.zeros((1, 1, 1, 1)))
    before = dict(vars(layer))
    with intercept({"layer": layer}, negative):
        assert vars(layer).keys() == before.keys()
        assert layer(tf.ones((1, 1, 1, 1))).shape[-1] == 1


def test_graphs_are_plain_in_one_thread_within():
    with plain_graphs():
        assert is_plain()
        assert not in_another_thread(is_plain)
    assert not is_plain()


def test_one_state_does_not_end_another():
    layer = Triple()
    with snapshot_weights(cache := {}), intercept({"layer": layer}, negative), plain_graphs():
        with building():
            Doubling()(tf.constant(1.0))
        assert (called(layer), is_plain(), len(cache)) == (-2, True, 1)
