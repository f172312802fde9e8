import numpy as np
import pytest

import lic
from lic.environment import keras, tf
from tests.conftest import random_images, tiny_model

OPTIONS = [
    {},
    {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    {"clipnorm": 0.1},
    {"amsgrad": True},
]


def steps_of(optimizer, start):
    """Minimises a sum of squares, with and without a graph, and returns the values at the end."""
    variables = [tf.Variable(value) for value in start]
    targets = [tf.reverse(value, [0]) for value in start]

    def step():
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_sum((each - to) ** 2) for each, to in zip(variables, targets)])
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    optimizer.build(variables)
    step()
    traced = tf.function(step)
    for _ in range(4):
        traced()
    return [variable.numpy() for variable in variables]


@pytest.fixture
def start():
    random = np.random.default_rng(0)
    return [random.normal(0, 1, shape).astype(np.float32) for shape in [(7,), (3, 4), (2, 2, 5)]]


@pytest.mark.parametrize("options", OPTIONS)
def test_steps_are_those_of_keras(options, start):
    options = {"learning_rate": 0.1, **options}
    for mine, expected in zip(steps_of(lic.Adam(**options), start), steps_of(keras.optimizers.Adam(**options), start)):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-5)


def test_schedules_are_followed(start):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.01, 0.001])
    for mine, expected in zip(steps_of(lic.Adam(schedule), start), steps_of(keras.optimizers.Adam(schedule), start)):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("optimizer", [lic.Adam, lic.SOAP])
@pytest.mark.parametrize("rate", [-1.0, float("nan"), "1e-4"])
def test_a_learning_rate_that_is_none_is_refused(optimizer, rate):
    with pytest.raises(ValueError, match=f"{optimizer.__name__}: expected learning_rate to be a number of at least 0"):
        optimizer(rate)


def test_sparse_gradients_move_their_rows():
    table = tf.Variable(np.ones((4, 2), np.float32))
    optimizer = lic.Adam(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, [1, 1]))
    optimizer.apply_gradients([(tape.gradient(loss, table), table)])
    np.testing.assert_allclose(table.numpy(), [[1, 1], [0.9, 0.9], [1, 1], [1, 1]], rtol=1e-5)


def test_a_model_takes_it_by_default():
    model = tiny_model("klt", "factorized")
    model.compile()
    assert type(model.optimizer) is lic.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    model.fit(random_images(2, 64, 64, 3).astype(np.float32), epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 2


def test_keras_saves_and_restores_it():
    config = keras.optimizers.serialize(lic.Adam(3e-4, beta_2=0.99))
    restored = keras.optimizers.deserialize(config)
    assert type(restored) is lic.Adam
    assert restored.beta_2 == 0.99
    assert float(restored.learning_rate) == pytest.approx(3e-4)
