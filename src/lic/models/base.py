"""The compression model: a transform and an entropy model as one ordinary Keras model."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lic.config import Configured, describe, rebuild
from lic.entropy.base import EntropyModel
from lic.environment import keras, tf
from lic.models.adam import Adam
from lic.transforms.base import Transform
from lic.transforms.padding import pad


class Compressed(NamedTuple):
    """What a compression model returns.

    Attributes:
      x_hat: The decoded images [batch, height, width, 3] on 0..255, not clipped.
      y: The latent before quantisation.
      y_hat: The quantised latent.
      z_hat: The quantised side information, or None where the model has none.
      bits: Part -> estimated bits [batch].
    """

    x_hat: tf.Tensor
    y: tf.Tensor
    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    bits: dict[str, tf.Tensor]


class CompressionModel(Configured, keras.Model):
    """A transform and an entropy model, trained on bits per pixel + lmbda * mean squared error.

    `compile(optimizer)`, `fit`, `evaluate`, `save_weights` and `load_weights` are Keras's own; data are images
    [batch, height, width, 3] on 0..255. Reported are loss, bpp, mse and psnr.

    Args:
      transform: The transform.
      entropy: The entropy model, for latents as deep as the transform's.
      lmbda: Weight of the mean squared error, on the 0..255 scale.

    Raises:
      ValueError: The parts do not fit, or `lmbda` is not positive.
    """

    def __init__(self, transform: Transform, entropy: EntropyModel, lmbda: float = 0.01, **kwargs):
        super().__init__(**kwargs)
        _check_parts(transform, entropy, lmbda)
        self.transform, self.entropy, self.lmbda = transform, entropy, lmbda
        self.built = True  # Each part builds itself when it is called.
        # Past Keras's tracking: means that are reported are no weights of the model.
        self.__dict__["trackers"] = [keras.metrics.Mean(name=name) for name in ("loss", "bpp", "mse", "psnr")]

    def call(self, images: tf.Tensor, training: bool = False) -> Compressed:
        """Analyses images [batch, height, width, 3] on 0..255, estimates their bits, and synthesises them again."""
        images = tf.cast(images, self.compute_dtype)
        height, width = tf.unstack(tf.shape(images)[1:3])
        y = tf.cast(self.transform.analysis(pad(images, self.transform.downscale)), "float32")
        y_hat, z_hat, bits = self.entropy(y, training=training)
        x_hat = self.transform.synthesis(tf.cast(y_hat, self.compute_dtype))[:, :height, :width]
        self.__dict__["_has_run"] = True
        return Compressed(tf.cast(x_hat, "float32"), y, y_hat, z_hat, bits)

    def make_variables(self) -> None:
        """Makes all variables, by running the model on a small image unless it has run."""
        if not self.__dict__.get("_has_run"):
            self(tf.zeros((1, 64, 64, 3)))

    def losses_of(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Returns loss, bpp (bits per pixel), mse and psnr (dB) of a batch, each a mean over its images."""
        images = tf.cast(images, "float32")
        compressed = self(images, training=training)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[1:3]), "float32")
        bpp = tf.add_n(list(compressed.bits.values())) / pixels
        mse = tf.reduce_mean(tf.math.squared_difference(images, compressed.x_hat), (1, 2, 3))
        psnr = 20 * math.log10(255) - 10 / math.log(10) * tf.math.log(tf.maximum(mse, 1e-10))
        values = {"loss": bpp + self.lmbda * mse, "bpp": bpp, "mse": mse, "psnr": psnr}
        return {name: tf.reduce_mean(value) for name, value in values.items()}

    def compile(self, optimizer: Any = None, **kwargs: Any) -> None:
        """Configures training.

        Args:
          optimizer: Keras's name for an optimiser, or the optimiser; default `lic.Adam()`.
          **kwargs: What `keras.Model.compile` takes; XLA is off unless `jit_compile=True`.
        """
        super().compile(optimizer=optimizer or Adam(), **{"jit_compile": False} | kwargs)
        # Before the first step: one that makes variables is traced twice.
        self.make_variables()
        self.optimizer.build(self.trainable_variables)

    # AutoGraph takes half of the time until the first step, and no part of ours needs it.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: Any) -> dict[str, Any]:
        """Takes one step of the optimiser."""
        with tf.GradientTape() as tape:
            values = self.losses_of(_images(data), training=True)
        gradients = tape.gradient(values["loss"], self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return self._report(values)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: Any) -> dict[str, Any]:
        """Measures a batch with rounded latents."""
        return self._report(self.losses_of(_images(data)))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The reported means, which Keras resets at each epoch."""
        return self.trackers

    def get_config(self) -> dict[str, Any]:
        """Returns plain data from which `from_config` makes the same model, with fresh weights."""
        described = {"transform": describe(self.transform), "entropy": describe(self.entropy)}
        return described | {"lmbda": self.lmbda}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: None = None) -> CompressionModel:
        """Makes the model that `get_config` described."""
        return cls(rebuild(config["transform"]), rebuild(config["entropy"]), config["lmbda"])

    def _report(self, values: dict[str, tf.Tensor]) -> dict[str, Any]:
        for tracker in self.trackers:
            tracker.update_state(values[tracker.name])
        return {tracker.name: tracker.result() for tracker in self.trackers}


def _images(data: Any) -> tf.Tensor:
    return data[0] if isinstance(data, (tuple, list)) else data


def _check_parts(transform: Transform, entropy: EntropyModel, lmbda: float) -> None:
    if not isinstance(transform, Transform) or not isinstance(entropy, EntropyModel):
        raise ValueError(
            "CompressionModel: expected a lic.Transform and a lic.EntropyModel. "
            f"Received: {type(transform).__name__} and {type(entropy).__name__}. Derive your parts from these bases."
        )
    for name in ("analysis", "synthesis"):
        if not callable(getattr(transform, name, None)):
            raise ValueError(
                f"{type(transform).__name__}: expected the constructor to set {name}, a Keras layer. "
                f"Received: {getattr(transform, name, None)!r}."
            )
    if transform.depth != entropy.latent_depth:
        raise ValueError(
            "CompressionModel: expected an entropy model for latents as deep as the transform's. Received: "
            f"depth={transform.depth} and latent_depth={entropy.latent_depth}. Make both with the same latent_depth."
        )
    if not lmbda > 0:
        raise ValueError(f"CompressionModel: expected lmbda over 0. Received: lmbda={lmbda!r}.")
