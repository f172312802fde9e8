"""Channel-wise autoregression: the latent in slices of channels (Minnen and Singh, ICIP 2020)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.coders.base import Coder
from lic.entropy.dictionary import HEAD_DIM, Dictionary, DictionaryAttention
from lic.entropy.distributions.base import Likelihood
from lic.entropy.parameters import StartAt, convolutions
from lic.entropy.parts import channels, runs_of
from lic.entropy.residual import LatentResidualPrediction
from lic.environment import keras, tf
from lic.layers.attention import AttentionBlock
from lic.layers.base import Layer
from lic.layers.swin.stages import SwinStage
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform


@register_entropy_model("charm")
class ChARM(EntropyModel):
    """Codes slices of channels in order, each with parameters from the features and the slices before it.

    Source: Minnen and Singh, Channel-wise Autoregressive Entropy Models for Learned Image Compression, ICIP 2020.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      num_slices: Number of slices where `slice_depths` is None; their depths differ by at most one channel.
      max_support: Number of leading slices that each later slice has as support; None for all.
      slice_widths: Inner channels of the slice networks, for all slices or a tuple for each.
      kernel_sizes: Kernel sizes of the slice networks.
      feature_support: The features that the networks see. "all": all of them; "halves": the networks for means see the
        first half, those for scale indexes the second, as in ms2020; "own": they see only the slice's own channels of
        these halves, as in SwinT-ChARM, where each half is as deep as the latent.
      residual: Whether latent residual prediction refines each slice before the next one is coded.
      slice_depths: Channels of each slice, or None.
      slice_activation: Name of the activation between the layers of the slice networks.
      support_attention: Channels inside the attention blocks, with windows of 8x8 positions, through which each network
        sees its support, as in TCM; None for no such blocks.
      dictionary: Number of entries of a learnt dictionary that each slice attends to, as in DCAE; None for none.
      dictionary_width: Channels of each entry, a multiple of 32.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: There are more slices than channels, not as many widths as slices, or `slice_depths` do not add up to
        `latent_depth`.
    """

    added_arguments: ClassVar[Mapping[str, Any]] = {
        "slice_depths": None,
        "slice_activation": "relu",
        "support_attention": None,
        "dictionary": None,
        "dictionary_width": 640,
    }

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        num_slices: Count = 10,
        max_support: int | None = None,
        slice_widths: Sequence[Count] | Sequence[Sequence[Count]] = (224, 128),
        kernel_sizes: Sequence[Count] = (5, 5, 3),
        feature_support: Literal["all", "halves", "own"] = "all",
        residual: bool = False,
        slice_depths: Sequence[Count] | None = None,
        slice_activation: str = "relu",
        support_attention: Count | None = None,
        dictionary: Count | None = None,
        dictionary_width: Count = 640,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        if slice_depths is None:
            fits = 1 <= num_slices <= latent_depth
            self._check("num_slices", fits, f"1 to latent_depth ({latent_depth})", num_slices)
            bounds = runs_of(latent_depth, num_slices)
        else:
            fits = sum(slice_depths) == latent_depth
            self._check("slice_depths", fits, f"numbers that add up to latent_depth={latent_depth}", slice_depths)
            bounds, num_slices = [0, *itertools.accumulate(slice_depths)], len(slice_depths)
        self._check(
            "max_support",
            max_support is None or max_support >= 0,
            "None or at least 0",
            max_support,
        )
        several = bool(slice_widths) and isinstance(slice_widths[0], Sequence)
        widths = list(slice_widths) if several else [slice_widths] * num_slices
        self._check("slice_widths", len(widths) == num_slices, f"one tuple, or {num_slices}", slice_widths)
        layers = len(kernel_sizes) - 1
        fits = all(len(each) == layers for each in widths)
        self._check("slice_widths", fits, f"{layers} widths, one fewer than kernel_sizes", slice_widths)
        features = {"halves": hyper.features // 2 * 2, "own": 2 * latent_depth}.get(feature_support, hyper.features)
        expected = f"of {features} channels for feature_support={feature_support!r}"
        self._check("the hyper transform's features", hyper.features == features, expected, hyper.features)
        self.max_support, self.feature_support = max_support, feature_support
        self.support_attention, self._bounds = support_attention, bounds
        fits = dictionary is None or (feature_support == "all" and not support_attention)
        self._check("dictionary", fits, "None, or feature_support to be 'all' without support_attention", dictionary)
        fits = dictionary_width % HEAD_DIM == 0
        self._check("dictionary_width", fits, f"a multiple of {HEAD_DIM}", dictionary_width)
        self.dictionary = None if dictionary is None else Dictionary(dictionary, dictionary_width)
        self.slices = [
            SliceNetworks(
                *bound,
                tuple(inner),
                tuple(kernel_sizes),
                self.likelihood,
                residual,
                slice_activation,
                self._contexts(number),
            )
            for number, (bound, inner) in enumerate(zip(itertools.pairwise(bounds), widths))
        ]

    def context(self, number: int, first: bool) -> keras.layers.Layer | None:
        """Returns the layer through which a slice sees its support, or None for the support itself.

        A subclass may give each slice a context network of its own, such as attention, or return one layer for several
        slices, which then share it. The constructor of `ChARM` calls this method.

        Args:
          number: The number of the slice.
          first: Whether the layer is for the network of the first parameter, the mean, and for latent residual
            prediction; otherwise it is for the network of the other parameters.
        """
        if not self.support_attention:
            return None
        depth = self._bounds[number + 1] - self._bounds[number]
        features = {"all": self.hyper.features, "halves": self.hyper.features // 2, "own": depth}[self.feature_support]
        before = self._bounds[number if self.max_support is None else min(number, self.max_support)]
        width = self.support_attention
        windows = SwinStage(width, 2, window=8, head_dim=math.gcd(width, 16))
        return AttentionBlock(features + before, before=windows, width=width)

    def _contexts(self, number: int) -> list[keras.layers.Layer | None]:
        """Returns the layers through which a slice sees its support: for means, and for the other parameters."""
        if self.dictionary:  # Both see the same features, so that one layer serves both.
            return [DictionaryAttention(self.dictionary, self.latent_depth)] * 2
        return [self.context(number, first) for first in (True, False)]

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then slice after slice."""
        features = coder.side(self.hyper, self.prior)
        decoded = []
        for networks in self.slices:
            # The support of a slice is its features and the leading slices, which a decoder has decoded by then.
            before = decoded[: self.max_support]
            own = self._features_of(networks.part, features)
            decoded.append(networks.code(coder, *(tf.concat([each, *before], -1) for each in own)))
        return tf.concat(decoded, -1)

    def _features_of(self, part: tuple[int, int], features: tf.Tensor) -> list[tf.Tensor]:
        """Returns the features that a slice's networks see: first for means, then for scale indexes if it differs."""
        if self.feature_support == "all":
            return [features]
        halves = tf.split(features, 2, -1)
        return halves if self.feature_support == "halves" else [half[..., slice(*part)] for half in halves]


class SliceNetworks(Layer):
    """The networks of one slice, from its support to parameters and the predicted rounding error.

    One network gives the first parameter, the mean. Another gives all others, such as scale indexes.

    Args:
      start: First channel of the slice.
      stop: The channel after its last.
      widths: Inner channels of the networks.
      kernel_sizes: Kernel sizes of the networks' layers.
      likelihood: The likelihood that the parameters are for.
      residual: Whether latent residual prediction refines the slice.
      activation: Name of the activation between the layers.
      contexts: The layers through which the networks for means and for the other parameters see the support, or None.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        widths: tuple[Count, ...],
        kernel_sizes: tuple[Count, ...],
        likelihood: Likelihood,
        residual: bool,
        activation: str,
        contexts: Sequence[keras.layers.Layer | None] = (None, None),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.part, self.likelihood = (start, stop), likelihood
        self.mean_context, self.index_context = contexts
        depth, others = stop - start, likelihood.parameters - 1
        begin = likelihood.start(np.ones(depth))
        self.mean = convolutions((*widths, depth), kernel_sizes, activation, bias_initializer=StartAt(begin[:depth]))
        self.index = None
        if others:
            start_others = StartAt(begin[depth:])
            last = {"bias_initializer": start_others}
            self.index = convolutions((*widths, others * depth), kernel_sizes, activation, **last)
        self.residual = LatentResidualPrediction(depth, widths, kernel_sizes, activation) if residual else None
        self.built = True  # It has no `call`; the layers inside build themselves when they are called.

    def code(self, coder: Coder, mean_support: tf.Tensor, index_support: tf.Tensor | None = None) -> tf.Tensor:
        """Codes the slice, and returns its numbers quantised [batch, height, width, stop - start].

        Args:
          coder: The coder.
          mean_support: The input of the network for means [batch, height, width, channels].
          index_support: The input of the network for the other parameters, likewise; None for the same.
        """
        shared = index_support is None and self.index_context is self.mean_context
        index_support = mean_support if index_support is None else index_support
        if self.mean_context:
            mean_support = self.mean_context(mean_support)
        parameters = self.mean(mean_support)
        if self.index:
            if shared:
                index_support = mean_support
            elif self.index_context:
                index_support = self.index_context(index_support)
            parameters = tf.concat([parameters, self.index(index_support)], -1)
        decoded = coder.code(channels(*self.part), self.likelihood(parameters))
        if self.residual:
            decoded += self.residual(tf.concat([mean_support, decoded], -1))
        return decoded
