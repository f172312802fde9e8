"""The laws of compression models."""

from __future__ import annotations

import numpy as np

from lic.environment import keras, tf
from lic.models.base import CompressionModel
from lic.testing.copies import fresh
from lic.testing.entropy_laws import trial_of_entropy_model
from lic.testing.hyper_laws import trial_of_hyper_transform
from lic.testing.images import random_images
from lic.testing.laws import Law, LawError, Trial, each, require, require_near
from lic.testing.transform_laws import trial_of_transform
from lic.weights import get_tensors, set_tensors

SIZES = ((1, 1), (17, 33), (64, 48))


def check_model(model: CompressionModel) -> None:
    """Checks that a model and each of its parts keep every law of their kinds; weights stay as they are.

    Args:
      model: The model.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: `model` is no compression model.
    """
    broken = {}
    for part, trial in trials_of_model(model).items():
        try:
            trial.check()
        except LawError as error:
            broken |= {f"{part}: {law}": found for law, found in error.broken.items()}
    if broken:
        raise LawError("The model", broken)


def trials_of_model(model: CompressionModel) -> dict[str, Trial]:
    """Returns the laws of each part of a model, and of the model itself."""
    if not isinstance(model, CompressionModel):
        raise ValueError(f"check_model: expected a lic.CompressionModel. Received: {type(model).__name__}.")
    trials = {"transform": trial_of_transform(model.transform)}
    if model.entropy.hyper:
        trials["hyper transform"] = trial_of_hyper_transform(model.entropy.hyper, model.transform.depth)
    return trials | {"entropy model": trial_of_entropy_model(model.entropy), "model": Trial("The model", LAWS, model)}


def every_size_comes_back(model: CompressionModel) -> None:
    """Images of any size are decoded in their size, and the latents and decoded images are finite."""
    for where, size in each(SIZES):
        images = _images(*size)
        compressed = model(images)
        require(
            compressed.x_hat.shape == images.shape,
            f"{where}: x_hat has shape {tuple(compressed.x_hat.shape)}, the image {tuple(images.shape)}",
        )
        for name in ("y", "y_hat", "x_hat"):
            values = np.array(getattr(compressed, name))
            require(bool(np.isfinite(values).all()), f"{where}: {name} holds numbers that are not finite")


def losses_are_finite(model: CompressionModel) -> None:
    """Loss, bpp, mse and psnr are finite, in training too."""
    for training in (False, True):
        for name, value in model.losses_of(_images(64, 48), training=training).items():
            require(bool(np.isfinite(value)), f"with training={training}, {name} is {float(value)}")


def a_step_of_training_changes_weights(model: CompressionModel) -> None:
    """One step of Keras's `fit`, on a copy of the model, changes weights and leaves all weights finite."""
    again = _copy(model)
    before = get_tensors(again)
    again.compile(keras.optimizers.Adam(1e-3))
    again.fit(tf.data.Dataset.from_tensors(_images(64, 64)), epochs=1, verbose=0, shuffle=False)
    after = get_tensors(again)
    require(any(np.any(after[name] != before[name]) for name in before), "a step of training changed no weight")
    for name, values in after.items():
        require(bool(np.isfinite(values).all()), f"after a step of training, {name!r} is not finite")


def configuration_and_weights_make_it_anew(model: CompressionModel) -> None:
    """The configuration and the weights make a model that computes the same."""
    again, images = _copy(model), _images(64, 48)
    require(again.get_config() == model.get_config(), f"{again.get_config()} from {model.get_config()}")
    first, second = model(images), again(images)
    require_near("x_hat of a copy", second.x_hat, first.x_hat, 1e-5)
    for name, bits in first.bits.items():
        require_near(f"bits of {name!r} of a copy", second.bits[name], bits, 1e-5)


LAWS: tuple[Law, ...] = (
    every_size_comes_back,
    losses_are_finite,
    a_step_of_training_changes_weights,
    configuration_and_weights_make_it_anew,
)


def _copy(model: CompressionModel) -> CompressionModel:
    again = fresh(model)
    set_tensors(again, get_tensors(model))
    return again


def _images(height: int, width: int) -> tf.Tensor:
    return tf.constant(random_images(height, width, 3)[None], tf.float32)
