"""Attention of a slice's support to a learnt dictionary of what latents look like.

Source: Lu, Zhang, Zhao, Wang, Gu, Learned Image Compression with Dictionary-based Entropy Model, CVPR 2025, section 3.1
and its code.
"""

from __future__ import annotations

from lic.argument_types import Count
from lic.environment import keras, tf
from lic.layers.activations import get
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.depthwise import DepthwiseConvolution
from lic.layers.sequential import ChannelScale, Sequential
from lic.layers.swin.gated import GatedPerceptron

HEAD_DIM = 32


class Dictionary(Layer):
    """The entries of a dictionary, which several layers share.

    Args:
      entries: Number of entries.
      width: Channels of each.
    """

    def __init__(self, entries: Count, width: Count, **kwargs):
        super().__init__(**kwargs)
        start = keras.initializers.TruncatedNormal(stddev=1.0)
        self.entries = self.add_weight(name="entries", shape=(entries, width), initializer=start)
        self.built = True  # It has no `call`.


class DictionaryAttention(Layer):
    """Concatenates its input with what each position finds in a dictionary.

    Args:
      dictionary: The dictionary; the heads have 32 of its channels each.
      filters: Number of channels that are added to the input.
    """

    def __init__(self, dictionary: Dictionary, filters: Count, **kwargs):
        super().__init__(**kwargs)
        self.dictionary = dictionary
        width = dictionary.entries.shape[1]
        self.heads = width // HEAD_DIM
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(4)]
        self.scales = [ChannelScale() for _ in range(3)]
        self.entrance, self.exit = Convolution(width, 1), Convolution(filters, 1)
        self.aggregation = MultiscaleAggregation(width)
        self.queries, self.keys, self.projection = (Convolution(width, 1) for _ in range(3))
        self.perceptron = GatedPerceptron(width)
        self.sharpness = self.add_weight(name="sharpness", shape=(self.heads,), initializer="ones")

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to [batch, height, width, channels + filters]."""
        of_input, of_queries, of_entries, of_result = self.norms
        first, second, third = self.scales
        inside = self.entrance(values)
        inside = self.aggregation(of_input(inside)) + first(inside)
        entries = of_entries(tf.convert_to_tensor(self.dictionary.entries)[None, None])
        found = self._attend(self.queries(of_queries(inside)), self.keys(entries), entries)
        found = self.projection(found) + second(inside)
        found = self.perceptron(of_result(found)) + third(found)
        return tf.concat([values, self.exit(found)], -1)

    def _attend(self, queries: tf.Tensor, keys: tf.Tensor, entries: tf.Tensor) -> tf.Tensor:
        """Returns what each query finds: the values are the entries themselves, unlike in most attention."""
        queries, keys, entries = (
            tf.reshape(each, (*tf.unstack(tf.shape(each))[:3], self.heads, HEAD_DIM))
            for each in (queries, keys, entries)
        )
        scores = tf.einsum("bhwnd,xyend->bhwne", queries, keys) * tf.reshape(self.sharpness, (-1, 1))
        found = tf.einsum("bhwne,xyend->bhwnd", tf.nn.softmax(scores), entries)
        return tf.reshape(found, (*tf.unstack(tf.shape(found))[:3], self.heads * HEAD_DIM))


class MultiscaleAggregation(Layer):
    """Joins a map with three that see ever further, each made of the one before, and weighs positions.

    Args:
      width: Number of channels, of input and output.
    """

    def __init__(self, width: Count, **kwargs):
        super().__init__(**kwargs)
        self.entrance, self.joined = Convolution(width, 1), Convolution(width, 1)
        self.steps = [
            Sequential(
                [
                    Convolution(width, 1, activation="gelu"),
                    DepthwiseConvolution(3, activation="gelu"),
                    Convolution(width, 1),
                ]
            )
            for _ in range(3)
        ]
        self.weights_of_positions = Convolution(1, 7, correlation=True, bias=False)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Maps values [batch, height, width, channels] to as many."""
        gelu, maps = get("gelu"), [self.entrance(values)]
        for step in self.steps:
            maps.append(step(gelu(maps[-1])))
        joined = self.joined(tf.concat(maps, -1))
        both = [tf.reduce_mean(joined, -1, keepdims=True), tf.reduce_max(joined, -1, keepdims=True)]
        return joined * tf.sigmoid(self.weights_of_positions(tf.concat(both, -1)))
