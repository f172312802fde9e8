import contextlib

import numpy as np
import pytest

from lic.entropy.noise import drawn_from, uniform
from lic.environment import tf


def _draws(seed, step, count=2):
    with drawn_from(seed, step):
        return [uniform([4, 500]).numpy() for _ in range(count)]


@pytest.mark.parametrize("context", [contextlib.nullcontext(), drawn_from(3, 7)])
def test_noise_is_uniform_between_its_bounds(context):
    with context:
        noise = uniform([4, 5000], -2.0, 6.0).numpy()
    assert -2 <= noise.min() < -1.9
    assert 5.9 < noise.max() <= 6
    assert noise.mean() == pytest.approx(2, abs=0.1)
    assert noise.std() == pytest.approx(8 / 12**0.5, rel=0.02)


def test_noise_depends_on_seed_and_step():
    np.testing.assert_array_equal(_draws(3, 7), _draws(3, 7))
    for seed, step in ((3, 8), (4, 7), (7, 3)):
        assert np.mean(np.equal(_draws(3, 7), _draws(seed, step))) < 0.01


def test_each_draw_of_a_step_is_another():
    first, second = _draws(3, 7)
    assert np.abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1


def test_draws_before_or_outside_change_nothing():
    expected = _draws(3, 7)
    with drawn_from(1, 1):
        uniform([3])
        np.testing.assert_array_equal(_draws(3, 7), expected)
    uniform([3])
    np.testing.assert_array_equal(_draws(3, 7), expected)


def test_afterwards_noise_is_free_again():
    with contextlib.suppress(ZeroDivisionError), drawn_from(3, 7):
        raise ZeroDivisionError
    assert np.any(uniform([50]) != uniform([50]))


def test_a_graph_that_was_traced_once_follows_the_step():
    traces = []

    @tf.function(input_signature=[tf.TensorSpec((), tf.int64)])
    def draw(step):
        traces.append(1)
        with drawn_from(3, step):
            return uniform([4, 500])

    for step in (0, 7, 2**31 - 1):
        np.testing.assert_array_equal(draw(step), _draws(3, step, 1)[0])
    assert len(traces) == 1


def test_replicas_draw_other_noise():
    devices = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([devices[0].name] if len(devices) == 1 else None)

    def draw():
        with drawn_from(3, 7):
            return uniform([4, 500])

    np.testing.assert_array_equal(strategy.run(draw), _draws(3, 7, 1)[0])
