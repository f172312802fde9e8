"""Models and codecs that are sound but unusual: no law may be broken by them."""

import functools

import lic
from lic.environment import keras, tf
from lic.layers import Sequential
from tests.conftest import tiny_model
from tests.testing.entropy_mutants import DEPTH, hyper
from tests.testing.sound_entropy import AttentionInsideASlice
from tests.testing.sound_transforms import SeesTheWholeImage, SharesItsWeights

MODELS = {
    "several rates": lambda: tiny_model("klt", "factorized", lmbda=(0.002, 0.01, 0.05)),
    "ms-ssim": lambda: tiny_model("conv", "factorized", distortion="ms-ssim", lmbda=20.0),
    "absolute error": lambda: _model(AbsoluteError),
    "own loss": lambda: _model(HasAnAdversary),
    "added loss": lambda: _model(AddsALoss),
    "frozen transform": lambda: _frozen(tiny_model("klt", "factorized")),
    "whole image": lambda: lic.CompressionModel(SeesTheWholeImage(12), tiny_model("conv", "factorized").entropy),
    "shared weights": lambda: lic.CompressionModel(SharesItsWeights(), AttentionInsideASlice(DEPTH, hyper())),
    "regularised": lambda: _model(lic.CompressionModel, Regularised(12)),
}


class AbsoluteError(lic.CompressionModel):
    """Another distortion than those that have names."""

    def distortion_of(self, images, decoded):
        return tf.reduce_mean(tf.abs(images - decoded), (1, 2, 3))


class HasAnAdversary(lic.CompressionModel):
    """A network that tells decoded images from others adds to the loss."""

    def __init__(self, transform, entropy, lmbda=0.01, **kwargs):
        super().__init__(transform, entropy, lmbda, **kwargs)
        self.adversary = keras.Sequential([keras.layers.Conv2D(4, 4, 4), keras.layers.GlobalAveragePooling2D()])
        self.adversary.build((None, None, None, 3))

    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training, quality)
        decoded = self(images, training=training, quality=quality).x_hat
        return losses | {"loss": losses["loss"] + tf.reduce_mean(tf.nn.softplus(self.adversary(decoded / 255)), 1)}


class AddsALoss(lic.CompressionModel):
    """A loss of the latent is added, as Keras has it."""

    def call(self, images, training=False, quality=None):
        compressed = super().call(images, training, quality)
        self.add_loss(1e-3 * tf.reduce_mean(tf.square(compressed.y)))
        return compressed


class Regularised(SeesTheWholeImage):
    """A regulariser, whose loss is the model's too."""

    def __init__(self, latent_depth):
        super().__init__(latent_depth)
        mixer = keras.layers.Dense(latent_depth, kernel_regularizer=keras.regularizers.L2(1e-3))
        self.analysis = Sequential([*self.analysis.layers, mixer])


def _model(maker, transform=None):
    parts = tiny_model("conv", "factorized")
    return maker(transform or parts.transform, parts.entropy)


def _frozen(model):
    model.transform.trainable = False
    return model


CODECS = {
    "deterministic": lambda: lic.Codec(_codec_model("hyperprior"), deterministic=True),
    "float16": lambda: lic.Codec(_codec_model(), stored="float16"),
    "bfloat16": lambda: lic.Codec(tiny_model("conv", "factorized"), precision="bfloat16"),
    "whole": lambda: lic.Codec(_codec_model(), tile=None),
    "small tiles": lambda: lic.Codec(_codec_model(), tile=32),
    "several rates, deterministic": lambda: lic.Codec(_codec_model("hyperprior", (0.002, 0.02)), deterministic=True),
    "absolute error": lambda: lic.Codec(_model(AbsoluteError)),
    "all at once": lambda: lic.Codec(
        _codec_model("hyperprior"), deterministic=True, stored="float16", precision="bfloat16", tile=64
    ),
}


@functools.cache
def _codec_model(entropy="factorized", lmbda=0.01):
    return tiny_model("klt", entropy, lmbda=lmbda)
