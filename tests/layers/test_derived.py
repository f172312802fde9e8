import numpy as np

from lic.environment import keras, tf
from lic.layers.derived import Derives, remembering


class Doubling(Derives, keras.layers.Layer):
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


def test_what_is_remembered_is_derived_once_and_stays():
    layer, known = Doubling(), {}

    def call(values):
        with remembering(known):
            return layer(values)

    traced = tf.function(call, autograph=False)
    assert float(call(tf.constant(3.0))) == 6
    layer.weight.assign(5.0)
    assert float(traced(tf.constant(3.0))) == 6
    assert layer.count == 1


def test_nothing_is_remembered_afterwards():
    layer = Doubling()
    with remembering({}):
        layer(tf.constant(1.0))
    layer.weight.assign(5.0)
    np.testing.assert_allclose(layer(tf.constant(1.0)), 10)


def test_layers_do_not_share_what_they_remember():
    first, second = Doubling(), Doubling()
    second.weight.assign(4.0)
    with remembering({}):
        assert [float(layer(tf.constant(1.0))) for layer in (first, second, first)] == [2, 8, 2]
