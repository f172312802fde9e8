"""Entropy models that are sound but unusual: no law may be broken by them.

Each entry of `SOUND` makes one; the test of each is slow unless it is in `QUICK`.
"""

from inspect import isfunction

import numpy as np

import lic
from lic import registry
from lic.entropy import EVERYTHING, FactorizedPrior, Part, anchors, channels, non_anchors, within
from lic.entropy.distributions import Laplace, LocationScale, Logistic, Normal
from lic.entropy.factorized import Factorized
from lic.entropy.hyperprior import Hyperprior
from lic.environment import keras, tf
from lic.layers import Convolution
from tests.testing.entropy_mutants import DEPTH, Halves, hyper

SOUND, QUICK = {}, []
LAPLACE = Laplace()


def sound(*arguments, quick=False, name=None, **options):
    """Registers an entropy model of these arguments; functions among them, such as `hyper`, make the arguments."""

    def register(maker):
        def make():
            given = [each() if callable(each) else each for each in arguments or (DEPTH, hyper)]
            return maker(*given, **{name: each() if isfunction(each) else each for name, each in options.items()})

        SOUND[name or maker.__name__] = make
        if quick:
            QUICK.append(name or maker.__name__)
        return maker

    return register


def hyper_of(**sizes):
    sizes = {"latent_depth": DEPTH, "hyper_width": 8, "side_depth": 4, "features": 8} | sizes
    return registry.hyper_transforms.get("conv")(**sizes)


class _OneToOne(lic.HyperTransform):
    """Side information at every position."""

    def __init__(self):
        super().__init__(3, features=8, downscale=1)
        self.analysis, self.synthesis = Convolution(3, 3), Convolution(8, 1, activation="softplus")


class _Steep(lic.HyperTransform):
    """Side information of one channel, at every eighth row and column."""

    def __init__(self, latent_depth=DEPTH):
        super().__init__(1, features=8, downscale=8)
        self.analysis = Convolution(1, 9, down=8)
        self.synthesis = Convolution(8, 9, up=8, activation="softplus")


def checkerboard_of_side(likelihood=LAPLACE):
    """An entropy model of side information that has side information of its own."""
    sizes = {"context_width": 8, "parameter_widths": (10,), "likelihood": likelihood}
    return registry.entropy_models.get("checkerboard")(4, hyper_of(latent_depth=4), **sizes)


sound(DEPTH, hyper, hyper_entropy=checkerboard_of_side, name="ACheckerboardOnTheSideInformation", quick=True)(
    Hyperprior
)


@sound()
class CodesAFurtherLatentItself(Halves):
    """Another entropy model walks on a further latent, between the two halves."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.other, self.inner = hyper_of(), checkerboard_of_side(Normal())

    def features(self, coder):
        z_hat = self.inner.walk(coder.latent("more", self.other))
        height, width = tf.unstack(tf.shape(coder.zeros)[1:3])
        return super().features(coder) + self.other.synthesis(z_hat)[:, :height, :width]


@sound()
class TwoHyperTransforms(Halves):
    """A second side information, which a second prior codes."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.second = hyper_of()
        self.second_prior = FactorizedPrior(self.second.depth)

    def features(self, coder):
        return super().features(coder) + coder.side(self.second, self.second_prior)


@sound()
class Normalised(Halves):
    """Batch normalisation of features, as Keras means it."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.norm = keras.layers.BatchNormalization()

    def call(self, latent, training=False, walk=None):
        self.__dict__["_is_training"] = training
        return super().call(latent, training, walk)

    def features(self, coder):
        return self.norm(super().features(coder), training=self.__dict__.get("_is_training", False))


@sound()
class Reversed(Halves):
    """Channels are coded one by one, the last one first, each with those before as context."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.networks = [Convolution(2, 1) for _ in range(latent_depth)]

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for channel in reversed(range(self.latent_depth)):
            part = channels(channel, channel + 1)
            seen = [features] if channel == self.latent_depth - 1 else [features, y_hat[..., channel + 1 :]]
            y_hat = part.put(y_hat, self.code(coder, part, self.networks[channel], seen))
        return y_hat


@sound()
class Permuted(Halves):
    """The first half of a permutation of channels, and then the rest."""

    def parts(self):
        order = np.random.default_rng(3).permutation(self.latent_depth)
        return [_gathered(name, half) for name, half in zip(("first", "second"), np.split(order, 2))]

    def walk(self, coder):
        features = self.features(coder)
        first, second = self.parts()
        y_hat = first.put(coder.zeros, self.code(coder, first, self.networks[0], [features]))
        return second.put(y_hat, self.code(coder, second, self.networks[1], [features, first.take(y_hat)]))


def _gathered(name, numbers):
    """Returns the part of the channels with these numbers."""

    def put(latent, values):
        own = np.isin(np.arange(latent.shape[-1]), numbers)
        order = np.zeros(latent.shape[-1], int)
        order[numbers] = np.arange(len(numbers))
        return tf.where(own, tf.gather(values, order, axis=-1), latent)

    return Part(name, lambda latent: tf.gather(latent, numbers, axis=-1), put)


def _where(name, selects):
    """Returns the part of the positions that a function of rows and columns selects, as one row of numbers."""

    def selected(latent):
        rows, columns = tf.range(tf.shape(latent)[1])[:, None], tf.range(tf.shape(latent)[2])[None]
        return tf.reshape(selects(rows, columns), [-1])

    def take(latent):
        flat = tf.reshape(latent, (tf.shape(latent)[0], -1, latent.shape[-1]))
        return tf.boolean_mask(flat, selected(latent), axis=1)[:, None]

    def put(latent, values):
        places = tf.where(selected(latent))
        flat = tf.reshape(latent, (tf.shape(latent)[0], -1, latent.shape[-1]))
        across = tf.transpose(flat, (1, 0, 2))
        across = tf.tensor_scatter_nd_update(across, places, tf.transpose(values[:, 0], (1, 0, 2)))
        return tf.reshape(tf.transpose(across, (1, 0, 2)), tf.shape(latent))

    return Part(name, take, put)


class _InPasses(Halves):
    """Codes parts of positions, each with those before as context."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        count = len(self.passes())
        self.contexts = [Convolution(4, 3, activation="softplus") for _ in range(count - 1)]
        self.networks = [Convolution(2 * latent_depth, 1) for _ in range(count)]

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for number, part in enumerate(self.passes()):
            known = tf.concat([features, self.contexts[number - 1](y_hat)], -1) if number else features
            y_hat = part.put(y_hat, self.code(coder, part, self.networks[number], [part.take(known)]))
        return y_hat


@sound()
class DiagonalStripes(_InPasses):
    """Three passes over diagonals; two of them are empty at one position."""

    def passes(self):
        return [_where(f"stripe {k}", lambda r, c, k=k: (r + c) % 3 == k) for k in range(3)]


@sound()
class Corners(_InPasses):
    """Four corners of a grid of two by two, some of which are empty at small sizes."""

    def passes(self):
        corners = [(0, 0), (1, 1), (0, 1), (1, 0)]
        return [_where(f"corner {a}{b}", lambda r, c, a=a, b=b: (r % 2 == a) & (c % 2 == b)) for a, b in corners]


@sound()
class InsideAndBorder(_InPasses):
    """The border of the latent and then its inside, which a narrow one does not have."""

    def passes(self):
        def is_border(rows, columns):
            last_row, last_column = tf.reduce_max(rows), tf.reduce_max(columns)
            return (rows == 0) | (columns == 0) | (rows == last_row) | (columns == last_column)

        return [_where("border", is_border), _where("inside", lambda r, c: ~is_border(r, c))]


@sound()
class PartWithoutChannels(Halves):
    """Its third part has no channels."""

    def walk(self, coder):
        y_hat, nothing = super().walk(coder), channels(3, 3)
        empty = nothing.take(y_hat)
        return nothing.put(y_hat, coder.code(nothing, self.likelihood.of(empty, empty)))


@sound()
class DropsOutAndNormalises(Halves):
    """Dropout in training, and layer normalisation."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.dropout, self.norm = keras.layers.Dropout(0.2), keras.layers.LayerNormalization()

    def features(self, coder):
        return self.dropout(self.norm(super().features(coder)))


@sound()
class SharesItsNetwork(Halves):
    """One network gives the parameters of both halves; its input for the first has zeros in place of the context."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.networks = [Convolution(latent_depth, 3)]

    def walk(self, coder):
        features = self.features(coder)
        first, second = self.parts()
        decoded = self.code(coder, first, self.networks[0], [features, first.take(coder.zeros)])
        return tf.concat([decoded, self.code(coder, second, self.networks[0], [features, decoded])], -1)


@sound(DEPTH, lambda: hyper_of(side_depth=1), name="OneSideChannel")
@sound(DEPTH, _OneToOne, name="HyperOfDownscale1")
@sound(DEPTH, _Steep, name="HyperOfDownscale8")
class _Plain(Halves):
    """Halves with another hyper transform."""


@sound(1, lambda: hyper_of(latent_depth=1), name="DepthOne")
class _DepthOne(Hyperprior):
    """Hyperprior."""


@sound(name="ZeroMean", zero_mean=True)
class _ZeroMean(Hyperprior):
    """Hyperprior."""


@sound(DEPTH, name="PriorWithMedians", prior_medians=True, prior_filters=(3,), likelihood_bound=1e-9, quick=True)
class _PriorWithMedians(Factorized):
    """Factorized."""


@sound(quantization="noise/noise")
class PriorAndHyperprior(Halves):
    """The first half has a prior of its own with medians, and is coded before the side information."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.own = FactorizedPrior(latent_depth // 2, medians=True)
        self.networks = self.networks[1:]

    def walk(self, coder):
        first, second = self.parts()
        decoded = coder.code(first, self.own)
        return tf.concat([decoded, self.code(coder, second, self.networks[0], [self.features(coder), decoded])], -1)


class FixedScale(Laplace):
    """One distribution for all numbers; the parameter that it takes is an offset."""

    parameters = 1

    def __call__(self, parameters):
        return self.of(parameters, tf.zeros_like(parameters) + self.scales.index_of(2.0))

    def start(self, deviations):
        return np.zeros(len(deviations), np.float32)


@sound(DEPTH)
class ConstantDistribution(lic.EntropyModel):
    """All numbers have one distribution, and there is nothing to learn but an unused prior, which is frozen."""

    def __init__(self, latent_depth, **kwargs):
        super().__init__(latent_depth, **kwargs)
        self.prior.trainable = False

    def walk(self, coder):
        zeros = coder.zeros
        return coder.code(EVERYTHING, self.likelihood.of(zeros, zeros + self.likelihood.scales.index_of(3.0)))


@sound()
class ScalesOfChannels(Halves):
    """A weight for each channel is its scale, and means come from the side information."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.networks = [Convolution(latent_depth, 1)]
        self.scale = self.add_weight(name="scale", shape=(latent_depth,), initializer="ones")

    def walk(self, coder):
        mean = self.networks[0](self.features(coder))
        return coder.code(
            EVERYTHING, self.likelihood.of(mean, tf.zeros_like(mean) + 10 * tf.convert_to_tensor(self.scale))
        )


@sound()
class AttentionInsideASlice(Halves):
    """Windows of two by two attend to themselves, in the features and the first half."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.queries = Convolution(8, 1)
        self.keys = Convolution(8, 1, bias=False)
        self.values = Convolution(8, 1)

    def code(self, coder, part, network, seen):
        seen = tf.concat([seen[0], tf.zeros_like(coder.zeros[..., :6]) if len(seen) == 1 else seen[1]], -1)
        query, key, value = (self._windows(layer(seen)) for layer in (self.queries, self.keys, self.values))
        mixed = tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * 0.3), value)
        height, width = tf.shape(seen)[1], tf.shape(seen)[2]
        rows, columns = (height + 1) // 2, (width + 1) // 2
        mixed = tf.reshape(mixed, (-1, rows, columns, 2, 2, 8))
        mixed = tf.reshape(tf.transpose(mixed, (0, 1, 3, 2, 4, 5)), (-1, 2 * rows, 2 * columns, 8))
        return super().code(coder, part, network, [mixed[:, :height, :width], seen])

    @staticmethod
    def _windows(values):
        height, width = tf.shape(values)[1], tf.shape(values)[2]
        values = tf.pad(values, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)])
        shape = (-1, (height + 1) // 2, 2, (width + 1) // 2, 2, 8)
        return tf.reshape(tf.transpose(tf.reshape(values, shape), (0, 1, 3, 2, 4, 5)), (-1, 4, 8))


@sound()
class Frozen(Halves):
    """The hyper transform and its prior are frozen."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.hyper.trainable = self.prior.trainable = False


@sound()
class ChannelAttention(Halves):
    """The second half's context is weighed by its own mean over the whole image, which the decoder has too."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.squeeze = keras.layers.Dense(latent_depth // 2, activation="sigmoid")

    def walk(self, coder):
        features = self.features(coder)
        first, second = self.parts()
        decoded = self.code(coder, first, self.networks[0], [features])
        seen = decoded * self.squeeze(tf.reduce_mean(decoded, (1, 2), keepdims=True))
        return tf.concat([decoded, self.code(coder, second, self.networks[1], [features, seen])], -1)


@sound()
class LossesAndConstraints(Halves):
    """A regulariser, a constraint, an added loss and a weight that is never trained."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.mixer = keras.layers.Dense(8, kernel_regularizer="l2", kernel_constraint="max_norm")
        self.fixed = self.add_weight(name="fixed", shape=(8,), initializer="ones", trainable=False)

    def features(self, coder):
        features = self.mixer(super().features(coder)) * tf.convert_to_tensor(self.fixed)
        return features


@sound()
class CheckerboardOfHalves(Halves):
    """Anchors and non-anchors of both halves: four parts inside each other."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.networks = [Convolution(latent_depth, 1) for _ in range(4)]
        self.contexts = [Convolution(4, 3) for _ in range(3)]

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        places = [(half, place()) for half in self.parts() for place in (anchors, non_anchors)]
        for number, (half, place) in enumerate(places):
            known = tf.concat([features, self.contexts[number - 1](y_hat)], -1) if number else features
            part = within(half, place)
            y_hat = part.put(y_hat, self.code(coder, part, self.networks[number], [place.take(known)]))
        return y_hat


class TwoScales(LocationScale):
    """Four parameters: a mean, a scale index, and two that move it."""

    parameters, deviation = 4, 1.0
    log_cdf, upper_tail = staticmethod(Normal.log_cdf), staticmethod(Normal.upper_tail)

    def __call__(self, parameters):
        mean, index, up, down = tf.split(parameters, 4, -1)
        return self.of(mean, index + 4 * tf.sigmoid(up) - 4 * tf.sigmoid(down))

    def start(self, deviations):
        mean_and_index = super().start(deviations)
        return np.concatenate([mean_and_index, np.zeros(2 * len(deviations), np.float32)])


@sound(likelihood=TwoScales(), name="FourParameters")
class _FourParameters(Hyperprior):
    """Hyperprior."""


class OneParameter(Laplace):
    """The scale index is the only parameter."""

    parameters = 1

    def __call__(self, parameters):
        return self.of(tf.zeros_like(parameters), parameters)

    def start(self, deviations):
        return super().start(deviations)[len(deviations) :]


@sound(likelihood=OneParameter(), name="OneParameter")
class _OneParameter(Hyperprior):
    """Hyperprior."""


class Stretched(Logistic, keras.layers.Layer):
    """A likelihood that learns one factor of all scales."""

    def __init__(self):
        keras.layers.Layer.__init__(self)
        Logistic.__init__(self, (8, 0.5, 32.0))
        self.stretch = self.add_weight(name="stretch", shape=(), initializer="ones")
        self.built = True

    def log_cdf(self, values):
        return tf.math.log_sigmoid(values * tf.convert_to_tensor(self.stretch))

    def upper_tail(self, value):
        return Logistic.upper_tail(value * float(tf.convert_to_tensor(self.stretch)))


@sound(likelihood=Stretched(), name="LearntLikelihood")
class _LearntLikelihood(Hyperprior):
    """Hyperprior."""


@sound(likelihood=FixedScale(), name="FixedScaleLikelihood")
class _FixedScale(Hyperprior):
    """Hyperprior."""


LIKELIHOODS = {"OneParameter": OneParameter, "Stretched": Stretched, "TwoScales": TwoScales}
