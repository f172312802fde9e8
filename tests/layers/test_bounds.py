import numpy as np
import pytest

from lic.environment import tf
from lic.layers.bounds import lower_bound, upper_bound


@pytest.mark.parametrize(("bound", "expected"), [(lower_bound, [2.0, 2.0, 3.0]), (upper_bound, [1.0, 2.0, 2.0])])
def test_values_are_bounded(bound, expected):
    np.testing.assert_array_equal(bound(tf.constant([1.0, 2.0, 3.0]), 2.0), expected)


@pytest.mark.parametrize(("bound", "outside"), [(lower_bound, 1.0), (upper_bound, 3.0)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_outside_only_gradients_that_lead_back_pass(bound, outside, sign):
    value = tf.Variable([outside, 2.0])
    with tf.GradientTape() as tape:
        loss = sign * tf.reduce_sum(bound(value, 2.0))
    # Descent moves against the gradient: below a lower bound a negative gradient leads back.
    leads_back = (sign < 0) if bound is lower_bound else (sign > 0)
    np.testing.assert_array_equal(tape.gradient(loss, value), [sign * leads_back, sign])
