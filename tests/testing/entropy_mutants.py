"""Entropy models that are broken on purpose, each with the law that is to catch it."""

from typing import NamedTuple

import lic
from lic.entropy import EVERYTHING, Autoregressive, Decode, Encode, Estimate, channels, positions, union, within
from lic.entropy.charm import ChARM
from lic.entropy.checkerboard import Checkerboard
from lic.entropy.hyperprior import Hyperprior
from lic.entropy.parts import Part, anchors, non_anchors
from lic.environment import keras, tf
from lic.layers import Convolution

DEPTH = 12
MUTANTS = []


class Mutant(NamedTuple):
    make: type
    law: str
    options: dict


def caught_by(law, **options):
    def register(maker):
        MUTANTS.append(Mutant(maker, law, options))
        return maker

    return register


def hyper():
    from lic import registry

    sizes = {"latent_depth": DEPTH, "hyper_width": 8, "side_depth": 4, "features": 8}
    return registry.hyper_transforms.get("conv")(**sizes)


def latent_of(coder):
    """Returns the latent of the innermost coder, or zeros if it has none."""
    while hasattr(coder, "coder"):
        coder = coder.coder
    return coder.zeros if coder._latent.values is None else coder._latent.values


SAME = "estimating encoding and decoding are equal to the bit"
GRAPH = "they are equal in a graph that was traced once"
PARTITION = "parts partition the latent"
LATER = "no part depends on a later one"
REAL = "real bits are near the estimate"
SLICES = {"num_slices": 3, "slice_widths": (8,), "kernel_sizes": (3, 3)}


class Halves(lic.EntropyModel):
    """Two halves of the channels, of which the second sees the first; the mutants below start from this model."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.networks = [Convolution(latent_depth, 3) for _ in range(2)]

    def parts(self):
        half = self.latent_depth // 2
        return channels(0, half), channels(half, self.latent_depth)

    def code(self, coder, part, network, seen):
        return coder.code(part, self.likelihood.of(*self.parameters(coder, network(tf.concat(seen, -1)))))

    def parameters(self, coder, parameters):
        mean, index = tf.split(parameters, 2, -1)
        return mean, index + self.likelihood.scales.index_of(1.0)

    def walk(self, coder):
        features = self.features(coder)
        first, second = self.parts()
        decoded = self.code(coder, first, self.networks[0], [features])
        return tf.concat([decoded, self.code(coder, second, self.networks[1], [features, decoded])], -1)

    def features(self, coder):
        return coder.side(self.hyper, self.prior)


@caught_by(None)
class Sound(Halves):
    """No mutant: the model that they all start from keeps every law."""


@caught_by(LATER)
class LeaksTheFuture(Halves):
    """The first half sees the second if the coder has a latent."""

    def features(self, coder):
        features = super().features(coder)
        latent = latent_of(coder)
        return features + tf.reduce_mean(latent[..., self.latent_depth // 2 :], -1, keepdims=True)


@caught_by(LATER, **SLICES)
class SeesItself(ChARM):
    """A slice sees its own rounded numbers."""

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        decoded = []
        for networks in self.slices:
            own = channels(*networks.part).take(latent_of(coder))
            seen = 0.1 * tf.reduce_sum(tf.round(own), -1, keepdims=True)
            support = tf.concat([features + seen, *decoded], -1)
            decoded.append(networks.code(coder, support, support))
        return tf.concat(decoded, -1)


@caught_by(SAME)
class ReadsTheLatent(Halves):
    """It takes a shortcut to the latent, which the decoder does not have, and cannot run without it."""

    def features(self, coder):
        return super().features(coder) + 0.0 * tf.reduce_sum(coder._latent.values)


@caught_by("a call changes no variable")
class WritesAVariable(Halves):
    """It counts its calls."""

    def __init__(self, latent_depth, hyper):
        super().__init__(latent_depth, hyper)
        self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)

    def features(self, coder):
        self.calls.assign_add(1.0)
        return super().features(coder)


@caught_by(SAME, residual=True)
class ForgetsTheResidualWhenDecoding(Hyperprior):
    """Latent residual prediction is left out in one walk."""

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        y_hat = coder.code(EVERYTHING, self.likelihood(self.parameters(features)))
        return y_hat if isinstance(coder, Decode) else y_hat + self.residual(features)


@caught_by(SAME, **SLICES)
class WrongOrderOfSlices(ChARM):
    """Slices are encoded from the last one on."""

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        order = self.slices[::-1] if isinstance(coder, Encode) else self.slices
        decoded = [networks.code(coder, features, features) for networks in order]
        return tf.concat(decoded[::-1] if isinstance(coder, Encode) else decoded, -1)


@caught_by(PARTITION)
class SlicesOverlap(Halves):
    """An index is off by one, and a channel is in both halves."""

    def parts(self):
        half = self.latent_depth // 2
        return channels(0, half), channels(half - 1, self.latent_depth - 1)


@caught_by(PARTITION)
class MaskIsOffAtOddWidths(Checkerboard):
    """Anchors are every second number in raster order, which is a checkerboard at odd widths only."""

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        first, second = _every_second(), non_anchors()
        parameters = self.parameters_of(first.take(features))
        y_hat = first.put(coder.zeros, coder.code(first, self.likelihood(parameters)))
        parameters = self.parameters_of(second.take(features), second.take(self.context(y_hat)))
        return second.put(y_hat, coder.code(second, self.likelihood(parameters)))


def _every_second():
    def take(latent):
        shape = tf.shape(latent)
        flat = tf.reshape(latent, (shape[0], 1, shape[1] * shape[2], latent.shape[-1]))
        return flat[:, :, 1::2]

    return Part("every second", take, anchors().put)


@caught_by(PARTITION)
class PutTurnsNumbersAround(Halves):
    """The numbers that it puts are not those that it took."""

    def parts(self):
        first, second = super().parts()
        return first, second._replace(put=lambda latent, values: second.put(latent, values[..., ::-1]))


@caught_by(REAL)
class EstimatesWithAnotherIndex(Halves):
    """The estimate uses the real index, and the coder an index that is truncated and lower."""

    def parameters(self, coder, parameters):
        mean, index = super().parameters(coder, parameters)
        return mean, index if isinstance(coder, Estimate) else tf.floor(index - 8)


@caught_by("configuration and weights make it anew", gain=0.5)
class BrokenConfiguration(Halves):
    """An argument is lost."""

    def __init__(self, latent_depth, hyper, gain=1.0):
        super().__init__(latent_depth, hyper)
        self.gain = gain

    def features(self, coder):
        return super().features(coder) * self.gain

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name != "gain"}


@caught_by("the same latent gives the same every time")
class KeepsState(Halves):
    """Its result depends on the latent before."""

    def features(self, coder):
        features = super().features(coder)
        before = self.__dict__.get("before", 0.0)
        self.__dict__["before"] = tf.reduce_mean(features)
        return features + before


@caught_by("it stays in float32 under mixed precision")
class ComputesInThePolicy(Halves):
    """Its layers follow the policy."""

    def build(self, input_shape):
        """Leaves layers as they are."""


@caught_by("images of a batch do not mix")
class MixesTheBatch(Halves):
    """Features are normalised over the batch."""

    def features(self, coder):
        features = super().features(coder)
        return features - tf.reduce_mean(features, 0, keepdims=True) + 0.1 * features


@caught_by("gradients reach every variable")
class HasADeadNetwork(Halves):
    """One network is never used."""

    def __init__(self, latent_depth, hyper):
        super().__init__(latent_depth, hyper)
        self.dead = self.add_weight(name="dead", shape=(3,), initializer="ones")


@caught_by("gradients reach every variable")
class StopsGradients(Halves):
    """No gradient comes back to the hyper transform."""

    def features(self, coder):
        return tf.stop_gradient(super().features(coder))


@caught_by("the same latent gives the same every time")
class IsRandom(Halves):
    """Dropout is left on."""

    def features(self, coder):
        return tf.nn.dropout(super().features(coder), 0.5)


@caught_by("cost grows no faster than positions")
class LooksAtAllPairs(Halves):
    """Every position attends to every other."""

    def features(self, coder):
        features = super().features(coder)
        shape = tf.shape(features)
        tokens = tf.reshape(features, (shape[0], shape[1] * shape[2], features.shape[-1]))
        scores = tf.nn.softmax(tf.matmul(tokens, tokens, transpose_b=True))
        return tf.ensure_shape(tf.reshape(tf.matmul(scores, tokens), shape), features.shape)


@caught_by("a graph holds the walk")
class NeedsToKnowTheSize(Halves):
    """It runs if sizes are known numbers, and not in a graph for all sizes."""

    def features(self, coder):
        features = super().features(coder)
        height, width = (int(size) for size in features.shape[1:3])
        return features + tf.zeros((1, height, width, 1))


@caught_by(GRAPH)
class ComputesOtherwiseInAGraph(Halves):
    """Its features are others inside a graph, as those of a layer that a graph rewrites."""

    def features(self, coder):
        return super().features(coder) * (1.0 if tf.executing_eagerly() else 1.01)


@caught_by(SAME)
class LimitsWhatItDecodes(Halves):
    """What it decodes is limited, and only latents far out show it."""

    def walk(self, coder):
        y_hat = super().walk(coder)
        return tf.clip_by_value(y_hat, -1e4, 1e4) if isinstance(coder, Decode) else y_hat


@caught_by("rounding moves nothing by more than a step")
class PredictsWithoutALimit(Halves):
    """A network adds up to three steps to the decoded numbers."""

    def __init__(self, latent_depth, hyper):
        super().__init__(latent_depth, hyper)
        self.prediction = Convolution(latent_depth, 1)

    def walk(self, coder):
        y_hat = super().walk(coder)
        return y_hat + 3 * tf.tanh(self.prediction(y_hat))


@caught_by("the same latent gives the same every time")
class RemembersTheLastWidth(Halves):
    """It is tuned to the width of the latent before, in any of its copies."""

    width = 0

    def features(self, coder):
        before, RemembersTheLastWidth.width = RemembersTheLastWidth.width, coder.zeros.shape[2]
        return super().features(coder) * (1.1 if before == 11 else 1.0)


@caught_by("all bits are named and positive")
class KeepsAnAxisOfItsBits(Halves):
    """Its bits have an axis too many."""

    def call(self, latent, training=False, walk=None):
        estimated = super().call(latent, training, walk)
        return estimated._replace(bits={name: bits[:, None] for name, bits in estimated.bits.items()})


@caught_by("configuration and weights make it anew")
class ChangesItsConfiguration(Halves):
    """What its configuration holds is changed once more in each copy."""

    def __init__(self, latent_depth, hyper, label="part", **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.label = label

    def get_config(self):
        return super().get_config() | {"label": self.label + "s"}


@caught_by("rounding moves nothing by more than a step")
class ReturnsTooMuch(Halves):
    """The residual is added without a limit."""

    def walk(self, coder):
        return super().walk(coder) + 3.0


@caught_by("all bits are named and positive")
class ReportsNegativeBits(Halves):
    """It returns negative bits."""

    def call(self, latent, training=False, walk=None):
        estimated = super().call(latent, training, walk)
        return estimated._replace(bits={name: bits - 1e6 for name, bits in estimated.bits.items()})


@caught_by("gradients reach every variable", fusion="add", parameter_widths=(10,), context_width=8)
class RoundsWithoutAGradient(Checkerboard):
    """Anchors are rounded once more on their way into the context."""

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        first, second = anchors(), non_anchors()
        y_hat = first.put(coder.zeros, coder.code(first, self.likelihood(self.parameters_of(first.take(features)))))
        context = tf.round(second.take(self.context(tf.round(y_hat))))
        parameters = self.parameters_of(second.take(features), context)
        return second.put(y_hat, coder.code(second, self.likelihood(parameters)))


def is_training(coder):
    while hasattr(coder, "coder"):
        coder = coder.coder
    return getattr(coder, "training", False)


@caught_by(LATER)
class LeaksTheFutureInTraining(LeaksTheFuture):
    """In training the first half sees the second."""

    def features(self, coder):
        return super().features(coder) if is_training(coder) else coder.side(self.hyper, self.prior)


@caught_by(LATER)
class LeaksLargeNumbersInTraining(Halves):
    """In training the first half sees the second, if that is far from zero on average."""

    def features(self, coder):
        features = super().features(coder)
        mean = tf.reduce_mean(latent_of(coder)[..., self.latent_depth // 2 :])
        return features + tf.nn.relu(mean - 2) if is_training(coder) else features


@caught_by("training sees what coding sees")
class LearnsFromNumbersThatAreNotRounded(Halves):
    """In training the second half sees the first as it was before it was rounded."""

    def walk(self, coder):
        features = self.features(coder)
        first, second = self.parts()
        decoded = self.code(coder, first, self.networks[0], [features])
        seen = first.take(latent_of(coder)) if is_training(coder) else decoded
        return tf.concat([decoded, self.code(coder, second, self.networks[1], [features, seen])], -1)


@caught_by(PARTITION)
class DropsTheNinthRow(Halves):
    """It codes the first eight rows only, which is all that a small latent has."""

    def parts(self):
        half = self.latent_depth // 2
        return (_first_rows(channels(0, half)), _first_rows(channels(half, self.latent_depth)))

    def walk(self, coder):
        first, second = self.parts()
        features = self.features(coder)
        y_hat = first.put(coder.zeros, self.code(coder, first, self.networks[0], [features[:, :8]]))
        seen = [features[:, :8], y_hat[:, :8, :, : self.latent_depth // 2]]
        return second.put(y_hat, self.code(coder, second, self.networks[1], seen))


def _first_rows(part):
    def put(values, numbers):
        missing = tf.shape(values)[1] - tf.shape(numbers)[1]
        return part.put(values, tf.pad(numbers, [(0, 0), (0, missing), (0, 0), (0, 0)]))

    return Part(f"the first rows of {part.name}", lambda values: part.take(values)[:, :8], put)


@caught_by("rounding moves nothing by more than a step")
class MovesByMoreThanHalfAStep(Halves):
    """It adds a little more than latent residual prediction may."""

    def walk(self, coder):
        return super().walk(coder) + 0.6


@caught_by("rounding moves nothing by more than a step")
class BlanksFarRows(Halves):
    """It codes all numbers, and returns zeros from the 17th row on, in all three walks."""

    def walk(self, coder):
        y_hat = super().walk(coder)
        return tf.where((tf.range(tf.shape(y_hat)[1]) < 16)[:, None, None], y_hat, 0.0)


@caught_by("a number is moved by a prediction only")
class ShiftsEveryNumber(Halves):
    """It adds a constant, as a wrong offset would."""

    def walk(self, coder):
        return super().walk(coder) + 0.3


@caught_by("a call is the walk")
class CallsAnotherWalk(Halves):
    """Its call, by which it is trained, returns another latent than its walk."""

    def call(self, latent, training=False, walk=None):
        estimated = super().call(latent, training, walk)
        return estimated._replace(y_hat=0.9 * estimated.y_hat)


@caught_by("gradients reach the latent")
class StopsTheGradient(Halves):
    """No analysis could learn from it."""

    def call(self, latent, training=False, walk=None):
        return super().call(tf.stop_gradient(latent), training, walk)


@caught_by("another process codes the same")
class WalksOverASet(Halves):
    """It codes its parts in the order of a set of their names, which differs from process to process."""

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        bounds = {f"channel {number}": (number, number + 1) for number in range(self.latent_depth)}
        mean, index = self.parameters(coder, tf.concat([network(features) for network in self.networks], -1))
        for name in set(bounds):
            part = channels(*bounds[name])
            y_hat = part.put(y_hat, coder.code(part, self.likelihood.of(part.take(mean), part.take(index))))
        return y_hat


@caught_by(LATER, context_width=8, parameter_widths=(8,), training_context="rounded")
class WavefrontIsAStepTooEarly(Autoregressive):
    """Codes positions together of which one sees the other: training has numbers that coding does not have yet."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.order = self.order._replace(step_of=lambda row, column: column + 2 * row)


@caught_by(PARTITION)
class UnionOverlaps(Halves):
    """Codes some numbers twice, in unions of positions within halves of the channels."""

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        lower, upper = self.parts()
        mean, index = self.parameters(coder, tf.concat([network(features) for network in self.networks], -1))
        for one, other in ((0, 1), (1, 0)):
            part = union("union", within(lower, _at_least(one)), within(upper, _at_least(other)))
            y_hat = part.put(y_hat, coder.code(part, self.likelihood.of(part.take(mean), part.take(index))))
        return y_hat


def _at_least(parity):
    return positions(f"at least {parity}", lambda row, column: (row + column) % 2 >= parity)


def make(mutant):
    """Returns the mutant, with its variables."""
    model = mutant.make(DEPTH, hyper(), **mutant.options)
    assert isinstance(model, keras.layers.Layer)
    return model
