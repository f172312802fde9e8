"""The compression model: a transform and an entropy model as one ordinary Keras model."""

from __future__ import annotations

import numbers
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lic import replicas
from lic.complexity.complexity import Complexity
from lic.config import Configured
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.coders.variable_rate import ChannelGains
from lic.entropy.noise import drawn_from
from lic.environment import apply_summed, as_reported, keras, tf
from lic.layers.padding import pad
from lic.models.complexity import complexity
from lic.models.distortion import DISTORTIONS, mean_squared_error, ms_ssim, psnr_of
from lic.models.optimizer import Adam
from lic.models.rate import Gains, RateControl, SingleRate
from lic.transforms.base import Transform

if TYPE_CHECKING:
    import numpy as np


class Compressed(NamedTuple):
    """The result of calling a compression model.

    Attributes:
      x_hat: The decoded images [batch, height, width, 3] on 0..255, not clipped.
      y: The latent before quantisation.
      y_hat: The latent as the synthesis takes it, quantised.
      z_hat: The quantised side information, or None where the model has none.
      bits: Part -> estimated bits [batch].
    """

    x_hat: tf.Tensor
    y: tf.Tensor
    y_hat: tf.Tensor
    z_hat: tf.Tensor | None
    bits: dict[str, tf.Tensor]


class CompressionModel(Configured, keras.Model):
    """A transform and an entropy model, trained on bits per pixel + lmbda * distortion.

    `compile(optimizer)`, `fit`, `evaluate`, `save_weights` and `load_weights` are Keras's own; data are images
    [batch, height, width, 3] on 0..255. Reported are loss, bpp, mse and psnr.

    Args:
      transform: The transform.
      entropy: The entropy model, for latents as deep as the transform's.
      lmbda: Weight of the distortion; or one for each quality, rising, for a model that covers the rates between.
      distortion: "mse", the mean squared error on the 0..255 scale, or "ms-ssim", one minus MS-SSIM.

    Attributes:
      rate: The rate control: `SingleRate` or `Gains`.

    Raises:
      ValueError: The parts do not fit, `lmbda` is not positive and rising, or `distortion` is unknown.
    """

    rate: RateControl

    def __init__(
        self,
        transform: Transform,
        entropy: EntropyModel,
        lmbda: float | Sequence[float] = 0.01,
        distortion: Literal["mse", "ms-ssim"] = "mse",
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check_parts(transform, entropy, distortion)
        one_rate = isinstance(lmbda, numbers.Real)
        self.transform, self.entropy, self.distortion = transform, entropy, distortion
        self.lmbda = float(lmbda) if one_rate else tuple(float(each) for each in lmbda)
        self.rate = SingleRate(lmbda) if one_rate else Gains(transform.depth, lmbda)
        self.built = True  # Each part builds itself when it is called.
        # This bypasses Keras's tracking, since the reported means are no weights of the model.
        self.__dict__["trackers"] = [keras.metrics.Mean(name=name) for name in ("loss", "bpp", "mse", "psnr")]

    if TYPE_CHECKING:  # Keras's `__call__` has no types.

        def __call__(
            self, images: np.ndarray | tf.Tensor, training: bool = False, quality: float | tf.Tensor | None = None
        ) -> Compressed: ...

    def call(self, images: tf.Tensor, training: bool = False, quality: tf.Tensor | None = None) -> Compressed:
        """Analyses images [batch, height, width, 3] on 0..255, estimates their bits, and synthesises them again.

        The bits come from one walk. `EntropyModel.call` makes an `Estimate` of latents that gains have multiplied, and
        hands it to `CompressionModel.walk`. There the rate control may put a coder around it, and `EntropyModel.walk`
        codes part after part. The `Estimate` adds up the bits of each part, and `losses_of` makes bpp of their sum.

        Args:
          images: The images.
          training: Whether `EntropyModel.quantization` takes the place of rounding.
          quality: Where the model has several, that of each image [batch] or of all; default: the middle one.
        """
        images = tf.cast(images, "float32")
        batch, height, width = tf.unstack(tf.shape(images)[:3])
        quality = self._qualities(batch, False, quality)
        y = self.analyse(images)
        y_hat, z_hat, bits = self.entropy(
            self.rate.apply_gain(y, quality), training=training, walk=lambda coder: self.walk(coder, quality)
        )
        x_hat = self.synthesise(y_hat)[:, :height, :width]
        self.__dict__["_has_run"] = True
        return Compressed(x_hat, y, y_hat, z_hat, bits)

    # The next three methods are the path from an image to its latent, over a walk, and back. All code that computes an
    # image calls them.

    def analyse(self, images: tf.Tensor, padded: bool = False) -> tf.Tensor:
        """Returns the latents [batch, rows, columns, depth] of images, in float32.

        Args:
          images: Images [batch, height, width, 3] on 0..255, in float32.
          padded: Whether height and width are multiples of the transform's `downscale` already.
        """
        images = images if padded else pad(images, self.transform.downscale)
        return tf.cast(self.transform.analysis(images), "float32")

    def walk(self, coder: Coder, quality: tf.Tensor, gains: ChannelGains | None = None) -> tf.Tensor:
        """Codes latents, and returns them quantised as the synthesis takes them.

        Args:
          coder: A coder of latents [batch, rows, columns, depth] as `rate.apply_gain` returned them.
          quality: The quality of each image [batch].
          gains: Takes the place of `rate.gains_at(quality)`, such as gains in whole numbers.
        """
        gains = self.rate.gains_at(quality) if gains is None else gains
        return self.rate.apply_output_gain(self.entropy.walk(self.rate.coder(coder, gains)), gains)

    def synthesise(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Returns the images of latents [batch, rows, columns, depth], padding included, in float32."""
        return tf.cast(self.transform.synthesis(y_hat), "float32")

    def make_variables(self) -> None:
        """Makes all variables, by running the model on a small image unless it has run."""
        if not self.__dict__.get("_has_run"):
            # At more than one position, where a distribution of a broadcastable shape is found.
            height, width = (max(64, count * self.transform.downscale) for count in (2, 3))
            self(tf.zeros((1, height, width, 3)))

    def complexity(self, height: int = 512, width: int = 768) -> Complexity:
        """Counts the parameters and multiply-accumulates of each part, without computing an image.

        Args:
          height: Height of the image in pixels.
          width: Width of the image in pixels.
        """
        return complexity(self, height, width)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints the parts and their parameters, as Keras does; arguments are those of `keras.Model.summary`."""
        self.make_variables()  # Keras counts only variables that have been made.
        super().summary(*args, **kwargs)

    def losses_of(
        self, images: tf.Tensor, training: bool = False, quality: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns loss, bpp (bits per pixel), mse and psnr (dB) of a batch, each a mean over its images.

        In training, `rate.emphasis` is a factor of each image's loss, so that all qualities count about alike.

        Args:
          images: Images [batch, height, width, 3] on 0..255.
          training: Whether `EntropyModel.quantization` takes the place of rounding.
          quality: Where the model has several, that of each image [batch] or of all; default: from `rate.qualities`.
        """
        images = tf.cast(images, "float32")
        quality = self._qualities(tf.shape(images)[0], training, quality)
        compressed = self(images, training=training, quality=quality)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[1:3]), "float32")
        bpp = tf.add_n(list(compressed.bits.values())) / pixels
        mse = mean_squared_error(images, compressed.x_hat)
        loss = bpp + self.rate.lmbda(quality) * self.distortion_of(images, compressed.x_hat)
        if training:
            loss *= self.rate.emphasis(quality)
        values = {"loss": loss, "bpp": bpp, "mse": mse, "psnr": psnr_of(mse)}
        return {name: tf.reduce_mean(value) for name, value in values.items()}

    def distortion_of(self, images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
        """Returns the distortion [batch] that the loss weighs, of images [batch, height, width, 3] on 0..255."""
        return 1 - ms_ssim(images, decoded) if self.distortion == "ms-ssim" else mean_squared_error(images, decoded)

    def compile(self, optimizer: Any = None, *, seed: int | None = None, **kwargs: Any) -> None:
        """Configures training.

        Args:
          optimizer: Keras's name for an optimiser, or the optimiser; default `lic.Adam()`.
          seed: Seed of the noise, which depends on it and on the number of the step; default: a random one.
          **kwargs: Arguments of `keras.Model.compile`; XLA is off unless `jit_compile=True`.
        """
        super().compile(optimizer=optimizer or Adam(), **{"jit_compile": False} | kwargs)
        self.distribute_reduction_method = "first"  # The reported values are means over all replicas already.
        self.__dict__["_seed"] = random.getrandbits(31) if seed is None else seed
        # Variables are made before the first step, because a step that makes variables is traced twice.
        self.make_variables()
        self.optimizer.build(self.trainable_variables)

    # AutoGraph would take half of the time until the first step, and no part of `lic` needs it.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: Any) -> dict[str, Any]:
        """Takes one step of the optimiser. If any gradient is not finite, zeros take the place of all of them."""
        values, gradients = self.gradients_of(_images(data))
        gradients = replicas.summed(gradients)
        finite = tf.math.is_finite(tf.linalg.global_norm(gradients))
        # The gradient of a weight that the loss does not depend on stays None, so that Keras warns of it.
        gradients = [gradient if gradient is None else tf.where(finite, gradient, 0.0) for gradient in gradients]
        apply_summed(self.optimizer, zip(gradients, self.trainable_variables))
        return self._report(values)

    def gradients_of(self, images: tf.Tensor) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Returns the result of `losses_of` for the next step, and the gradients of its loss for the weights.

        Under a distribution strategy each replica returns its share of the gradients, which then add up.
        """
        with tf.GradientTape() as tape, drawn_from(self._seed, self.optimizer.iterations):
            values = self.losses_of(images, training=True)
            share = values["loss"] / replicas.count()
        gradients = tape.gradient(share, self.trainable_variables)
        # A walk under factorized priors alone uses only part of the gains, so Keras need not warn of the others.
        gains = {id(variable) for variable in getattr(self.rate, "trainable_variables", ())}
        pairs = zip(gradients, self.trainable_variables)
        return values, [tf.zeros_like(each) if grad is None and id(each) in gains else grad for grad, each in pairs]

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: Any) -> dict[str, Any]:
        """Measures a batch with rounded latents, at the middle quality if there are several."""
        return self._report(self.losses_of(_images(data)))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The reported means, which Keras resets at the start of each epoch."""
        return self.trackers

    def _qualities(self, batch: tf.Tensor, training: bool, quality: tf.Tensor | None) -> tf.Tensor:
        if quality is None:
            return self.rate.qualities(batch, training)
        return tf.broadcast_to(tf.cast(quality, "float32"), [batch])

    def _report(self, values: dict[str, tf.Tensor]) -> dict[str, Any]:
        means = replicas.summed({name: value / replicas.count() for name, value in values.items()})
        for tracker in self.trackers:
            tracker.update_state(means[tracker.name])
        return {tracker.name: as_reported(tracker.result()) for tracker in self.trackers}


def _images(data: Any) -> tf.Tensor:
    return data[0] if isinstance(data, (tuple, list)) else data


def _check_parts(transform: Transform, entropy: EntropyModel, distortion: str) -> None:
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
    if distortion not in DISTORTIONS:
        raise ValueError(f"CompressionModel: expected distortion to be one of {DISTORTIONS}. Received: {distortion!r}.")
