"""Learning rates over the steps of a training."""

import pytest

from lic.environment import keras
from lic.training.schedule import LearningRate


def rates(*steps, **arguments):
    schedule = LearningRate(1e-3, 1000, **arguments)
    return [float(schedule(step)) for step in steps]


def test_without_decay_it_stays():
    assert rates(0, 500, 999) == pytest.approx([1e-3] * 3)


def test_warm_up_rises_to_the_rate():
    assert rates(0, 49, 99, 100, warm_up=100) == pytest.approx([1e-5, 5e-4, 1e-3, 1e-3])


def test_a_tenth_for_the_last_tenth():
    assert rates(899, 900, 999, decay="tenth") == pytest.approx([1e-3, 1e-4, 1e-4])


def test_half_a_cosine_over_the_second_half():
    assert rates(500, 750, 1000, 5000, decay="cosine") == pytest.approx([1e-3, 5.05e-4, 1e-5, 1e-5])


def test_config_makes_the_same():
    schedule = LearningRate(1e-3, 1000, 10, "cosine")
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


def test_an_unknown_decay_is_an_error():
    with pytest.raises(ValueError, match="expected decay to be one of .* Received: decay='linear'"):
        LearningRate(1e-3, 1000, decay="linear")
