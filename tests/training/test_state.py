"""The state of a training as named tensors."""

import numpy as np
import pytest

import lic
from lic.environment import KERAS_3
from lic.errors import CheckpointError
from lic.training.state import averaged, restore_state, state_of
from lic.weights import get_tensors
from tests.conftest import random_images, tiny_model

IMAGES = random_images(2, 32, 32, 3).astype(np.float32)


def compiled(optimizer=None):
    model = tiny_model("klt", "factorized")
    model.compile(optimizer or lic.Adam(1e-2, use_ema=True, ema_momentum=0.5), seed=3)
    return model


def test_state_holds_weights_moments_averages_and_the_step():
    model = compiled()
    model.train_on_batch(IMAGES)
    state = state_of(model)
    name = "transform/analysis/linear"
    assert state["optimizer/iterations"] == 1
    kinds = {key.split("/")[1] for key in state if key.startswith("optimizer/")}
    assert len(kinds) == 4  # Two moments, the averages, the step.
    for kind in kinds - {"iterations"}:
        assert state[f"optimizer/{kind}/{name}"].shape == state[f"weights/{name}"].shape


def test_a_model_with_another_state_goes_on_as_the_first():
    first, second = compiled(), compiled()
    for _ in range(2):
        first.train_on_batch(IMAGES)
    restore_state(second, state_of(first))
    losses = [model.train_on_batch(IMAGES, return_dict=True)["loss"] for model in (first, second)]
    second_state = state_of(second)
    for name, tensor in state_of(first).items():
        np.testing.assert_allclose(second_state[name], tensor, atol=1e-6, err_msg=name)
    assert second_state["optimizer/iterations"] == 3
    assert np.isfinite(losses).all()


def test_averages_stand_in_for_weights_for_a_while():
    model = compiled()
    weights = [get_tensors(model)]
    for _ in range(2):
        model.train_on_batch(IMAGES)
        weights.append(get_tensors(model))
    with averaged(model):
        means = get_tensors(model)
    for name, (first, second, last) in {name: [each[name] for each in weights] for name in means}.items():
        # Keras 3 begins at the weights after the first step, Keras 2 at those before it.
        begun = second if KERAS_3 else (first + second) / 2
        np.testing.assert_allclose(means[name], (begun + last) / 2, atol=1e-6, err_msg=name)
        assert np.array_equal(get_tensors(model)[name], last)


def test_weights_come_back_after_an_error():
    model = compiled()
    model.train_on_batch(IMAGES)
    weights = get_tensors(model)
    with pytest.raises(ZeroDivisionError), averaged(model):
        1 / 0  # noqa: B018
    assert all(np.array_equal(array, weights[name]) for name, array in get_tensors(model).items())


def test_without_averaging_the_weights_stay():
    model = compiled(lic.Adam(1e-2))
    weights = get_tensors(model)
    with averaged(model):
        assert all(np.array_equal(array, weights[name]) for name, array in get_tensors(model).items())


def test_a_state_of_other_settings_is_an_error():
    state = state_of(compiled())
    with pytest.raises(CheckpointError, match="The tensor 'optimizer/.*average.*' is there, but"):
        restore_state(compiled(lic.Adam(1e-2)), state)
