"""The compression model: a transform and an entropy model as one ordinary Keras model."""

from __future__ import annotations

import itertools
import math
import numbers
import random
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from lic import replicas
from lic.argument_types import check_argument
from lic.complexity.complexity import Complexity
from lic.config import Configured, constructor_arguments
from lic.entropy.base import EntropyModel, walked
from lic.entropy.coders.base import Coder
from lic.entropy.distributions.base import ChannelGains
from lic.entropy.noise import drawn_from
from lic.environment import apply_summed, as_reported, keras, saving, tf, training_steps
from lic.errors import check
from lic.layers.padding import pad
from lic.layers.tracing import building, check_process
from lic.models.complexity import complexity
from lic.models.distortion import DISTORTIONS, mean_squared_error, ms_ssim, psnr_of
from lic.models.given_images import check_data, check_images, checked_images, warn_of_range
from lic.models.optimizer import Adam
from lic.models.rate import Gains, RateControl, SingleRate
from lic.transforms.base import Transform, check_declared
from lic.weights import check_may_change, named_layers


class Compressed(NamedTuple):
    """The result of calling a compression model.

    Attributes:
      x_hat: The decoded images [batch, height, width, channels] on 0..255, not clipped.
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


_FROZEN = "frozen layers"  # A key of `get_config` that no argument can be called.


class CompressionModel(Configured, keras.Model):
    """A transform and an entropy model, trained on bits per pixel + lmbda * distortion.

    `compile(optimizer)`, `fit`, `evaluate`, `save_weights` and `load_weights` are Keras's own; data are images
    [batch, height, width, channels] on 0..255, with the channels of the transform. Reported are loss, bpp, mse and
    psnr.

    Args:
      transform: The transform.
      entropy: The entropy model, for latents as deep as the transform's.
      lmbda: Weight of the distortion; or one for each quality, rising, for a model that covers the rates between.
      distortion: "mse", the mean squared error on the 0..255 scale, or "ms-ssim", one minus MS-SSIM.

    Attributes:
      rate: The rate control: `SingleRate` or `Gains`.
      trackers: The means that `fit` and `evaluate` report, Keras metrics by the names of `losses_of`.

    Raises:
      ValueError: The parts do not fit, `lmbda` is not positive and rising, or `distortion` is unknown.
    """

    rate: RateControl
    is_of_a_codec = False  # A codec sets it for its own model, whose weights stay as they are.

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
        # This bypasses Keras's tracking, since the reported means are no weights of the model.
        self.__dict__["trackers"] = [keras.metrics.Mean(name=name) for name in ("loss", "bpp", "mse", "psnr")]
        self.__dict__["_largest"] = keras.metrics.Mean(name="largest")

    if TYPE_CHECKING:  # Keras's `__call__` has no types.

        def __call__(
            self, images: np.ndarray | tf.Tensor, training: bool = False, quality: float | tf.Tensor | None = None
        ) -> Compressed: ...

    else:

        def __call__(self, images: Any, *args: Any, **kwargs: Any) -> Any:
            """Calls the model, after a check of the images: Keras itself refuses some in words that name no image."""
            check_process()
            check_images(images, self.transform.channels)
            return super().__call__(images, *args, **kwargs)

    def call(self, images: tf.Tensor, training: bool = False, quality: tf.Tensor | None = None) -> Compressed:
        """Analyses images [batch, height, width, channels] on 0..255, estimates their bits, and synthesises them again.

        The bits come from one walk. `EntropyModel.call` makes an `Estimate` of latents that gains have multiplied, and
        hands it to `CompressionModel.walk`. There the rate control may put a coder around it, and `EntropyModel.walk`
        codes part after part. The `Estimate` adds up the bits of each part, and `losses_of` makes bpp of their sum.

        Args:
          images: The images.
          training: Whether `EntropyModel.quantization` takes the place of rounding.
          quality: Where the model has several, that of each image [batch] or of all, or of all positions of their
            latents [batch, rows, columns]; default: the middle one.

        Raises:
          ValueError: Images have another shape, or the model does not have the quality.
        """
        images = checked_images(images, self.transform.channels)
        height, width = tf.unstack(tf.shape(images))[1:3]
        quality = self._qualities(images, False, quality)
        y = self.analyse(images)
        y_hat, z_hat, bits = self.entropy(
            self.rate.apply_gain(y, quality), training=training, walk=lambda coder: self.walk(coder, quality)
        )
        x_hat = self.synthesise(y_hat)[:, :height, :width]
        return Compressed(x_hat, y, y_hat, z_hat, bits)

    # The next three methods are the path from an image to its latent, over a walk, and back. All code that computes an
    # image calls them.

    def analyse(self, images: tf.Tensor, padded: bool = False) -> tf.Tensor:
        """Returns the latents [batch, rows, columns, depth] of images, in float32.

        Args:
          images: Images [batch, height, width, channels] on 0..255, in float32.
          padded: Whether height and width are multiples of the transform's `downscale` already.

        Raises:
          ValueError: Images have another shape, or latents have another than the transform declares.
        """
        check_images(images, self.transform.channels, "analyse")
        images = images if padded else pad(images, self.transform.downscale)
        latents = tf.cast(self.transform.analysis(images), "float32")
        check_declared(self.transform, "analysis", images, latents)
        return latents

    def walk(self, coder: Coder, quality: tf.Tensor, gains: ChannelGains | None = None) -> tf.Tensor:
        """Codes latents, and returns them quantised as the synthesis takes them.

        Args:
          coder: A coder of latents [batch, rows, columns, depth] as `rate.apply_gain` returned them.
          quality: The quality of each image [batch], or of all positions [batch, rows, columns].
          gains: Takes the place of `rate.gains_at(quality)`, such as gains in whole numbers.
        """
        gains = self.rate.gains_at(quality) if gains is None else gains
        return self.rate.apply_output_gain(walked(self.entropy, self.rate.coder(coder, gains)), gains)

    def synthesise(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Returns the images of latents [batch, rows, columns, depth], padding included, in float32.

        Raises:
          ValueError: Latents have another shape, or images have another than the transform declares.
        """
        y_hat = tf.convert_to_tensor(y_hat)
        if not y_hat.shape.is_compatible_with((None, None, None, self.transform.depth)):
            raise ValueError(
                f"synthesise: expected latents [batch, rows, columns, {self.transform.depth}]. Received: the shape "
                f"{y_hat.shape}. Pass one latent as latent[None]."
            )
        images = tf.cast(self.transform.synthesis(y_hat), "float32")
        check_declared(self.transform, "synthesis", y_hat, images)
        return images

    def configuration(self) -> dict[str, Any]:
        """Returns transform, entropy, lmbda and distortion as plain data, of which a codec makes a `CompressionModel`.

        Arguments that a subclass adds are for training, and are left out.
        """
        return self.configuration_as(CompressionModel)

    def added_configuration(self) -> dict[str, Any]:
        """Returns the name of a subclass, and those of its added arguments that are plain data; empty without one."""
        if type(self) is CompressionModel:
            return {}
        known = constructor_arguments(CompressionModel)
        added = {name: value for name, value in self._arguments.items() if name not in known and _is_plain(value)}
        return {"class": f"{type(self).__module__}.{type(self).__qualname__}", **added}

    def get_config(self) -> dict[str, Any]:
        """Returns all arguments as Keras needs them, and the paths of the layers that are frozen."""
        frozen = [path for path, layer in named_layers(self).items() if not layer.trainable]
        return super().get_config() | ({_FROZEN: frozen} if frozen else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: None = None):
        """Makes the same model again, with fresh weights; Keras calls this method.

        Args:
          config: A complete configuration, as `get_config` or `configuration` returns it.
          custom_objects: Keras passes this argument; it is not used.

        Raises:
          ValueError: The configuration lacks an argument.
        """
        own = {name: value for name, value in config.items() if name != _FROZEN}
        model, frozen = super().from_config(own), frozenset(config.get(_FROZEN, ()))
        if frozen:
            # A layer sets those inside, so it comes before them.
            for path, layer in sorted(named_layers(model).items()):
                layer.trainable = path not in frozen
        return model

    def _constructed(self) -> None:
        """Makes all variables, by running the model on a small image: Keras may then save, load, count and copy it."""
        super()._constructed()
        # At more than one position, where a distribution of a broadcastable shape is found.
        height, width = (max(64, count * self.transform.downscale) for count in (2, 3))
        with tf.init_scope(), building():
            self(tf.zeros((1, height, width, self.transform.channels)))
        # Also those that are never called themselves, such as the transform. Networks that a subclass adds, such as a
        # discriminator, make their weights when they are called.
        parts = [part for part in (self.transform, self.entropy, self.rate) if isinstance(part, keras.layers.Layer)]
        for layer in (self, *itertools.chain.from_iterable(part._flatten_layers() for part in parts)):
            layer.built = True

    def build(self, input_shape: Any) -> None:
        """Does nothing: the constructor makes all variables."""
        self.built = True

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: Keras 3 would make variables here, and fails where replicas get different numbers of images."""

    def complexity(self, height: int = 512, width: int = 768) -> Complexity:
        """Counts the parameters and multiply-accumulates of each part, without computing an image.

        Args:
          height: Height of the image in pixels.
          width: Width of the image in pixels.
        """
        return complexity(self, height, width)

    def losses_of(
        self, images: tf.Tensor, training: bool = False, quality: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns loss, bpp (bits per pixel), mse and psnr (dB) of each image [batch].

        Regularisers and losses that layers add are part of each image's loss. In training, `rate.emphasis` is a factor
        of the rest, so that all qualities count about alike.

        Args:
          images: Images [batch, height, width, channels] on 0..255.
          training: Whether `EntropyModel.quantization` takes the place of rounding.
          quality: As for `call`; default: from `rate.qualities`.
        """
        images = checked_images(images, self.transform.channels)
        quality = self._qualities(images, training, quality)
        compressed = self(images, training=training, quality=quality)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[1:3]), "float32")
        bpp = tf.add_n(list(compressed.bits.values())) / pixels
        mse = mean_squared_error(images, compressed.x_hat)
        loss = bpp + self.weighted_distortion(images, compressed.x_hat, quality)
        if training:
            emphasis = self.rate.emphasis(quality)
            loss *= emphasis if quality.shape.rank == 1 else tf.reduce_mean(emphasis, (1, 2))
        if self.losses:
            loss += tf.add_n([tf.cast(added, "float32") for added in self.losses])
        return {"loss": loss, "bpp": bpp, "mse": mse, "psnr": psnr_of(mse)}

    def distortion_of(self, images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
        """Returns the distortion [batch] that the loss weighs, of images [batch, height, width, channels] on 0..255."""
        return 1 - ms_ssim(images, decoded) if self.distortion == "ms-ssim" else mean_squared_error(images, decoded)

    def weighted_distortion(self, images: tf.Tensor, decoded: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Returns lmbda times the distortion [batch].

        Where the quality varies over an image, errors are multiplied by the root of their lmbda before the distortion
        is measured. So the mean squared error of each position has the weight of its own quality.

        Args:
          images: Images [batch, height, width, channels] on 0..255.
          decoded: The decoded images.
          quality: The quality of each image [batch], or of all positions of its latent [batch, rows, columns].
        """
        images, decoded, quality = (tf.cast(each, "float32") for each in (images, decoded, quality))
        lmbda = self.rate.lmbda(quality)
        if quality.shape.rank == 1:
            return lmbda * self._distortion_of(images, decoded)
        mean, (height, width) = tf.reduce_mean(lmbda, (1, 2)), tf.unstack(tf.shape(images))[1:3]
        blocks = tf.repeat(tf.repeat(lmbda, self.transform.downscale, 1), self.transform.downscale, 2)
        weights = tf.sqrt(blocks[:, :height, :width] / mean[:, None, None])[..., None]
        return mean * self._distortion_of(images, images + weights * (decoded - images))

    def _distortion_of(self, images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
        return self._one_for_each("distortion_of", self.distortion_of(images, decoded), images)

    def _one_for_each(self, what: str, values: Any, images: tf.Tensor) -> tf.Tensor:
        """Returns what a method of a subclass gave, after a check that it is a number for each image."""
        check(type(self).__name__, what, values is not None, "numbers", values)
        values, expected = tf.cast(tf.convert_to_tensor(values), "float32"), images.shape[:1]
        if not values.shape.is_compatible_with(expected):
            raise ValueError(
                f"{type(self).__name__}: expected {what} to return one number for each image, {expected}. Received: "
                f"the shape {values.shape}. Take means over rows, columns and channels, and not over the batch."
            )
        return values

    def compile(self, optimizer: Any = None, *, seed: int | None = None, **kwargs: Any) -> None:
        """Configures training.

        Args:
          optimizer: Keras's name for an optimiser, or the optimiser; default `lic.Adam()`.
          seed: Seed of the noise, which depends on it and on the number of the step; default: a random one.
          **kwargs: Arguments of `keras.Model.compile`; XLA is off unless `jit_compile=True`, which parts that it cannot
            compile refuse: `SwinBlock`, `quadtree`, `dual` and `autoregressive`.

        Raises:
          ValueError: The model is that of a codec. Or a loss or a metric is given, since the model has its own. Or the
            optimiser scales the loss, as Keras makes it under the policy mixed_float16. Or weights are not of float32,
            or `seed` is no whole number.
        """
        check_may_change("compile", self)
        given = [name for name in ("loss", "loss_weights", "metrics", "weighted_metrics") if kwargs.get(name)]
        if given:
            raise ValueError(
                f"compile: expected no {' and no '.join(given)}, since the model computes bpp + lmbda * distortion and "
                f"reports loss, bpp, mse and psnr. Received: {given[0]}={kwargs[given[0]]!r}. Override `distortion_of` "
                "for another distortion, or take `losses_of` in a loop of your own."
            )
        check_argument("compile", "seed", seed, int | None)
        check("compile", "seed", seed is None or -(2**31) <= seed < 2**31, "a number of 32 bits", seed)
        if isinstance(optimizer, type):
            expected = f"an optimiser, such as {optimizer.__name__}()"
            raise ValueError(f"compile: expected optimizer to be {expected}. Received: the class {optimizer.__name__}.")
        types = {tf.as_dtype(variable.dtype).name for variable in self.trainable_variables} - {"float32"}
        if types:
            raise ValueError(
                f"compile: expected weights of float32. Received: weights of {', '.join(sorted(types))}, as Keras "
                "makes them under such a policy. Set mixed_bfloat16 or float32, before the model is made."
            )
        super().compile(optimizer=optimizer or Adam(), **{"jit_compile": False, "weighted_metrics": []} | kwargs)
        if isinstance(self.optimizer, keras.mixed_precision.LossScaleOptimizer):
            self.optimizer = None  # So that `fit` asks for another call of `compile`.
            raise ValueError(
                "compile: expected an optimiser that does not scale the loss, since gradients that are not finite are "
                "replaced by zeros. Received: LossScaleOptimizer, which Keras puts around optimisers under the policy "
                "mixed_float16. Set mixed_bfloat16 or float32, before the model is made."
            )
        self.distribute_reduction_method = "first"  # The reported values are means over all replicas already.
        self.__dict__["_seed"] = random.getrandbits(31) if seed is None else int(seed)
        if hasattr(self.optimizer, "build"):  # Keras's legacy optimisers make their state in the first step.
            self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains the model; arguments are those of `keras.Model.fit`. Targets `y`, such as labels, have no effect.

        Warns of targets that are other images than `x`, as for denoising, which needs a loop of its own.
        """
        self._check_compiled("fit")
        self._eval_data_handler = self._eval_epoch_iterator = None  # Of a validation that failed or was interrupted.
        if callbacks is None or isinstance(callbacks, (list, tuple)):
            callbacks = [*(callbacks or ()), _WarnsOfRange("fit")]
        if isinstance(kwargs.get("validation_data"), (np.ndarray, tf.Tensor)):
            kwargs["validation_data"] = (kwargs["validation_data"],)  # Keras 2 would ask for its truth value.
        if kwargs.get("class_weight") is not None:
            raise ValueError("fit: expected no class_weight, since images have no classes. Pass sample_weight.")
        check_data("fit", x, self.transform.channels)
        if y is not None and y is not x and np.shape(y) == np.shape(x):
            warnings.warn(
                "fit: expected no targets. Received: images as y, which have no effect. Train towards them in a loop "
                "of your own, where model(x, training=True).x_hat is compared with y.",
                stacklevel=2,
            )
        return super().fit(x, _targets(x, y, kwargs), batch_size, epochs, verbose, callbacks, **kwargs)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = "auto", **kwargs: Any
    ) -> Any:
        """Measures the model; arguments are those of `keras.Model.evaluate`."""
        self._check_compiled("evaluate")
        check_data("evaluate", x, self.transform.channels)
        callbacks = kwargs.get("callbacks")
        if callbacks is None or isinstance(callbacks, (list, tuple)):  # In validation `fit` passes its own.
            kwargs["callbacks"] = [*(callbacks or ()), _WarnsOfRange("evaluate")]
        return super().evaluate(x, _targets(x, y, kwargs), batch_size, verbose, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns the arguments of `compile`, for Keras's own format of files; empty before `compile` was called."""
        if not getattr(self, "optimizer", None):
            return {}
        optimizer = saving.serialize_keras_object(self.optimizer)
        return {"optimizer": optimizer, "seed": self.__dict__.get("_seed"), "jit_compile": bool(self.jit_compile)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` describes it."""
        self.compile(**config | {"optimizer": saving.deserialize_keras_object(config["optimizer"])})

    # AutoGraph would take half of the time until the first step, and no part of `lic` needs it.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: Any) -> dict[str, Any]:
        """Takes one step of the optimiser.

        If any gradient is not finite, zeros take the place of all of them, and the reported loss is NaN.
        """
        images, weights = _images_and_weights(data)
        values, gradients = self.gradients_of(images, weights)  # It refuses what are no images.
        self._largest.update_state(tf.reduce_max(images))
        gradients = replicas.summed(gradients)
        finite = tf.math.is_finite(tf.linalg.global_norm(gradients))
        # The gradient of a weight that the loss does not depend on stays None, so that Keras warns of it.
        gradients = [gradient if gradient is None else tf.where(finite, gradient, 0.0) for gradient in gradients]
        values["loss"] = tf.where(finite, values["loss"], math.nan)
        apply_summed(self.optimizer, zip(gradients, self.trainable_variables))
        return self._report(values)

    def gradients_of(
        self, images: tf.Tensor, weights: tf.Tensor | None = None, step: tf.Tensor | None = None
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Returns the result of `losses_of` for the next step, and the gradients of the mean loss for the weights.

        Under a distribution strategy each replica returns its share of the gradients, which then add up. Every image
        counts alike, also where replicas have different numbers of them.

        Args:
          images: Images [batch, height, width, channels] on 0..255.
          weights: The factor of each image's loss [batch] or [batch, 1] in the mean, as Keras's `sample_weight`;
            default: 1.
          step: The number that decides noise and qualities, together with the seed; default: the number of steps that
            the model's optimiser has taken. Another optimiser, and gradients that are added up over several calls,
            need a number that each call raises.

        Raises:
          ValueError: The model is not compiled, or the weights have another shape.
        """
        self._check_compiled("gradients_of")
        step = training_steps(self.optimizer) if step is None else step
        with tf.GradientTape() as tape, drawn_from(self._seed, step):
            values = self._losses_in_replica(images, training=True)
            if weights is not None:
                values["loss"] *= _checked_weights(weights, values["loss"])
            share = tf.reduce_sum(values["loss"]) / replicas.summed([_count(values)])[0]
        gradients = tape.gradient(share, self.trainable_variables)
        # A walk under factorized priors alone uses only part of the gains, so Keras need not warn of the others.
        gains = {id(variable) for variable in getattr(self.rate, "trainable_variables", ())}
        pairs = zip(gradients, self.trainable_variables)
        return values, [tf.zeros_like(each) if grad is None and id(each) in gains else grad for grad, each in pairs]

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: Any) -> dict[str, Any]:
        """Measures a batch with rounded latents, at the middle quality if there are several."""
        images, weights = _images_and_weights(data)
        values = self._losses_in_replica(images, training=False)
        self._largest.update_state(tf.reduce_max(images))
        if weights is not None:
            values["loss"] *= _checked_weights(weights, values["loss"])
        return self._report(values)

    def predict_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Computes the fields of `Compressed` for a batch; Keras cannot join fields that are None."""
        compressed = self(_images_and_weights(data)[0])
        return {name: value for name, value in compressed._asdict().items() if value is not None}

    def predict(self, x: Any = None, *args: Any, **kwargs: Any) -> Compressed:
        """Compresses all images; arguments are those of `keras.Model.predict`.

        Returns:
          The result of calling the model, as arrays of numpy.
        """
        check_data("predict", x, self.transform.channels)
        return Compressed(**{"z_hat": None} | super().predict(x, *args, **kwargs))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The reported means, which Keras resets at the start of each epoch."""
        return self.trackers

    def _check_compiled(self, name: str) -> None:
        if not getattr(self, "optimizer", None):  # Keras would ask for a loss, which the model has already.
            raise ValueError(f"{name}: expected a compiled model. Call model.compile() first; it takes an optimiser.")

    def _qualities(self, images: tf.Tensor, training: bool, quality: Any) -> tf.Tensor:
        """Returns the quality of each image [batch], or of all positions of their latents [batch, rows, columns]."""
        if quality is None:
            return self.rate.qualities(tf.shape(images)[0], training)
        batch, *sizes = images.shape[:3]
        shape = [batch, *(size and -(-size // self.transform.downscale) for size in sizes)]
        try:
            given = tf.cast(tf.convert_to_tensor(quality), "float32")
            allowed = {0: [[]], 1: [[batch], [1]], 3: [shape]}.get(given.shape.rank, [])
            fits, received = any(map(given.shape.is_compatible_with, allowed)), f"the shape {given.shape}"
        except (TypeError, ValueError, tf.errors.UnimplementedError):
            fits, received = False, type(quality).__name__
        if not fits:
            raise ValueError(
                f"CompressionModel: expected quality as a number, as one for each image [{batch}], or as one for each "
                f"position of the latents {shape}. Received: {received}."
            )
        if not tf.is_symbolic_tensor(given):
            count, least, most = self.rate.count, float(tf.reduce_min(given)), float(tf.reduce_max(given))
            if not (least >= 1 and most <= count):
                raise ValueError(
                    f"CompressionModel: expected quality {f'from 1 to {count}' if count > 1 else 'None or 1'}. "
                    f"Received: {least:g} to {most:g}. A model has one quality for each lmbda."
                )
        return given if given.shape.rank == 3 else tf.broadcast_to(given, tf.shape(images)[:1])

    def _losses_in_replica(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Returns the result of `losses_of`, also where this replica got no image of a last, smaller batch."""
        images = checked_images(images, self.transform.channels)
        number, height, width, channels = tf.unstack(tf.shape(images))
        if replicas.count() > 1:  # Not all operations take an empty batch, so a black image stands in for it.
            images = tf.concat([images, tf.zeros((tf.maximum(1 - number, 0), height, width, channels))], 0)
        losses = self.losses_of(images, training=training)
        missing = [tracker.name for tracker in self.trackers if tracker.name not in losses]
        if missing:
            raise ValueError(
                f"{type(self).__name__}: expected losses_of to return {missing[0]}, which `trackers` has. Received: "
                f"{', '.join(losses)}. Return it, or take its tracker out."
            )
        return {
            name: self._one_for_each(f"losses_of, of {name!r},", values, images)[:number]
            for name, values in losses.items()
        }

    def _report(self, values: dict[str, tf.Tensor]) -> dict[str, Any]:
        sums = {name: tf.reduce_sum(value) for name, value in values.items()} | {"images": _count(values)}
        sums = replicas.summed(sums)
        for tracker in self.trackers:
            tracker.update_state(sums[tracker.name] / sums["images"], sample_weight=sums["images"])
        return {tracker.name: as_reported(tracker.result()) for tracker in self.trackers}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _targets(images: Any, targets: Any, arguments: dict[str, Any]) -> Any:
    """Returns the targets, or zeros in their place, without which Keras 2 ignores sample weights."""
    return np.zeros(len(images)) if targets is None and arguments.get("sample_weight") is not None else targets


class _WarnsOfRange(keras.callbacks.Callback):
    """Warns after the first batch if its images seem to be on another scale than 0..255."""

    def __init__(self, owner: Literal["fit", "evaluate"]):
        super().__init__()
        self._owner = owner

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._begin()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._look()

    def on_test_begin(self, logs: dict | None = None) -> None:
        if self._owner == "evaluate":  # `fit` looks at the images that it trains on.
            self._begin()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._owner == "evaluate":
            self._look()

    def _begin(self) -> None:
        self.model._largest.reset_state()
        self._is_first = True

    def _look(self) -> None:
        if self._is_first:
            warn_of_range(self._owner, float(self.model._largest.result()))
        self._is_first = False


def _images_and_weights(data: Any) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Returns the images and weights of a batch as Keras passes it; targets, such as labels, are left out."""
    images, _, weights = keras.utils.unpack_x_y_sample_weight(data)
    return images, weights


def _checked_weights(weights: Any, losses: tf.Tensor) -> tf.Tensor:
    """Returns the factor of each image's loss, after a check of the shape: others would mix images."""
    weights = tf.cast(tf.convert_to_tensor(weights), "float32")
    if weights.shape.rank is None or weights.shape[1:] == (1,):
        return tf.reshape(weights, tf.shape(losses))
    if weights.shape.rank != 0 and not weights.shape.is_compatible_with(losses.shape):
        raise ValueError(
            f"CompressionModel: expected sample weights as a number for each image, {losses.shape}. Received: the "
            f"shape {weights.shape}. Take means over all axes but the first."
        )
    return weights


def _count(values: dict[str, tf.Tensor]) -> tf.Tensor:
    """Returns the number of images that values of `losses_of` are of."""
    return tf.cast(tf.shape(values["loss"])[0], "float32")


def _check_parts(transform: Transform, entropy: EntropyModel, distortion: str) -> None:
    if not isinstance(transform, Transform) or not isinstance(entropy, EntropyModel):
        raise ValueError(
            "CompressionModel: expected a lic.Transform and a lic.EntropyModel. "
            f"Received: {type(transform).__name__} and {type(entropy).__name__}. Derive your parts from these bases."
        )
    for name in ("analysis", "synthesis"):
        if not isinstance(getattr(transform, name, None), keras.layers.Layer):
            raise ValueError(
                f"{type(transform).__name__}: expected the constructor to set {name}, a Keras layer. "
                f"Received: {getattr(transform, name, None)!r}."
            )
    channels = getattr(transform, "channels", None)
    check("Transform", "channels", type(channels) is int and channels > 0, "a whole number of at least 1", channels)
    if transform.depth != entropy.latent_depth:
        raise ValueError(
            "CompressionModel: expected an entropy model for latents as deep as the transform's. Received: "
            f"depth={transform.depth} and latent_depth={entropy.latent_depth}. Make both with the same latent_depth."
        )
    if distortion not in DISTORTIONS:
        raise ValueError(f"CompressionModel: expected distortion to be one of {DISTORTIONS}. Received: {distortion!r}.")
