import pytest

from lic.environment import keras, tf
from tests.complexity.test_interpreter import counted

BATCH = 2


def layer_count(layer, *shape):
    return counted(layer, [BATCH, *shape])


@pytest.mark.parametrize(("strides", "rows", "columns"), [(1, 9, 7), (2, 5, 4)])
def test_convolution_counts_the_kernel_at_each_position_of_the_result(strides, rows, columns):
    layer = keras.layers.Conv2D(5, 3, strides, padding="same")
    assert layer_count(layer, 9, 7, 4) == BATCH * rows * columns * 3 * 3 * 4 * 5


def test_groups_see_their_own_channels_only():
    kernel = tf.ones((3, 3, 2, 6))
    assert counted(lambda values: tf.nn.conv2d(values, kernel, 1, "VALID"), [1, 5, 5, 4]) == 3 * 3 * (3 * 3 * 2) * 6


def test_transposed_convolution_counts_the_kernel_at_each_position_that_it_is_given():
    layer = keras.layers.Conv2DTranspose(5, 3, 2, padding="same")
    assert layer_count(layer, 9, 7, 4) == BATCH * 9 * 7 * 3 * 3 * 4 * 5


def test_depthwise_convolution_does_not_mix_channels():
    layer = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
    assert layer_count(layer, 9, 7, 4) == BATCH * 9 * 7 * 3 * 3 * 4 * 2


def test_convolutions_in_three_dimensions():
    assert layer_count(keras.layers.Conv3D(5, 2), 4, 4, 4, 3) == BATCH * 3**3 * 2**3 * 3 * 5
    assert layer_count(keras.layers.Conv3DTranspose(5, 2), 4, 4, 4, 3) == BATCH * 4**3 * 2**3 * 3 * 5


@pytest.mark.parametrize("transpose", [False, True])
def test_matrix_products(transpose):
    matrix = tf.ones((7, 5))
    shape = [7, 3] if transpose else [3, 7]
    assert counted(lambda values: tf.matmul(values, matrix, transpose_a=transpose), shape) == 3 * 7 * 5


@pytest.mark.parametrize("transpose", [False, True])
def test_products_of_many_matrices(transpose):
    def multiply(first, second):
        return tf.matmul(first, second, transpose_a=transpose, transpose_b=True)

    assert counted(multiply, [4, 2, *([7, 3] if transpose else [3, 7])], [2, 5, 7]) == 4 * 2 * 3 * 7 * 5


@pytest.mark.parametrize(
    ("equation", "shapes", "count"),
    [
        ("nhwc,cd->nhwd", ([2, 3, 4, 5], [5, 6]), 2 * 3 * 4 * 5 * 6),
        ("bik,bjk->bij", ([2, 3, 5], [2, 4, 5]), 2 * 3 * 4 * 5),
        ("...ij,jk->...ik", ([7, 2, 3, 4], [4, 5]), 7 * 2 * 3 * 4 * 5),
        ("...i,...i->...", ([6, 1, 4], [3, 4]), 6 * 3 * 4),
        ("nhwc->nchw", ([2, 3, 4, 5],), 0),
    ],
)
def test_einsum_counts_every_combination_of_labels(equation, shapes, count):
    assert counted(lambda *values: tf.raw_ops.Einsum(inputs=values, equation=equation), *shapes) == count


def test_attention_of_keras():
    layer, tokens, width = keras.layers.MultiHeadAttention(2, 3), 6, 8
    projections, scores_and_sums = 4 * tokens * width * 6, 2 * tokens * tokens * 6
    assert counted(lambda values: layer(values, values), [1, tokens, width]) == projections + scores_and_sums


def test_elementwise_operations_do_not_count():
    assert counted(lambda values: tf.nn.softmax(tf.nn.gelu(3 * values * values)) + 1, [4, 5]) == 0
