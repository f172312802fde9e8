"""RWKV blocks: attention over all positions, in time that grows with their number only.

Source: Duan et al., Vision-RWKV, ICLR 2025, whose recurrence over the positions runs in both directions; Yang et al.,
Restore-RWKV, 2024, for the shift; Feng et al., Linear Attention Modeling for Learned Image Compression, CVPR 2025,
section 3.2, as in their code.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.sequential import ChannelScale
from lic.layers.tracing import HasDerivedWeights

_CHUNK = 32  # Tokens of a chunk; within it a product with a triangular matrix is faster than a running sum.


class RWKVBlock(Layer):
    """Adds to its input a spatial mix and then a channel mix, each after a layer norm and with learnt weights.

    Args:
      filters: Number of channels, of input and output.
      expansion: How many times more channels there are inside the channel mix.
    """

    def __init__(self, filters: Count, expansion: Count = 4, **kwargs):
        super().__init__(**kwargs)
        self.first_norm, self.second_norm = (keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
        self.first_scale, self.second_scale = ChannelScale(), ChannelScale()
        self.first_shift, self.second_shift = OmniShift(), OmniShift()
        self.spatial_mix, self.channel_mix = SpatialMix(filters), ChannelMix(filters, expansion * filters)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        values += self.first_scale(self.spatial_mix(self.first_shift(self.first_norm(values))))
        return values + self.second_scale(self.channel_mix(self.second_shift(self.second_norm(values))))


class OmniShift(HasDerivedWeights, Layer):
    """A weighted sum of the input and of depthwise correlations of sizes 1, 3 and 5, computed as one of size 5.

    It starts as the identity.
    """

    def build(self, input_shape: tuple):
        self.kernels = []
        for size in (1, 3, 5):
            start, shape = keras.initializers.VarianceScaling(scale=1.0), (size, size, input_shape[-1], 1)
            weight = self.add_weight(name=f"kernel_{size}", shape=shape, initializer=start)
            self.kernels.append(weight)
        self.identity = self.add_weight(name="identity", shape=(), initializer="ones")
        self.shares = self.add_weight(name="shares", shape=(3,), initializer="zeros")
        super().build(input_shape)

    def derive(self) -> tf.Tensor:
        """Returns the kernel of all of them together [5, 5, channels, 1]."""
        shares, total = tf.unstack(tf.cast(self.shares, "float32")), 0.0
        for share, kernel in zip(shares, self.kernels):
            around = (5 - kernel.shape[0]) // 2
            total += share * tf.pad(tf.cast(kernel, "float32"), ((around, around), (around, around), (0, 0), (0, 0)))
        middle = tf.pad(tf.ones(self.kernels[0].shape), ((2, 2), (2, 2), (0, 0), (0, 0)))
        return total + tf.cast(self.identity, "float32") * middle

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Correlates values [batch, height, width, channels]."""
        return tf.nn.depthwise_conv2d(values, tf.cast(self.derived(), values.dtype), (1, 1, 1, 1), "SAME")


class SpatialMix(Layer):
    """Attention over all positions, gated by each position.

    Args:
      filters: Number of channels, of input and output.
    """

    def __init__(self, filters: Count, **kwargs):
        super().__init__(**kwargs)
        self.keys, self.values, self.projection = (Convolution(filters, 1, bias=False) for _ in range(3))
        self.gate = Convolution(filters, 1, bias=False, activation="sigmoid")
        self.attention = LinearAttention()

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return self.projection(self.gate(values) * self.attention([self.keys(values), self.values(values)]))


class ChannelMix(Layer):
    """A perceptron of each position with squares of ReLU inside, gated by its input.

    Args:
      filters: Number of channels, of input and output.
      hidden: Number of channels inside.
      kernel_initializer: Initialiser of the kernel of the last convolution.
    """

    def __init__(
        self,
        filters: Count,
        hidden: Count,
        kernel_initializer: str | keras.initializers.Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.expansion = Convolution(hidden, 1, bias=False, activation="relu")
        self.contraction = Convolution(filters, 1, bias=False, kernel_initializer=kernel_initializer)
        self.gate = Convolution(filters, 1, bias=False, activation="sigmoid")

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, filters] to as many."""
        return self.gate(values) * self.contraction(tf.square(self.expansion(values)))


class ChannelMixBlock(Layer):
    """A 1x1 convolution, and the channel mix of its layer norm, which is added.

    Args:
      filters: Number of channels of the output; twice as many are inside.
      kernel_initializer: Initialiser of the kernels from which the two summands come; with zeros both are zero.
      bias_initializer: Initialiser of the convolution's bias.
    """

    def __init__(
        self,
        filters: Count,
        kernel_initializer: str | keras.initializers.Initializer | None = None,
        bias_initializer: str | keras.initializers.Initializer = "zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        start = {"kernel_initializer": kernel_initializer}
        self.convolution = Convolution(filters, 1, bias_initializer=bias_initializer, **start)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.channel_mix = ChannelMix(filters, 2 * filters, **start)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to [..., filters]."""
        values = self.convolution(values)
        return values + self.channel_mix(self.norm(values))


class LinearAttention(Layer):
    """For each position and channel the mean of the values of all positions in raster order, weighted by their keys.

    The weight of a position is exp(key - (distance - 1) * decay / positions), that of a position for itself
    exp(key + boost / positions). So decay and boost have another reach in a map of another size. Both start at zero, so
    that all positions count alike but for their keys. A decay below -80 would overflow.

    Attributes:
      decay: How far weights fall over the whole map [channels].
      boost: What is added to the key of the position itself [channels].
    """

    def build(self, input_shape: list):
        shape = (input_shape[0][-1],)
        self.decay = self.add_weight(name="decay", shape=shape, initializer="zeros")
        self.boost = self.add_weight(name="boost", shape=shape, initializer="zeros")
        super().build(input_shape)

    def call(self, maps: list[tf.Tensor]) -> tf.Tensor:
        """Maps keys and values, both [batch, height, width, channels], to weighted means of the values."""
        shape, channels = tf.shape(maps[0]), maps[0].shape[-1]
        keys, values = (tf.reshape(tf.cast(each, "float32"), (shape[0], -1, channels)) for each in maps)
        count = tf.shape(keys)[1]
        # A position alone is its own mean, whatever these two are, but their exponentials may overflow.
        decay, boost = (tf.where(count > 1, tf.cast(each, "float32"), 0.0) for each in (self.decay, self.boost))
        slope, own = decay / tf.cast(count, "float32"), keys + boost / tf.cast(count, "float32")

        # A number that no exponent exceeds is taken out of all of them, which changes no mean.
        largest = tf.stop_gradient(tf.reduce_max(keys, 1, keepdims=True))
        weights = tf.exp(keys - largest)
        reference = tf.stop_gradient(tf.maximum(largest + tf.nn.relu(-decay), own))

        sums = _sums_of_others(tf.concat([weights * values, weights], -1), tf.concat([slope, slope], 0))
        total, weight = tf.split(sums, 2, -1)
        scale, own = tf.exp(largest - reference), tf.exp(own - reference)
        means = (scale * total + own * values) / (scale * weight + own)
        return tf.cast(tf.reshape(means, shape), maps[0].dtype)


def _sums_of_others(values: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Returns for each token the sum of all others, each times exp(-(distance - 1) * slope).

    Exponents within a chunk of tokens are small. Sums of chunks are of float64, so that exponents of a whole map fit.

    Args:
      values: The tokens [batch, count, channels], float32.
      slope: The slope of each channel [channels].
    """
    batch, count, channels = tf.unstack(tf.shape(values))
    size = tf.clip_by_value(count // 8, 1, _CHUNK)
    number = -(-count // size)
    chunks = tf.pad(values, ((0, 0), (0, number * size - count), (0, 0)))
    chunks = tf.reshape(chunks, (batch, number, size, channels))

    # Row n sums the first n tokens of a chunk, or all but these.
    is_before = tf.range(size + 1)[:, None] > tf.range(size)
    first, rest = tf.cast(is_before, "float32"), tf.cast(~is_before, "float32")
    rise, fall = _slopes(slope, size, 1)
    before = tf.matmul(first, chunks * rise[:-1]) * fall * tf.exp(slope)
    after = tf.matmul(rest, chunks * fall[:-1]) * rise

    between = tf.cast(slope, "float64") * tf.cast(size, "float64")
    rise, fall = _slopes(between, number, 0)
    ends, starts = (tf.cast(each, "float64") for each in (before[:, :, -1], after[:, :, 0]))
    earlier = tf.cumsum(ends * rise, 1, exclusive=True) * fall * tf.exp(between)
    later = tf.cumsum(starts * fall, 1, exclusive=True, reverse=True) * rise * tf.exp(between)
    earlier, later = (tf.cast(each, "float32")[:, :, None] for each in (earlier, later))

    place = tf.cast(tf.range(size), "float32")[:, None]
    fading = tf.exp(-place * slope)
    sums = before[:, :, :-1] + after[:, :, 1:] + earlier * fading + later * fading[::-1]
    return tf.reshape(sums, (batch, number * size, channels))[:, :count]


def _slopes(slope: tf.Tensor, count: tf.Tensor, more: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns exp(place * slope) and its inverse for places [count + more, channels] around the middle."""
    place = tf.cast(tf.range(count + more), slope.dtype) - tf.cast(count, slope.dtype) / 2
    return tf.exp(place[:, None] * slope), tf.exp(-place[:, None] * slope)
