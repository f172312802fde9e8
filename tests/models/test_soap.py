import numpy as np
import pytest

import lic
from lic.environment import keras, tf
from lic.training.checkpoints import restore_state, state_of
from tests.conftest import random_images, tiny_model
from tests.models import soap_reference

SHAPES = {
    "convolution": (3, 3, 4, 6),
    "dense": (6, 5),
    "several": (4, 3, 5),
    "outputs too many": (2, 2, 5, 12),
    "inputs too many": (1, 1, 12, 5),
}
ADAMS = {"bias": (7,), "depthwise": (3, 3, 5, 1), "both too many": (12, 16)}
OPTIONS = {"largest_side": 8, "warm_up": 4, "renewal": 3}
IMAGES = random_images(2, 64, 64, 3).astype(np.float32)


@pytest.fixture
def random():
    return np.random.default_rng(7)


def drawn(random, shape, steps=20):
    """Returns a start, and gradients whose entries are correlated."""
    mixing = [np.eye(side) + random.normal(0, 0.5, (side, side)) for side in shape[-2:]]
    gradients = random.normal(0, 1, (steps, *shape)) * np.exp(random.normal(0, 1, shape))
    if len(shape) > 1:
        gradients = mixing[0] @ gradients @ mixing[1]
    return random.normal(0, 1, shape), gradients


def led_to(optimizer, starts, gradients, traced=True):
    """Returns the weights after steps by given gradients."""
    variables = [tf.Variable(start.astype(np.float32)) for start in starts]
    optimizer.build(variables)

    def step(*values):
        optimizer.apply_gradients(zip(values, variables))

    step = tf.function(step) if traced else step
    for values in zip(*gradients):
        step(*(tf.constant(value.astype(np.float32)) for value in values))
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("traced", [False, True])
def test_twenty_steps_are_those_of_the_reference(random, traced):
    starts, gradients = zip(*(drawn(random, shape) for shape in SHAPES.values()))
    reached = led_to(lic.SOAP(0.03, **OPTIONS), starts, gradients, traced)
    for name, start, given, mine in zip(SHAPES, starts, gradients, reached):
        expected = soap_reference.steps(start, given, 0.03, 8, 4, 3)
        assert np.abs(expected - start).max() > 0.1
        np.testing.assert_allclose(mine, expected, atol=1e-4, err_msg=name)


def test_other_weights_than_kernels_are_stepped_by_adam_without_decay(random):
    starts, gradients = zip(*(drawn(random, shape) for shape in ADAMS.values()))
    for name, start, given, mine in zip(ADAMS, starts, gradients, led_to(lic.SOAP(0.03, **OPTIONS), starts, gradients)):
        np.testing.assert_allclose(mine, soap_reference.adam(start, given, 0.03), atol=1e-4, err_msg=name)


def test_named_weights_are_no_kernels(random):
    start, gradients = drawn(random, (4, 5))
    variable = tf.Variable(start.astype(np.float32), name="log_gain")
    optimizer = lic.SOAP(0.03, **OPTIONS)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient.astype(np.float32)), variable)])
    np.testing.assert_allclose(variable.numpy(), soap_reference.adam(start, gradients, 0.03), atol=1e-4)


def test_bases_become_the_eigenvectors_of_the_products(random):
    start, gradients = drawn(random, (3, 3, 4, 6), 60)
    optimizer = lic.SOAP(0.01, beta_2=0.99, warm_up=60)
    led_to(optimizer, [start], [gradients])
    for bases, products in (
        (optimizer._input_bases, optimizer._input_products),
        (optimizer._output_bases, optimizer._output_products),
    ):
        basis, product = np.array(bases[0]), np.array(products[0])
        np.testing.assert_allclose(basis.T @ basis, np.eye(len(basis)), atol=1e-5)
        values = basis.T @ product @ basis
        assert (np.diff(np.diag(values)) < 0).all()
        assert np.abs(values - np.diag(np.diag(values))).max() < 0.1 * np.diag(values).mean()


@pytest.mark.parametrize("shape", [(3, 2, 8, 5), (8, 5)])
def test_gradients_of_zero_and_of_low_rank_move_nothing_far(random, shape):
    start, direction = random.normal(0, 1, shape), random.normal(0, 1, shape)
    direction[..., 0] = 0
    gradients = [np.zeros(shape)] * 2 + [direction] * 20 + [np.zeros(shape)] * 2
    (reached,) = led_to(lic.SOAP(0.01, warm_up=8, weight_decay=None), [start], [gradients])
    # Steps of Adam in 20 turns are as long as the root of the numbers.
    assert np.linalg.norm(reached - start) < 0.01 * 24 * np.sqrt(start.size)
    led_nowhere = led_to(lic.SOAP(0.01, weight_decay=None), [start], [[np.zeros(shape)] * 3])
    np.testing.assert_allclose(led_nowhere[0], start, rtol=1e-6)


def test_it_goes_further_than_adam_on_mixed_axes(random):
    turns = [np.linalg.qr(random.normal(0, 1, (16, 16)))[0].astype(np.float32) for _ in range(2)]
    scales = np.geomspace(1, 0.05, 16, dtype=np.float32)
    start = random.normal(0, 1, (16, 16)).astype(np.float32)

    def left_by(optimizer):
        """Returns the error after 300 steps of a regression on 32 noisy inputs."""
        variable, noise = tf.Variable(start), tf.random.Generator.from_seed(3)
        optimizer.build([variable])

        @tf.function
        def step():
            inputs = (noise.normal((32, 16)) * scales) @ turns[0]
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((inputs @ variable @ turns[1] * scales) ** 2) / 32
            optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])

        for _ in range(300):
            step()
        return np.linalg.norm(scales[:, None] * (turns[0] @ variable.numpy() @ turns[1]) * scales)

    options = {"learning_rate": 0.03, "beta_1": 0.95, "beta_2": 0.95}
    assert left_by(lic.SOAP(**options, weight_decay=None)) < 0.5 * left_by(lic.Adam(**options))


def compiled():
    model = tiny_model("klt", "factorized", lmbda=(0.01, 0.1))
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-3, 2e-3])
    model.compile(lic.SOAP(schedule, **OPTIONS, use_ema=True, global_clipnorm=1.0), seed=3, run_eagerly=True)
    return model


def test_a_model_learns_with_it_and_goes_on_from_its_state():
    first, second = compiled(), compiled()
    first.fit(IMAGES, epochs=3, batch_size=2, verbose=0)
    state = state_of(first)
    kept = {
        name: state[f"optimizer/{name}/transform/analysis/linear"].shape for name in ("input_bases", "output_bases")
    }
    assert kept == {"input_bases": (0, 0), "output_bases": (0, 0)}
    assert state["optimizer/output_bases/transform/analysis/branch/layers/1/kernel"].shape == (8, 8)
    restore_state(second, state)
    for _ in range(3):
        for model in (first, second):
            model.train_on_batch(IMAGES)
    second_state = state_of(second)
    for name, tensor in state_of(first).items():
        np.testing.assert_array_equal(second_state[name], tensor, err_msg=name)
    assert second_state["optimizer/iterations"] == 6


def test_keras_saves_and_restores_it():
    given = lic.SOAP(3e-4, beta_2=0.9, weight_decay=None, largest_side=96, warm_up=7, renewal=5, adam_names=["table"])
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(given))
    assert type(restored) is lic.SOAP
    assert restored.get_config() == given.get_config()
    assert (restored.largest_side, restored.renewal, restored.adam_names) == (96, 5, ("table",))


@pytest.mark.parametrize("options", [{"largest_side": 0}, {"warm_up": -1}, {"renewal": 0}, {"amsgrad": True}])
def test_wrong_arguments_are_refused(options):
    with pytest.raises(ValueError, match=f"SOAP: expected .*{next(iter(options))}"):
        lic.SOAP(**options)
