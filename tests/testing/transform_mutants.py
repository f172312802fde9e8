"""Transforms that are broken on purpose, each with the law that is to catch it."""

from typing import NamedTuple

import lic
from lic.environment import keras, tf
from lic.layers import Convolution, Sequential
from lic.transforms import HyperTransform

MUTANTS, HYPER_MUTANTS = [], []
DEPTH = 12


class Mutant(NamedTuple):
    make: type
    law: str


def caught_by(law):
    def register(maker):
        (HYPER_MUTANTS if issubclass(maker, HyperTransform) else MUTANTS).append(Mutant(maker, law))
        return maker

    return register


class Spoilt(keras.layers.Layer):
    """A layer that applies a function to its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, values, training=None):
        return self.function(values)


class _Small(lic.Transform):
    """Two convolutions each way, with something between them."""

    def __init__(self, latent_depth=DEPTH, **kwargs):
        super().__init__(latent_depth, **{"downscale": 4} | kwargs)
        first, last = Convolution(8, 5, down=2, activation="relu"), Convolution(latent_depth, 5, down=2)
        self.analysis = Sequential([Spoilt(lambda pixels: pixels / 255), first, Spoilt(self.spoil), last])
        self.synthesis = Sequential([Convolution(8, 5, up=2, activation="relu"), Convolution(3, 5, up=2)])

    def spoil(self, values):
        return values


@caught_by(None)
class Sound(_Small):
    """No mutant: the transform that they all start from keeps every law."""


@caught_by("downscale and depth are as declared")
class DeclaresAnotherDownscale(_Small):
    """It declares latents of an eighth of the image's size, and they have a quarter."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth, downscale=8)


@caught_by("downscale and depth are as declared")
class DeclaresAnotherDepth(_Small):
    """Its latents have a channel more than it declares."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.depth += 1


@caught_by("moving the image moves the latent")
class KnowsWhereItIs(_Small):
    """A ramp over the rows of the image is added."""

    def spoil(self, values):
        return values + tf.range(tf.shape(values)[1], dtype=values.dtype)[None, :, None, None]


@caught_by("downscale and depth are as declared")
class PadsSmallImages(_Small):
    """Its latent has at least two rows."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.analysis = Sequential([Spoilt(_at_least_two_rows), self.analysis])


def _at_least_two_rows(images):
    return tf.pad(images, [(0, 0), (0, tf.maximum(8 - tf.shape(images)[1], 0)), (0, 0), (0, 0)])


@caught_by("moving the image moves the latent")
class KnowsItsColumn(_Small):
    """A ramp over the columns of the latent is added before the synthesis."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.synthesis = Sequential([Spoilt(_with_columns), self.synthesis])


def _with_columns(values):
    return values + 0.1 * tf.range(tf.shape(values)[2], dtype=values.dtype)[None, None, :, None]


@caught_by("moving the image moves the latent")
class HasAGridOfItsOwn(_Small):
    """Every second position is brighter, and tiles begin at even positions, so that nothing shows there."""

    def spoil(self, values):
        odd = tf.range(tf.shape(values)[1]) // 2 % 2
        return values * (1 + 0.2 * tf.cast(odd, values.dtype)[None, :, None, None])


@caught_by("tiles give what the whole image gives")
class SeesFurtherThanItsTiles(_Small):
    """Dilated convolutions see six positions on each side, and tiles overlap by four."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        far = [keras.layers.Conv2D(DEPTH, 3, padding="same", dilation_rate=rate) for rate in (1, 2, 3)]
        self.analysis = Sequential([self.analysis, *far])


@caught_by("tiles give what the whole image gives")
class SqueezesAndExcites(_Small):
    """It weighs channels by their means over the image, and does not declare that it sees all of it."""

    def spoil(self, values):
        return values * tf.sigmoid(tf.reduce_mean(values, (1, 2), keepdims=True))


@caught_by("tiles give what the whole image gives")
class ComputesLargeImagesCoarsely(_Small):
    """Beyond 16 positions it computes something else."""

    def spoil(self, values):
        return tf.where(tf.shape(values)[1] > 2 * 16, tf.round(values), values)


@caught_by("tiles give what the whole image gives")
class ForgetsWhatIsBeyond(_Small):
    """All after the 24th row of the latent is black."""

    def spoil(self, values):
        return values * tf.cast(tf.range(tf.shape(values)[1]) < 2 * 24, values.dtype)[None, :, None, None]


class _Stretches(_Small):
    """Pixels are stretched before the analysis, so that their largest number is 255."""

    axes = (0, 1, 2, 3)

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.analysis = Sequential([Spoilt(self.stretched), self.analysis])

    def stretched(self, images):
        return 255 * images / tf.maximum(tf.reduce_max(images, self.axes, keepdims=True), 1.0)


@caught_by("images of a batch do not mix")
class StretchesTheBatch(_Stretches):
    """The largest number is that of the batch. Images are not cut into tiles, in which it would show."""

    tile_overlap = None


@caught_by("tiles give what the whole image gives")
class StretchesTheImage(_Stretches):
    """The largest number is that of the image, and it does not declare that it sees all of it."""

    axes = (1, 2, 3)


@caught_by("images of a batch do not mix")
class PullsTowardsTheBatch(_Small):
    """Numbers move towards their mean over the batch, which changes nothing for one image."""

    def spoil(self, values):
        return 0.9 * values + 0.1 * tf.reduce_mean(values, 0, keepdims=True)


@caught_by("images of a batch do not mix")
class NormalisesTheBatch(_Small):
    """Batch normalisation is always as in training."""

    def spoil(self, values):
        mean, variance = tf.nn.moments(values, (0, 1, 2))
        return (values - mean) / tf.sqrt(variance + 1e-3)


@caught_by("the same image gives the same every time")
class IsRandom(_Small):
    """Dropout is left on."""

    def spoil(self, values):
        return tf.nn.dropout(values, 0.5)


@caught_by("the same image gives the same every time")
class RemembersTheLastImage(_Small):
    """It is tuned to the width of the image that was coded last, in any of its copies."""

    width = 0

    def call(self, values):
        RemembersTheLastImage.width = int(values.shape[2])
        return super().call(values)

    def spoil(self, values):
        return values * (1.1 if RemembersTheLastImage.width == 7 * self.downscale else 1.0)


@caught_by("a call changes no variable")
class WritesAVariable(_Small):
    """It keeps a moving mean."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.mean = self.add_weight(name="mean", shape=(), initializer="zeros", trainable=False)

    def spoil(self, values):
        self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(values))
        return values


@caught_by("gradients reach every variable")
class StopsGradients(_Small):
    """No gradient passes its middle."""

    def spoil(self, values):
        return tf.stop_gradient(values)


@caught_by("gradients reach every variable")
class LearnsInFloat64(_Small):
    """A layer of it has weights in float64, whose gradients training cannot add to the others."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.analysis = Sequential([self.analysis, keras.layers.Conv2D(latent_depth, 1, dtype="float64")])


@caught_by("flat images give finite numbers")
class DividesByTheContrast(_Small):
    """Where an image is flat, it divides by zero."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.analysis = Sequential([Spoilt(_of_one_contrast), self.analysis])


def _of_one_contrast(images):
    mean, variance = tf.nn.moments(images, -1, keepdims=True)
    return (images - mean) / tf.sqrt(variance)


@caught_by("flat images give finite numbers")
class DividesByTheContrastOfFeatures(_Small):
    """Where an image is black, it divides by zero as long as no bias has been trained."""

    def spoil(self, values):
        return _of_one_contrast(values)


@caught_by("flat images give finite numbers")
class HasNoGradientAtBlack(_Small):
    """The norm of what is black has no gradient."""

    def spoil(self, values):
        return values + tf.norm(values, axis=-1, keepdims=True)


@caught_by("one graph serves all sizes")
class NeedsToKnowTheSize(_Small):
    """It runs if sizes are known numbers, and not in a graph for all sizes."""

    def spoil(self, values):
        return tf.reshape(values, [int(size) for size in values.shape])


@caught_by("configuration and weights make it anew")
class BrokenConfiguration(_Small):
    """An argument is lost."""

    def __init__(self, latent_depth=DEPTH, factor=2.0):
        self.factor = factor
        super().__init__(latent_depth)

    def spoil(self, values):
        return values * self.factor

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(factor=3.0, **config)


class _SmallHyper(HyperTransform):
    """One convolution each way."""

    def __init__(self, latent_depth=DEPTH, **kwargs):
        super().__init__(4, **{"features": 8, "downscale": 2} | kwargs)
        self.analysis = Sequential([Spoilt(self.spoil), Convolution(4, 3, down=2)])
        self.synthesis = Convolution(8, 3, up=2)

    def spoil(self, values):
        return values


@caught_by(None)
class SoundHyper(_SmallHyper):
    """No mutant."""


@caught_by("it takes every size")
class FeaturesAreTooFew(_SmallHyper):
    """It declares more features than it has."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth, features=9)


@caught_by("it takes every size")
class FeaturesAreTooSmall(_SmallHyper):
    """Its features do not cover the latent."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.synthesis = Convolution(8, 3)


@caught_by("images of a batch do not mix")
class HyperMixesTheBatch(_SmallHyper):
    """A mean over the batch is subtracted."""

    def spoil(self, values):
        return values - 0.5 * tf.reduce_mean(values, 0, keepdims=True)


@caught_by("the same latent gives the same every time")
class HyperRemembersTheLastLatent(_SmallHyper):
    """It is tuned to the width of the latent before, in any of its copies."""

    width = 0

    def spoil(self, values):
        before, HyperRemembersTheLastLatent.width = HyperRemembersTheLastLatent.width, int(values.shape[2])
        return values * (1.1 if before == 7 else 1.0)


@caught_by("the same latent gives the same every time")
class HyperIsRandom(_SmallHyper):
    """Noise is left on."""

    def spoil(self, values):
        return values + tf.random.normal(tf.shape(values))


@caught_by("a call changes no variable")
class HyperWritesAVariable(_SmallHyper):
    """It counts its calls."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)

    def spoil(self, values):
        self.calls.assign_add(1.0)
        return values


@caught_by("gradients reach every variable")
class HyperStopsGradients(_SmallHyper):
    """Rounding has no gradient."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(latent_depth)
        self.synthesis = Sequential([Spoilt(tf.round), Convolution(8, 3, up=2)])


@caught_by("configuration and weights make it anew")
class HyperBrokenConfiguration(_SmallHyper):
    """An argument is lost."""

    def __init__(self, latent_depth=DEPTH, factor=2.0):
        self.factor = factor
        super().__init__(latent_depth)

    def spoil(self, values):
        return values * self.factor

    def get_config(self):
        return {"latent_depth": DEPTH}

    @classmethod
    def from_config(cls, config):
        return cls(factor=3.0, **config)
