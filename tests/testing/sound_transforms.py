"""Transforms and hyper transforms that are sound but unusual: no law may be broken by them.

`SOUND` holds functions that make them; the test of each is slow unless it is in `QUICK`.
"""

import numpy as np

import lic
from lic.environment import keras, policy, tf
from lic.layers import GDN, Convolution, Scale, Sequential

SOUND = {}
QUICK = [
    "AttendsToTheWholeImage",
    "DownscaleOne",
    "HalfPrecision",
    "HyperDownscale8",
    "HyperOfOneChannel",
    "InBlocks",
    "ModelsOfKeras",
    "NormalisedByBatch",
    "SeesTheWholeImage",
    "SharesItsWeights",
    "WithoutWeights",
]


def sound(**options):
    def register(maker):
        SOUND[maker.__name__] = lambda: maker(**options)
        return maker

    return register


class Function(keras.layers.Layer):
    """A layer without weights that applies a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, values):
        return self.function(values)


class _Plain(lic.Transform):
    """Two strided convolutions each way, with layers in the middle."""

    def __init__(self, latent_depth=6, width=5, strides=(2, 2), **kwargs):
        super().__init__(latent_depth, int(np.prod(strides)), **kwargs)
        first, last = strides
        self.analysis = Sequential(
            [Scale(1 / 255), Convolution(width, 3, down=first), *self.inner(), Convolution(latent_depth, 3, down=last)]
        )
        self.synthesis = Sequential(
            [Convolution(width, 3, up=last), *self.inner(), Convolution(3, 3, up=first), Scale(255.0)]
        )

    def inner(self):
        return [keras.layers.ReLU()]


@sound(latent_depth=1, strides=(1, 1))
class DownscaleOne(_Plain):
    """The latent is as large as the image, and has one channel."""


@sound(latent_depth=7, strides=(4, 2))
class DownscaleEight(_Plain):
    """An odd number of channels, at an eighth of the size."""


@sound(strides=(8, 4))
class DownscaleThirtyTwo(_Plain):
    """Positions of 32 pixels."""


@sound(strides=(3, 2))
class DownscaleSix(_Plain):
    """Positions of six pixels, which no power of two divides."""


@sound()
class NormalisedByBatch(_Plain):
    """Batch normalisation as Keras means it."""

    def inner(self):
        return [keras.layers.BatchNormalization(), keras.layers.ReLU()]


@sound()
class NormalisedByLayer(_Plain):
    """Layer normalisation and dropout."""

    def inner(self):
        return [keras.layers.LayerNormalization(), keras.layers.Dropout(0.3)]


@sound()
class WithGDN(_Plain):
    """GDN, the analysis of which is frozen."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.analysis.trainable = False

    def inner(self):
        return [GDN()]


class SqueezeAndExcitation(keras.layers.Layer):
    """Weighs channels by their means over the whole image."""

    def __init__(self, width):
        super().__init__()
        self.gate = keras.layers.Dense(width, activation="sigmoid")

    def call(self, values):
        return values * self.gate(tf.reduce_mean(values, (1, 2), keepdims=True))


@sound()
class SeesTheWholeImage(_Plain):
    """Squeeze and excitation; it declares that it sees the whole image."""

    tile_overlap = None

    def inner(self):
        return [SqueezeAndExcitation(5)]


class Attention(keras.layers.Layer):
    """Every position attends to all others."""

    def __init__(self, width):
        super().__init__()
        self.mixer = keras.layers.Dense(3 * width, use_bias=False)

    def call(self, values):
        shape = tf.shape(values)
        tokens = tf.reshape(self.mixer(values), (shape[0], shape[1] * shape[2], 3 * values.shape[-1]))
        query, key, value = tf.split(tokens, 3, -1)
        return values + tf.reshape(tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True)), value), shape)


@sound()
class AttendsToTheWholeImage(_Plain):
    """Attention of all positions to all others, at half of the image's size."""

    tile_overlap = None

    def inner(self):
        return [Attention(5)]


@sound()
class NormalisedByImage(_Plain):
    """Instance normalisation over the whole image."""

    tile_overlap = None

    def inner(self):
        return [Function(_standardised), keras.layers.ReLU()]


def _standardised(values):
    mean, variance = tf.nn.moments(values, (1, 2), keepdims=True)
    return (values - mean) / tf.sqrt(variance + 1e-3)


@sound()
class SeesFar(_Plain):
    """Dilated convolutions that see nine positions, as it declares."""

    tile_overlap = 10

    def inner(self):
        return [
            keras.layers.Conv2D(5, 3, padding="same", dilation_rate=rate, activation="relu") for rate in (1, 2, 4, 8)
        ]


@sound()
class InBlocks(_Plain):
    """Means of blocks of three positions, which it declares by `tile_multiple` alone."""

    tile_multiple = 3

    def inner(self):
        return [Function(_block_means), keras.layers.LeakyReLU()]


def _block_means(values):
    height, width = tf.shape(values)[1], tf.shape(values)[2]
    padded = tf.pad(values, [(0, 0), (0, -height % 6), (0, -width % 6), (0, 0)])
    means = tf.nn.avg_pool2d(padded, 6, 6, "VALID")
    return values + tf.repeat(tf.repeat(means, 6, 1), 6, 2)[:, :height, :width]


class _Blocks(lic.Transform):
    """Blocks of four pixels as channels, and something that keeps them."""

    def __init__(self, latent_depth=48, **kwargs):
        super().__init__(latent_depth, 4, **kwargs)
        self.analysis = Sequential([Scale(1 / 255), Function(lambda image: tf.nn.space_to_depth(image, 4))])
        self.synthesis = Sequential([Function(lambda latent: tf.nn.depth_to_space(latent, 4)), Scale(255.0)])


@sound()
class WithoutWeights(_Blocks):
    """Nothing is learnt."""


class Skipped(keras.layers.Layer):
    """A layer whose result is added to its input."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, values):
        return values + self.layer(values)


@sound()
class SkipsEverything(_Blocks):
    """A skip around all that is learnt, between depth-to-space and its inverse."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.analysis = Sequential([*self.analysis.layers, Skipped(Convolution(48, 3, activation="leaky_relu_0.01"))])
        self.synthesis = Sequential([Skipped(Convolution(48, 3)), *self.synthesis.layers])


class Transposed(keras.layers.Layer):
    """Multiplies by the transpose of another layer's kernel."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense

    def call(self, values):
        return tf.tensordot(values, tf.transpose(tf.convert_to_tensor(self.dense.kernel)), 1)


@sound()
class SharesItsWeights(_Blocks):
    """One matrix for the analysis, and its transpose for the synthesis."""

    def __init__(self, **kwargs):
        super().__init__(12, **kwargs)
        dense = keras.layers.Dense(12, use_bias=False)
        self.analysis = Sequential([*self.analysis.layers, dense])
        self.synthesis = Sequential([Transposed(dense), *self.synthesis.layers])


class _OfKeras(lic.Transform):
    """A functional model of Keras as analysis, and a sequential one as synthesis."""

    def __init__(self, latent_depth=6):
        super().__init__(latent_depth, 2)
        image = keras.Input((None, None, 3))
        inner = keras.layers.Conv2D(8, 5, padding="same", activation="relu")(image / 255.0)
        self.analysis = keras.Model(image, keras.layers.Conv2D(latent_depth, 2, strides=2)(inner))
        self.synthesis = keras.Sequential(
            [keras.layers.Conv2DTranspose(8, 2, strides=2, activation="relu"), keras.layers.Conv2D(3, 1)]
        )


SOUND["ModelsOfKeras"] = _OfKeras


@sound()
class ResizesAndClips(_Plain):
    """It enlarges by bilinear interpolation and clips what it decodes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        enlarge = keras.layers.UpSampling2D(4, interpolation="bilinear")
        clip = Function(lambda values: tf.clip_by_value(values, -1e4, 255.0))
        self.synthesis = Sequential([Convolution(9, 1, activation="relu"), enlarge, Convolution(3, 3), clip])


@sound()
class SplitsColours(lic.Transform):
    """Brightness at half of the size, colour at a quarter, each in a path of its own."""

    def __init__(self, latent_depth=5, **kwargs):
        super().__init__(latent_depth, 4, **kwargs)
        self.analysis, self.synthesis = _ColoursApart(latent_depth), _ColoursTogether()


class _ColoursApart(keras.layers.Layer):
    def __init__(self, latent_depth):
        super().__init__()
        self.light = [Convolution(4, 3, down=2, activation="relu"), Convolution(latent_depth - 2, 3, down=2)]
        self.colour = Convolution(2, 4, down=4)

    def call(self, image):
        light = tf.reduce_mean(image, -1, keepdims=True)
        for layer in self.light:
            light = layer(light)
        return tf.concat([light, self.colour(image[..., ::2])], -1)


class _ColoursTogether(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.light, self.colour = Convolution(1, 5, up=4), Convolution(3, 5, up=4)

    def call(self, latent):
        return self.light(latent[..., :-2]) + self.colour(latent[..., -2:])


@sound()
class HalfPrecision(_Plain):
    """Everything computes in bfloat16."""

    def __init__(self, **kwargs):
        with policy("mixed_bfloat16"):
            super().__init__(**kwargs)


@sound()
class HalfPrecisionInside(_Plain):
    """The layers in the middle compute in float16."""

    def inner(self):
        layers = [keras.layers.Conv2D(5, 3, padding="same", dtype="mixed_float16") for _ in range(3)]
        return [*layers, keras.layers.Activation("relu", dtype="float32")]


@sound()
class ReflectsBorders(_Plain):
    """It pads by reflection."""

    def inner(self):
        pad = Function(lambda values: tf.pad(values, [(0, 0), (1, 1), (1, 1), (0, 0)], "SYMMETRIC"))
        return [pad, keras.layers.Conv2D(5, 3, activation="gelu")]


class _Hyper(lic.HyperTransform):
    def __init__(self, latent_depth=5, downscale=2, depth=3):
        super().__init__(depth, features=4, downscale=downscale)
        self.analysis = Convolution(depth, 2 * downscale + 1, down=downscale)
        self.synthesis = Convolution(4, 2 * downscale + 1, up=downscale)


for each in (1, 3, 8):
    SOUND[f"HyperDownscale{each}"] = lambda downscale=each: _Hyper(downscale=downscale)
SOUND["HyperOfOneChannel"] = lambda: _Hyper(latent_depth=1, depth=1)


@sound()
class HyperNormalised(_Hyper):
    """Layer normalisation, a skip, and a frozen synthesis."""

    def __init__(self, latent_depth=5):
        super().__init__(latent_depth)
        self.analysis = Sequential([Skipped(keras.layers.LayerNormalization()), self.analysis])
        self.synthesis.trainable = False


@sound()
class HyperOfTheWholeLatent(_Hyper):
    """Its features know the mean of all side information."""

    def __init__(self, latent_depth=5):
        super().__init__(latent_depth)
        self.synthesis = Sequential([SqueezeAndExcitation(3), self.synthesis])
