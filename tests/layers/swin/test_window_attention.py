import numpy as np
import pytest

from lic.environment import tf
from lic.layers import SwinBlock
from lic.layers.swin.window_attention import _for_scaled_gelu, _scaled_gelu, run, run_for_training
from lic.layers.swin.windows import arrange
from tests.conftest import assert_near


@pytest.fixture
def block():
    block = SwinBlock(8, window=2, shift=1, head_dim=4)
    for weight in block.trainable_variables:
        weight.assign(weight + tf.random.normal(weight.shape, stddev=0.3))
    return block


def test_scaled_gelu_between_scaled_products_is_gelu(block):
    weights = block.derive()
    scaled = _for_scaled_gelu(weights)
    rows = tf.random.normal((6, 8))

    def perceptron(weights, gelu):
        (kernel, bias), (kernel_2, bias_2) = weights.expansion, weights.contraction
        return gelu(rows @ kernel + bias) @ kernel_2 + bias_2

    exact = perceptron(weights, lambda values: tf.nn.gelu(values, approximate=False))
    assert_near(perceptron(scaled, _scaled_gelu), exact, 1e-6)


def test_the_gradient_of_scaled_gelu_is_that_of_differences():
    values = tf.linspace(-4.0, 4.0, 33)
    theory, differences = tf.test.compute_gradient(_scaled_gelu, [values], delta=1e-2)
    assert_near(theory[0], differences[0], 1e-3)


@pytest.mark.parametrize("sees_padding", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_training_and_inference_give_the_same_in_any_chunks(block, chunk, sees_padding):
    block.sees_padding = sees_padding
    values = tf.random.normal((2 * 3 * 5, 8))
    order, regions, _ = arrange(2, 1, sees_padding, tf.reshape(tf.range(30), (2, 3, 5)))
    weights = block.derive()
    whole = run(1000, values, order, regions, weights)
    assert_near(run(chunk, values, order, regions, weights), whole, 1e-6)
    assert_near(run_for_training(chunk, values, order, regions, weights), whole, 1e-5)


def test_padding_that_is_seen_has_the_gradient_of_its_biases(block):
    block.sees_padding = True
    values = tf.random.normal((1 * 3 * 5, 8))
    order, regions, places = arrange(2, 0, True, tf.reshape(tf.range(15), (1, 3, 5)))
    weights = block.derive()
    assert (np.asarray(regions) < 0).sum() == 4 * 6 - 3 * 5
    gradients = []
    for function in (run, run_for_training):
        with tf.GradientTape() as tape:
            tape.watch([values, *weights.padding])
            rows = function(3, values, order, regions, weights)
            loss = tf.reduce_sum(tf.gather(rows, places) * tf.reshape(tf.range(120.0), (1, 3, 5, 8)))
        gradients.append(tape.gradient(loss, [values, *weights.padding]))
    assert np.abs(gradients[0][1]).max() > 0
    for theirs, ours in zip(*gradients, strict=True):
        assert_near(tf.convert_to_tensor(ours), tf.convert_to_tensor(theirs), 1e-4)


def test_weights_are_used_in_the_type_of_the_policy():
    for policy, dtype in (("float32", tf.float32), ("mixed_bfloat16", tf.bfloat16)):
        weights = SwinBlock(8, window=2, head_dim=4, dtype=policy).derive()
        assert {tensor.dtype for tensor in tf.nest.flatten(weights)} == {dtype}


def test_positions_hold_the_bias_of_each_offset(block):
    table, positions = block.position_bias.numpy(), block.derive().positions.numpy()
    assert positions.shape == (2, 4, 4)
    for first in range(4):
        for second in range(4):
            down, right = first // 2 - second // 2 + 1, first % 2 - second % 2 + 1
            np.testing.assert_array_equal(positions[:, first, second], table[down * 3 + right])
