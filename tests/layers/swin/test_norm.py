import numpy as np
import pytest

from lic.environment import tf
from lic.layers.swin.norm import fold_norm, layer_norm, product, standardised
from tests.conftest import assert_near


@pytest.fixture
def rows():
    return tf.random.normal((5, 12), mean=3.0, stddev=2.0)


def expected_norm(rows, gamma, beta):
    rows = np.asarray(rows, np.float64)
    centred = rows - rows.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * np.asarray(gamma) + np.asarray(beta)


def test_layer_norm_is_the_one_of_the_paper(rows):
    gamma, beta = tf.random.normal((12,)), tf.random.normal((12,))
    assert_near(layer_norm(rows, gamma, beta), expected_norm(rows, gamma, beta), 1e-6)


@pytest.mark.parametrize("bias", [None, np.arange(4, dtype=np.float32)])
def test_a_folded_norm_and_a_product_are_a_norm_and_a_product(rows, bias):
    gamma, beta, kernel = tf.random.normal((12,)), tf.random.normal((12,)), tf.random.normal((12, 4))
    found = product(standardised(rows), fold_norm(gamma, beta, kernel, bias))
    expected = expected_norm(rows, gamma, beta) @ np.asarray(kernel) + (0 if bias is None else bias)
    assert_near(found, expected, 1e-5)


def test_the_gradient_of_standardised_is_that_of_differences(rows):
    theory, differences = tf.test.compute_gradient(standardised, [rows], delta=1e-2)
    assert_near(theory[0], differences[0], 1e-3)


def test_a_row_of_equal_numbers_stays_finite():
    rows = tf.fill((2, 8), 7.0)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        total = tf.reduce_sum(standardised(rows))
    assert np.isfinite(total)
    assert np.isfinite(tape.gradient(total, rows)).all()


def test_products_compute_in_the_type_of_the_weights(rows):
    kernel, bias = tf.ones((12, 4), "bfloat16"), tf.zeros(4, "bfloat16")
    assert product(rows, (kernel, bias)).dtype == tf.bfloat16
