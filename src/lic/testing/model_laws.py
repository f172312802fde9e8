"""The laws of compression models."""

from __future__ import annotations

import numpy as np

from lic.codec.codec import Codec
from lic.environment import keras, tf
from lic.errors import RegistryError
from lic.models.base import CompressionModel
from lic.models.distortion import LEAST_SIZE
from lic.testing.copies import computes_in_16_bits, fresh, moved
from lic.testing.entropy_laws import trial_of_entropy_model
from lic.testing.hyper_laws import trial_of_hyper_transform
from lic.testing.images import uneven_image
from lic.testing.laws import Law, LawError, Trial, each, require, require_near, slow
from lic.testing.transform_laws import trial_of_transform
from lic.weights import get_tensors, set_tensors

SIZES = ((1, 1), (17, 33), (64, 48))


def check_model(model: CompressionModel, *, quick: bool = False) -> None:
    """Checks that a model and each of its parts keep every law of their kinds; weights stay as they are.

    Args:
      model: The model.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: `model` is no compression model.
    """
    broken = {}
    for part, trial in trials_of_model(model).items():
        try:
            trial.check(quick=quick)
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
        images = _images(model, *size)
        compressed = model(images)
        require(
            compressed.x_hat.shape == images.shape,
            f"{where}: x_hat has shape {tuple(compressed.x_hat.shape)}, the image {tuple(images.shape)}",
        )
        for name in ("y", "y_hat", "x_hat"):
            values = np.array(getattr(compressed, name))
            require(bool(np.isfinite(values).all()), f"{where}: {name} holds numbers that are not finite")


def losses_are_finite(model: CompressionModel) -> None:
    """Loss, bpp, mse and psnr are finite, in training too, also of black, white and half-black images."""
    for training in (False, True):
        for name, value in model.losses_of(_with_flat_images(model, 64, 48), training=training).items():
            require(bool(np.isfinite(value).all()), f"with training={training}, {name} is {np.asarray(value)}")


def bits_and_distortion_make_the_loss(model: CompressionModel) -> None:
    """The loss is bits per pixel of the image itself plus lmbda times the distortion, of what a call returns.

    For a model with a `losses_of` of its own, which may define another loss and another mse, bits per pixel are tried
    alone.
    """
    images = _images_for(model, 33, 50)  # Padding makes more pixels of it, over which bits would seem fewer.
    compressed, losses = model(images), model.losses_of(images)
    quality = model.rate.qualities(1)
    bpp = sum(float(bits[0]) for bits in compressed.bits.values()) / (images.shape[1] * images.shape[2])
    require_near("bpp and the bits of a call", float(losses["bpp"][0]), bpp, 1e-4)
    if type(model).losses_of is not CompressionModel.losses_of:
        return
    mse = float(np.mean(np.square(np.asarray(images - compressed.x_hat, np.float64))))
    require_near("mse and that of a call's x_hat", float(losses["mse"][0]), mse, 1e-3)
    distortion = float(model.distortion_of(images, compressed.x_hat)[0])
    expected = bpp + float(model.rate.lmbda(quality)[0]) * distortion + sum(float(added) for added in model.losses)
    require_near("the loss, and bpp + lmbda * distortion", float(losses["loss"][0]), expected, 1e-3)


def x_hat_is_the_synthesis_of_y_hat(model: CompressionModel) -> None:
    """A call returns the synthesis of the quantised latent that it returns, and the analysis of the image as y."""
    images = _images(model, 64, 48)
    compressed = model(images)
    synthesised = model.synthesise(compressed.y_hat)[:, :64, :48]
    require_near("x_hat and the synthesis of y_hat", compressed.x_hat, synthesised, 1e-4)
    require_near("y and the analysis of the image", compressed.y, model.analyse(images), 1e-4)


@slow
def a_codec_decodes_to_the_image_of_the_model(model: CompressionModel) -> None:
    """The codec of the model decodes to the pixels of x_hat, except for rounding.

    The law cannot be tried for parts that are not registered, of which no codec can be made, and not for a model that
    computes in 16 bits, since its codec computes in float32.
    """
    try:
        codec = Codec(model)
    except RegistryError:
        return
    if computes_in_16_bits(model):
        return
    image = uneven_image(64, 48, model.transform.channels)
    decoded = codec.decompress(codec.compress(image)).astype(np.float64)
    expected = np.clip(np.asarray(model(image[None].astype(np.float32)).x_hat[0]), 0, 255)
    difference = float(np.abs(decoded - expected).mean())
    require(difference <= 0.5, f"pixels of the codec and of the model differ by {difference:.2f} levels on average")


def training_reaches_every_variable(model: CompressionModel) -> None:
    """The loss of a step has a finite gradient for every trainable variable of transform and entropy model."""
    before = model.entropy.quantization
    try:
        # Side information that rounds to zero everywhere would hide the layers behind it.
        model.entropy.quantization = "noise/noise"
        with moved(model), tf.GradientTape() as tape:
            images = tf.concat([_images_for(model, 64, 64, seed) for seed in range(2)], 0)
            loss = tf.reduce_mean(model.losses_of(images, training=True)["loss"])
    finally:
        model.entropy.quantization = before
    parts = (model.transform, model.entropy)
    variables = [variable for part in parts for variable in part.trainable_variables]
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        name = getattr(variable, "path", variable.name)
        require(gradient is not None, f"the loss has no gradient for the variable {name!r}")
        finite = bool(np.isfinite(np.asarray(tf.convert_to_tensor(gradient))).all())
        require(finite, f"the gradient of {name!r} is not finite")


@slow
def a_step_of_training_changes_weights(model: CompressionModel) -> None:
    """One step of Keras's `fit`, on a copy of the model, changes weights and leaves all weights finite.

    Some images of the step are flat. If any gradient is not finite, a step changes no weight.
    """
    again = _copy(model)
    before = get_tensors(again)
    again.compile(keras.optimizers.Adam(1e-3))
    again.fit(tf.data.Dataset.from_tensors(_with_flat_images(model, 64, 64)), epochs=1, verbose=0, shuffle=False)
    after = get_tensors(again)
    require(any(np.any(after[name] != before[name]) for name in before), "a step of training changed no weight")
    for name, values in after.items():
        require(bool(np.isfinite(values).all()), f"after a step of training, {name!r} is not finite")


def configuration_and_weights_make_it_anew(model: CompressionModel) -> None:
    """The configuration and the weights make a model that computes the same."""
    again, images = _copy(model), _images(model, 64, 48)
    require(again.get_config() == model.get_config(), f"{again.get_config()} from {model.get_config()}")
    first, second = model(images), again(images)
    require_near("x_hat of a copy", second.x_hat, first.x_hat, 1e-5)
    for name, bits in first.bits.items():
        require_near(f"bits of {name!r} of a copy", second.bits[name], bits, 1e-5)


LAWS: tuple[Law, ...] = (
    every_size_comes_back,
    losses_are_finite,
    bits_and_distortion_make_the_loss,
    x_hat_is_the_synthesis_of_y_hat,
    a_codec_decodes_to_the_image_of_the_model,
    training_reaches_every_variable,
    a_step_of_training_changes_weights,
    configuration_and_weights_make_it_anew,
)


def _copy(model: CompressionModel) -> CompressionModel:
    again = fresh(model)
    set_tensors(again, get_tensors(model))
    return again


def _with_flat_images(model: CompressionModel, height: int, width: int) -> tf.Tensor:
    """Returns a random image, a black one, a white one, and one whose left half is black."""
    image = _images_for(model, height, width)
    right = tf.cast(tf.range(image.shape[2]) >= image.shape[2] // 2, image.dtype)[:, None]
    return tf.concat([image, tf.zeros_like(image), tf.fill(image.shape, 255.0), image * right], 0)


def _images_for(model: CompressionModel, height: int, width: int, seed: int = 0) -> tf.Tensor:
    """Returns images that are large enough for the model's distortion."""
    least = LEAST_SIZE + 1 if model.distortion == "ms-ssim" else 1
    return _images(model, max(height, least), max(width, least), seed)


def _images(model: CompressionModel, height: int, width: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(uneven_image(height, width, model.transform.channels, seed=seed)[None], tf.float32)
