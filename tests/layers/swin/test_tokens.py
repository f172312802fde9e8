import numpy as np

from lic.environment import tf
from lic.layers.swin.tokens import TokenLayer, Tokens


class Reversed(TokenLayer):
    """Doubles tokens and returns them in reverse order; keeps the argument `training`."""

    def process(self, tokens, training):
        self.received = training
        return Tokens(2 * tokens.rows[::-1], tf.shape(tokens.rows)[0] - 1 - tokens.places)


def test_tokens_go_back_to_their_places():
    values = tf.random.normal((2, 3, 5, 7))
    tokens = Tokens.of(values)
    assert tokens.rows.shape == (30, 7)
    np.testing.assert_array_equal(tokens.grid(), values)


def test_a_layer_puts_tokens_back_whatever_their_order():
    values = tf.random.normal((2, 3, 5, 7))
    layer = Reversed()
    np.testing.assert_allclose(layer(values), 2 * values)
    assert layer.received is False
    layer(values, training=True)
    assert layer.received is True


def test_tokens_are_float32_whatever_the_policy():
    assert Reversed(dtype="mixed_bfloat16")(tf.ones((1, 2, 2, 3), "bfloat16")).dtype == tf.float32
