import pytest

from lic.complexity.abstract_tensor import AbstractTensor
from lic.complexity.interpreter import GraphInterpreter
from lic.environment import keras, tf
from lic.errors import LicError
from lic.layers import SwinBlock
from lic.layers.tracing import snapshot_weights

MATRIX = tf.ones((3, 5))


def traced(function, *shapes):
    """Returns the graph of a function for shapes."""
    return tf.function(function, autograph=False).get_concrete_function(*map(tf.TensorSpec, shapes)).graph


def run(function, *shapes, label_of=lambda _: None):
    """Returns the abstract outputs and the counts of a function for shapes."""
    graph = traced(function, *shapes)
    return GraphInterpreter(label_of).run(graph, [AbstractTensor(tensor.shape) for tensor in graph.inputs])


def counted(function, *shapes):
    """Returns all multiply-accumulates of a function."""
    return run(function, *shapes)[1].total()


def shapes_of(function, *shapes):
    """Returns the shapes of a function's results."""
    return [output.shape.as_list() for output in run(function, *shapes)[0]]


def loop(turns, body):
    """Runs a loop with a number of turns that is a tensor."""
    return tf.while_loop(lambda number, _: number < turns, lambda number, total: (number + 1, body(total)), (0, 0.0))[1]


def test_a_dense_layer_in_a_loop_counts_in_each_turn():
    dense = keras.layers.Dense(5)
    dense.build((4, 3))

    def function(values):
        turns = tf.shape(values)[0] // 2 + 1
        return loop(turns, lambda total: total + tf.reduce_sum(dense(values)))

    assert counted(function, [8, 3]) == 5 * (8 * 3 * 5)
    assert counted(function, [2, 3]) == 2 * (2 * 3 * 5)
    assert counted(function, [0, 3]) == 0


def test_loops_in_loops_and_sizes_that_grow():
    def function(values):
        def body(number, rows):
            return number + 1, tf.concat([rows, tf.matmul(rows, tf.ones((3, 3)))], 0)

        shapes = (tf.TensorShape([]), tf.TensorShape([None, 3]))
        return loop(2, lambda _: tf.reduce_sum(tf.while_loop(lambda n, _: n < 3, body, (0, values), shapes)[1]))

    assert counted(function, [4, 3]) == 2 * (4 + 8 + 16) * 3 * 3


def test_a_loop_whose_turns_depend_on_values_is_refused():
    def function(values):
        return loop(tf.cast(values[0, 0], "int32"), lambda total: total + 1.0)

    with pytest.raises(LicError, match="turns of the loop 'while'"):
        counted(function, [4, 3])


def test_a_product_whose_size_depends_on_values_is_refused():
    def function(values):
        return tf.matmul(tf.boolean_mask(values, values[:, 0] > 0), MATRIX)

    with pytest.raises(LicError, match="product 'MatMul'"):
        counted(function, [4, 3])


def test_positions_that_follow_from_sizes_are_known():
    def function(values):
        rows = tf.where(tf.range(tf.shape(values)[0]) % 2 == 1)[:, 0]
        return tf.matmul(tf.gather(values, rows), MATRIX)

    assert counted(function, [9, 3]) == 4 * 3 * 5


@pytest.mark.parametrize(("rows", "count"), [(4, 0), (5, 5 * 3 * 5)])
def test_a_known_condition_counts_the_branch_that_runs(rows, count):
    def function(values):
        large = tf.shape(values)[0] > 4
        return tf.cond(large, lambda: tf.matmul(values, MATRIX), lambda: tf.zeros((1, 5)))

    assert counted(function, [rows, 3]) == count


@pytest.mark.parametrize("flip", [False, True])
def test_an_unknown_condition_counts_the_branch_with_more(flip):
    def function(values):
        branches = [lambda: tf.matmul(values, MATRIX), lambda: tf.matmul(values[:1], MATRIX)]
        return tf.cond(values[0, 0] > 0, *(branches[::-1] if flip else branches))

    assert counted(function, [4, 3]) == 4 * 3 * 5
    assert shapes_of(function, [4, 3]) == [[None, 5]]


def test_functions_count_at_each_call():
    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def inner(values):
        return tf.matmul(values, MATRIX)

    assert counted(lambda values: [inner(values), inner(values[1:]), inner(values[2:])], [6, 3]) == (6 + 5 + 4) * 15


def test_operations_that_no_result_depends_on_do_not_count():
    def function(values):
        tf.matmul(values, MATRIX)
        return values + 1

    assert counted(function, [4, 3]) == 0


def test_operations_before_an_assignment_count():
    state = tf.Variable(0.0)

    def function(values):
        state.assign(tf.reduce_sum(tf.matmul(values, MATRIX)))
        return values

    assert counted(function, [4, 3]) == 4 * 3 * 5


def test_operations_that_call_functions_in_other_ways_are_refused():
    def function(values):
        return tf.data.Dataset.from_tensors(values).reduce(0.0, lambda total, _: total)

    with pytest.raises(LicError, match="cannot be counted"):
        counted(function, [4, 3])


def test_labels_reach_into_functions_and_inner_ones_win():
    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def inner(values):
        with tf.name_scope("own"):
            first = tf.matmul(values, MATRIX)
        return first + tf.matmul(values[:1], MATRIX)

    def function(values):
        with tf.name_scope("outer"):
            return inner(values)

    def label_of(name):
        return next((label for label in ("own", "outer") if label in name), None)

    assert run(function, [4, 3], label_of=label_of)[1] == {"own": 60, "outer": 15}


def swin_block():
    block = SwinBlock(32, 4, 2, head_dim=8)
    block(tf.zeros((1, 4, 4, 32)))
    return block


def rows_of_odd_number(values):
    return tf.matmul(tf.gather(values, tf.where(tf.range(tf.shape(values)[0]) % 2 == 1)[:, 0]), MATRIX)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (swin_block, [1, 64, 64, 32]),
        (lambda: lambda values: tf.einsum("rc,cd->rd", values, MATRIX), [10, 3]),
        (lambda: lambda values: loop(3, lambda total: total + tf.reduce_sum(tf.matmul(values, MATRIX))), [10, 3]),
        (lambda: rows_of_odd_number, [10, 3]),
    ],
    ids=["swin block", "einsum", "loop", "positions that are selected"],
)
def test_tensorflows_profiler_misses_these_products(make, shape):
    """This is why there is an interpreter. If it fails, TensorFlow's profiler may take its place."""
    function, profiler = make(), tf.compat.v1.profiler
    with snapshot_weights({}):
        graph, count = traced(function, shape), counted(function, shape)
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    assert profiler.profile(graph=graph, options=options).total_float_ops < count
