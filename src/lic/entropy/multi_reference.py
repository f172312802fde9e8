"""Slices in two checkerboard passes, with attention to neighbours, to whole slices and to all slices before.

Source: Jiang, Yang, Zhai, Ning, Gao, Wang, MLIC: Multi-Reference Entropy Model for Learned Image Compression, ACM
Multimedia 2023; Jiang, Yang, Zhai, Gao, Wang, MLIC++: Linear Complexity Multi-Reference Entropy Modeling for Learned
Image Compression, ACM TOMM 2025, as in their code of 2024.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from lic.argument_types import Count, WindowSize
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.parameters import StartAt, convolutions
from lic.entropy.parts import anchors, channels, non_anchors, runs_of, within
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.depthwise import DepthwiseConvolution
from lic.layers.sequential import Sequential
from lic.layers.swin.window_attention import bias_of_positions
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform

_APART = -100.0  # Added to the score of two positions of which one is not known, as in the published code.


@register_entropy_model("multi-reference")
class MultiReference(EntropyModel):
    """Codes slices of channels in order, and in each slice the anchors, then the non-anchors.

    Anchors see the features and, by convolutions and by attention over all positions, the slices before. Non-anchors
    also see the anchors around them, and those of the whole slice as far as the slice before resembles them. Latent
    residual prediction follows each pass; of the features it sees the second half, which stands for means.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      num_slices: Number of slices; their depths differ by at most one channel.
      context_size: Height and width of the neighbourhood that non-anchors see, odd.
      parameter_widths: Inner channels of the networks that give the parameters.
      channel_widths: Channels of the layers of the network on the slices before.
      residual_widths: Inner channels of latent residual prediction.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: There are more slices than channels, or `context_size` is even.
    """

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        num_slices: Count = 10,
        context_size: Count = 5,
        parameter_widths: tuple[Count, ...] = (320, 256, 128),
        channel_widths: tuple[Count, ...] = (192, 128, 128),
        residual_widths: tuple[Count, ...] = (224, 128),
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        fits = num_slices <= latent_depth
        self._check("num_slices", fits, f"1 to latent_depth ({latent_depth})", num_slices)
        self._check("context_size", context_size % 2 == 1, "odd", context_size)
        even = hyper.features % 2 == 0
        self._check("the hyper transform's features", even, "of an even number of channels", hyper.features)
        bounds, self.slices = runs_of(latent_depth, num_slices), []
        for number, (first, stop) in enumerate(itertools.pairwise(bounds)):
            widths = (*parameter_widths, self.likelihood.parameters * (stop - first))
            networks = ReferenceNetworks(
                bounds[: number + 2],
                context_size,
                widths,
                self.start_bias(stop - first),
                channel_widths,
                residual_widths,
            )
            self.slices.append(networks)

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then slice after slice."""
        features = coder.side(self.hyper, self.prior)
        means, known, previous = tf.split(features, 2, -1)[1], [], None
        for networks in self.slices:
            part = channels(*networks.part)
            support = networks.support(features, known)
            first, second = within(part, anchors()), within(part, non_anchors())
            parameters = networks.anchor_parameters(anchors().take(support))
            decoded = coder.code(first, self.likelihood(parameters))
            current = anchors().put(part.take(coder.zeros), decoded)
            correction = networks.anchor_residual(tf.concat([means, *known, current], -1))
            current = anchors().put(current, decoded + anchors().take(correction))
            context = non_anchors().take(networks.context(support, current, previous))
            decoded = coder.code(second, self.likelihood(networks.parameters(context)))
            current = non_anchors().put(current, decoded)
            correction = networks.residual(tf.concat([means, *known, current], -1))
            current = non_anchors().put(current, decoded + non_anchors().take(correction))
            known, previous = [*known, current], current
        return tf.concat(known, -1)

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        networks = [(getattr(each, name), each) for each in self.slices for name in ("anchor_parameters", "parameters")]
        return [(network.layers[-1], *each.part) for network, each in networks]


class ReferenceNetworks(Layer):
    """The networks of one slice.

    Args:
      bounds: The first channel of each slice up to this one, and the channel after its last.
      window: Height and width of the neighbourhood that non-anchors see.
      widths: Channels of the layers of the networks that give the parameters.
      start: The initialiser of their last bias.
      channel_widths: Channels of the layers of the network on the slices before.
      residual_widths: Inner channels of latent residual prediction.

    Attributes:
      part: First channel of the slice, and the channel after its last.
      inter: Attention to the slices before, or None in the first slice.
      channel: Convolutions of the slices before, or None in the first slice.
      intra: Attention to the anchors of the whole slice, or None in the first slice.
      local: Attention to the anchors around each non-anchor.
    """

    def __init__(
        self,
        bounds: list[int],
        window: WindowSize,
        widths: tuple[int, ...],
        start: StartAt,
        channel_widths: tuple[int, ...],
        residual_widths: tuple[int, ...],
        **kwargs,
    ):
        super().__init__(**kwargs)
        *_, first, stop = bounds
        self.part, depth = (first, stop), stop - first
        sizes = (3,) * (len(residual_widths) + 1)
        last = {"bias_initializer": start}
        self.anchor_parameters = convolutions(widths, (1,) * len(widths), "gelu", **last)
        self.parameters = convolutions(widths, (1,) * len(widths), "gelu", **last)
        self.anchor_residual = LatentResidualPrediction(depth, residual_widths, sizes, "gelu")
        self.residual = LatentResidualPrediction(depth, residual_widths, sizes, "gelu")
        self.local, self.inter, self.channel, self.intra = LocalContext(depth, window), None, None, None
        if first:
            self.inter = InterContext(first, len(bounds) - 2, depth)
            self.intra = IntraContext(depth, first - bounds[-3])
            self.channel = convolutions(channel_widths, (3,) * len(channel_widths), "gelu")
        self.built = True  # It has no `call`; the layers inside build themselves when they are called.

    def support(self, features: tf.Tensor, known: list[tf.Tensor]) -> tf.Tensor:
        """Returns what both passes see: contexts of the slices before, and the features."""
        if not known:
            return features
        before = tf.concat(known, -1)
        return tf.concat([self.inter(before), self.channel(before), features], -1)

    def context(self, support: tf.Tensor, current: tf.Tensor, previous: tf.Tensor | None) -> tf.Tensor:
        """Returns what the second pass sees.

        Args:
          support: The result of `support`.
          current: This slice with its anchors, and zeros elsewhere.
          previous: The slice before, or None.
        """
        intra = [self.intra([previous, current])] if self.intra else []
        return tf.concat([self.local(current), *intra, support], -1)


class _Global(Layer):
    """Base of attention over all positions, in time that grows with their number only.

    Args:
      heads: Number of heads.
      inputs: Channels of keys and queries.
      values: Channels of the values.
      inner: Channels that the result of attention is projected to.
      depth: Channels of a slice; the result has twice as many.
    """

    def __init__(self, heads: int, inputs: int, values: int, inner: int, depth: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.keys, self.queries, self.values = (
            Sequential([Convolution(width, 1), DepthwiseConvolution(3)]) for width in (inputs, inputs, values)
        )
        self.projection = Convolution(inner, 5, correlation=True)
        hidden = [Convolution(4 * depth, 1, activation="gelu"), DepthwiseConvolution(3, activation="gelu")]
        self.perceptron = Sequential([*hidden, Convolution(2 * depth, 1)])

    def attend(self, keys: tf.Tensor, queries: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """Returns the values that each query attends to [batch, queries, heads, channels].

        Keys are normalised over positions and queries over channels, so that keys and values are multiplied first.

        Args:
          keys: The keys [batch, height, width, channels].
          queries: The queries, likewise at any positions.
          values: The values at the positions of the keys.
        """
        keys, queries, values = (self._in_heads(each) for each in (keys, queries, values))
        together = tf.einsum("bnhk,bnhv->bhkv", tf.nn.softmax(keys, 1), values)
        return tf.einsum("bhkv,bnhk->bnhv", together, tf.nn.softmax(queries, -1))

    def _in_heads(self, values: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(values)
        return tf.reshape(values, (shape[0], shape[1] * shape[2], self.heads, values.shape[-1] // self.heads))


class InterContext(_Global):
    """The context of the slices before: each head attends to all positions of one of them.

    Args:
      inputs: Channels of the slices before.
      count: Their number.
      depth: Channels of the slice.
    """

    def __init__(self, inputs: int, count: int, depth: int, **kwargs):
        super().__init__(math.gcd(inputs, count), inputs, inputs, 3 * depth, depth, **kwargs)
        self.skip = Convolution(2 * depth, 1)

    def call(self, before: tf.Tensor) -> tf.Tensor:
        """Maps the slices before [batch, height, width, inputs] to a context [..., 2 * depth]."""
        seen = self.attend(self.keys(before), self.queries(before), self.values(before))
        projected = self.projection(tf.reshape(seen, tf.shape(before)))
        return self.skip(projected) + self.perceptron(projected)


class IntraContext(_Global):
    """The context of the anchors of a whole slice, to which non-anchors attend as far as the slice before is alike.

    Args:
      depth: Channels of the slice.
      previous: Channels of the slice before.
    """

    def __init__(self, depth: int, previous: int, **kwargs):
        # A head of one channel would have no effect: its queries are normalised over channels.
        heads = 2 if depth % 4 == previous % 4 == 0 else 1
        super().__init__(heads, previous, depth, 2 * depth, depth, **kwargs)

    def call(self, slices: list[tf.Tensor]) -> tf.Tensor:
        """Maps the slice before and this slice's anchors [batch, height, width, channels] to [..., 2 * depth].

        Args:
          slices: The slice before, and this slice with zeros at non-anchors.
        """
        previous, current = slices
        first, second, zeros = anchors(), non_anchors(), tf.zeros_like(previous)
        keys = first.take(self.keys(first.put(zeros, first.take(previous))))
        queries = second.take(self.queries(second.put(zeros, second.take(previous))))
        seen = self.attend(keys, queries, first.take(self.values(current)))
        shape = (*tf.unstack(tf.shape(queries))[:3], current.shape[-1])
        seen = second.put(tf.zeros_like(current), tf.reshape(seen, shape))
        projected = self.projection(seen)
        return projected + self.perceptron(projected)


class LocalContext(Layer):
    """The context of the anchors in the neighbourhood of each position, which attend to each other there.

    Args:
      depth: Channels of the slice.
      window: Height and width of the neighbourhood, odd.
    """

    def __init__(self, depth: Count, window: WindowSize, **kwargs):
        super().__init__(**kwargs)
        self.depth, self.window, self.heads = depth, window, math.gcd(depth, 2)
        start = keras.initializers.TruncatedNormal(stddev=0.02)
        self.position_bias = self.add_weight(
            name="position_bias", shape=((2 * window - 1) ** 2, self.heads), initializer=start
        )
        self.first_norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.attention = Convolution(3 * depth, 1)
        self.fusion = Convolution(2 * depth, 1)  # Of all positions of a neighbourhood, side by side.
        self.projection = Convolution(2 * depth, 1)
        self.second_norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.perceptron = Sequential([Convolution(4 * depth, 1, activation="gelu"), Convolution(2 * depth, 1)])

    def call(self, current: tf.Tensor) -> tf.Tensor:
        """Maps a slice's anchors [batch, height, width, depth], zeros elsewhere, to a context [..., 2 * depth]."""
        batch, height, width, _ = tf.unstack(tf.shape(current))
        count, size = self.window**2, (self.depth // self.heads, self.heads)
        around = self._around(self.attention(self.first_norm(current)))
        # The published code has the heads as last axis of each of the three here.
        around = tf.reshape(around, (batch, height * width, count, 3, *size))
        queries, keys, values = tf.unstack(around, axis=3)
        known = tf.reshape(self._known(height, width), (1, height * width, 1, count))
        together = tf.cast(known & tf.transpose(known, (0, 1, 3, 2)), "float32")
        bias = bias_of_positions(tf.convert_to_tensor(self.position_bias), self.window)
        scores = tf.einsum("bpqdh,bpkdh->bphqk", queries * size[0] ** -0.5, keys)
        scores += bias + (1 - together[:, :, None]) * _APART
        seen = tf.einsum("bphqk,bpkdh->bpqhd", tf.nn.softmax(scores), values)
        seen = tf.reshape(seen, (batch, height, width, count * self.depth))
        values = self.projection(self.fusion(seen))
        return values + self.perceptron(self.second_norm(values))

    def _around(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the values around each position [batch, height, width, window ** 2 * channels], zeros outside."""
        sizes = (1, self.window, self.window, 1)
        return tf.image.extract_patches(values, sizes, (1, 1, 1, 1), (1, 1, 1, 1), "SAME")

    def _known(self, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        """Returns whether each position around a position is an anchor inside the latent."""
        reach = np.arange(self.window) - self.window // 2
        rows = tf.range(height)[:, None] + reach
        columns = tf.range(width)[:, None] + reach
        inside = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[None, :, None]
        return inside & ((rows[:, None, :, None] + columns[None, :, None]) % 2 == 1)
