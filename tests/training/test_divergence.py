"""Naming the part in which numbers stopped being finite."""

import numpy as np
import pytest

import lic
from lic.environment import tf
from lic.errors import DivergenceError
from lic.training.divergence import StopAtDivergence, find_nonfinite
from tests.conftest import random_images, tiny_model

IMAGES = random_images(1, 64, 64, 3).astype(np.float32)


@pytest.fixture
def model():
    model = tiny_model("klt", "hyperprior")
    model.compile(lic.Adam(), seed=0)
    return model


def spoil(monkeypatch, layer):
    """Makes a layer return what is not a number."""
    call = layer.call
    monkeypatch.setattr(layer, "call", lambda *inputs, **options: call(*inputs, **options) * float("nan"))


def test_finite_numbers_are_none(model):
    assert find_nonfinite(model, IMAGES) is None


def test_images_come_first(model):
    assert find_nonfinite(model, np.full_like(IMAGES, np.inf)) == "the images"


def test_weights_are_named(model):
    model.entropy.hyper.analysis.weights[0].assign(np.full(model.entropy.hyper.analysis.weights[0].shape, np.nan))
    assert find_nonfinite(model, IMAGES).startswith("the weight entropy/hyper/analysis")


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("transform.analysis", "the analysis transform's latent"),
        ("entropy.hyper.analysis", "the side information"),
        ("entropy.hyper.synthesis", "the rate of 'latent'"),
        ("transform.synthesis", "the synthesis transform's image"),
    ],
)
def test_parts_are_named(model, monkeypatch, part, named):
    layer = model
    for name in part.split("."):
        layer = getattr(layer, name)
    spoil(monkeypatch, layer)
    assert find_nonfinite(model, IMAGES) == named


def test_a_step_whose_gradients_alone_are_not_finite_stops_the_training(model, monkeypatch):
    analysis, call = model.transform.analysis, model.transform.analysis.call
    weight = analysis.trainable_variables[0]

    def rooted(images):  # A root of zero is finite, and its gradient is not.
        return call(images) + tf.sqrt(tf.nn.relu(-tf.abs(tf.reduce_sum(weight))))

    monkeypatch.setattr(analysis, "call", rooted)
    stop = StopAtDivergence(lambda step: IMAGES)
    with pytest.raises(DivergenceError, match="the gradient of the weight transform/analysis"):
        model.fit(IMAGES, verbose=0, callbacks=[stop])


def test_gradients_are_named(model, monkeypatch):
    @tf.custom_gradient
    def spoiled(latent):
        return latent, lambda gradient: gradient * float("nan")

    analysis = model.transform.analysis
    call = analysis.call
    monkeypatch.setattr(analysis, "call", lambda image: spoiled(call(image)))
    assert find_nonfinite(model, IMAGES).startswith("the gradient of the weight transform/analysis")


def test_the_error_names_the_step_and_the_part(model):
    stop = StopAtDivergence(lambda step: np.full(IMAGES.shape, np.nan) if step == 3 else IMAGES)
    stop.set_model(model)
    model.optimizer.iterations.assign(4)
    stop.on_train_batch_end(3, {"loss": 1.0})
    with pytest.raises(DivergenceError, match="diverged at step 3: the images is not finite. Go on from an earlier"):
        stop.on_train_batch_end(3, {"loss": float("nan")})


@pytest.fixture
def stop(model):
    stop = StopAtDivergence(lambda step: IMAGES)
    stop.set_model(model)
    model.optimizer.iterations.assign(4)
    return stop


def test_a_finite_loss_that_has_grown_a_million_times_stops_the_training(stop):
    stop.on_train_batch_end(3, {"loss": 2.0})
    message = r"diverged at step 3: the mean loss is 3e\+06, and was 2 before. Go on from"
    with pytest.raises(DivergenceError, match=message):
        stop.on_train_batch_end(3, {"loss": 3e6})


@pytest.mark.parametrize(("before", "after"), [(2.0, 1e6), (1e-6, 2.0), (1e24, 5.0)])
def test_other_losses_stop_no_training(stop, before, after):
    stop.on_train_batch_end(3, {"loss": before})
    stop.on_train_batch_end(3, {"loss": after})
