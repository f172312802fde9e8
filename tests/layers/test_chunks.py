import numpy as np
import pytest

from lic.environment import tf
from lic.layers.chunks import compiled, loop_over_chunks, map_chunks, specs_of
from lic.layers.tracing import plain_graphs

VALUES = np.arange(20, dtype=np.float32).reshape(10, 2)


def squares_and_total(start, stop):
    part = tf.constant(VALUES)[start:stop]
    return [part * part, tf.reduce_sum(part)]


@pytest.mark.parametrize("chunk", [1, 3, 5, 10, 64])
def test_chunks_equal_the_whole(chunk):
    arrays, sums = loop_over_chunks(squares_and_total, tf.constant(10), chunk, [(tf.float32, 2)], [tf.zeros(())])
    np.testing.assert_array_equal(arrays[0].concat(), VALUES * VALUES)
    assert float(sums[0]) == VALUES.sum()


def test_chunks_run_in_a_graph_of_unknown_length():
    @tf.function(input_signature=[tf.TensorSpec((None, 2))])
    def doubled(values):
        arrays, _ = loop_over_chunks(
            lambda *bounds: [2 * values[slice(*bounds)]], tf.shape(values)[0], 4, [(tf.float32, 2)]
        )
        return arrays[0].concat()

    for length in (1, 4, 9):
        np.testing.assert_array_equal(doubled(VALUES[:length]), 2 * VALUES[:length])


def test_mapped_chunks_are_the_whole():
    def doubled(start, stop):
        return 2 * tf.constant(VALUES)[start:stop]

    np.testing.assert_array_equal(map_chunks(doubled, tf.constant(10), 4, 2), 2 * VALUES)
    with plain_graphs():
        np.testing.assert_array_equal(map_chunks(doubled, tf.constant(10), 4, 2), 2 * VALUES)


def test_plain_graphs_have_no_loops_and_no_functions():
    def doubled(values):
        return 2 * values

    def block(values):
        specs = (tf.TensorSpec((None, 2)),)
        return map_chunks(lambda *bounds: compiled(doubled, specs)(values[slice(*bounds)]), tf.shape(values)[0], 4, 2)

    def operations():
        graph = tf.function(block, autograph=False).get_concrete_function(tf.TensorSpec((None, 2))).graph
        return {operation.type for operation in graph.get_operations()}

    assert {"While", "StatelessWhile"} & operations()
    with plain_graphs():
        assert not {"While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall"} & operations()


def test_a_function_is_traced_once_for_all_that_share_it():
    traced = []

    def scaled(factor, values):
        traced.append(factor)
        return factor * values

    specs = (tf.TensorSpec((None,)),)
    assert compiled(scaled, specs, 2) is compiled(scaled, specs, 2)
    np.testing.assert_array_equal(compiled(scaled, specs, 2)(tf.constant([1.0, 2.0])), [2, 4])
    np.testing.assert_array_equal(compiled(scaled, specs, 3)(tf.constant([1.0])), [3])
    assert traced == [2, 3]


def test_gradients_go_through_a_compiled_function():
    def cubed(values):
        return values**3

    values = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = compiled(cubed, (tf.TensorSpec((None,)),))(values)
    np.testing.assert_allclose(tape.gradient(result, values), [3, 12])


def test_specs_keep_the_structure():
    tensors = (tf.zeros((2, 3)), [tf.zeros((), "int32")])
    assert specs_of(tensors) == (tf.TensorSpec((2, 3)), [tf.TensorSpec((), tf.int32)])
