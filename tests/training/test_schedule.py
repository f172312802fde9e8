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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1e-3, 0), "expected steps to be a whole number of at least 1. Received: steps=0"),
        ((1e-3, 10, -1), "expected warm_up to be .* Received: warm_up=-1"),
        ((0.0, 10), "expected rate to be over 0 and finite. Received: 0.0"),
        ((float("nan"), 10), "expected rate to be"),
        (("fast", 10), "expected rate to be"),
    ],
)
def test_wrong_numbers_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LearningRate(*arguments)


def test_an_unknown_decay_is_an_error():
    with pytest.raises(ValueError, match="expected decay to be one of .* Received: decay='linear'"):
        LearningRate(1e-3, 1000, decay="linear")
