"""Groups of channels, each in two checkerboard passes (He et al., ELIC, CVPR 2022)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from lic.argument_types import Count
from lic.entropy.base import EntropyModel
from lic.entropy.checkerboard import CheckerboardContext
from lic.entropy.coders.base import Coder
from lic.entropy.distributions.base import Likelihood
from lic.entropy.parameters import StartAt, convolutions
from lic.entropy.parts import anchors, channels, non_anchors, within
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform

# The share of the channels in each group: 16, 16, 32, 64 and 192 of 320 in the paper.
SHARES = (0.05, 0.05, 0.1, 0.2, 0.6)


@register_entropy_model("space-channel")
class SpaceChannel(EntropyModel):
    """Codes groups of channels in order, and in each group the anchors, then the non-anchors.

    A group sees the features and all groups before it; its non-anchors see its anchors too. The first groups are small,
    so that most channels are coded with other channels as context.

    Source: He et al., ELIC, CVPR 2022, sections 3.2 and 3.3, with smaller networks.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      group_depths: Channels of each group; default: shares as in the paper.
      context_width: Channels of the context from the groups before, and of that from the anchors; default 128.
      parameter_width: Channels of the layer before the parameters; default 128.
      context_size: Height and width of the anchors' kernel, odd.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: `group_depths` do not add up to `latent_depth`, or `context_size` is even.
    """

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        group_depths: Sequence[Count] | None = None,
        context_width: Count = 128,
        parameter_width: Count = 128,
        context_size: Count = 5,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        depths = _shares_of(latent_depth) if group_depths is None else tuple(group_depths)
        expected = f"numbers that add up to latent_depth={latent_depth}"
        self._check("group_depths", sum(depths) == latent_depth, expected, group_depths)
        self._check("context_size", context_size % 2 == 1, "odd", context_size)
        bounds = [0, *itertools.accumulate(depths)]
        self.groups = [
            GroupNetworks(
                *bound,
                self.context(number, context_width) if number else None,
                CheckerboardContext(context_width, context_size),
                parameter_width,
                self.likelihood,
            )
            for number, bound in enumerate(itertools.pairwise(bounds))
        ]

    def context(self, number: int, context_width: int) -> keras.layers.Layer:
        """Returns the layer that makes a group's context of the groups before it, by default a 3x3 convolution.

        A subclass may give each group a context network of its own, such as attention. The constructor of
        `SpaceChannel` calls this method.

        Args:
          number: The number of the group, from 1.
          context_width: Channels of the context.
        """
        return Convolution(context_width, 3, activation="relu")

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then group after group."""
        features = coder.side(self.hyper, self.prior)
        y_hat = coder.zeros
        for group in self.groups:
            y_hat = group.code(coder, features, y_hat)
        return y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        return [(group.parameters.layers[-1], group.start, group.stop) for group in self.groups]


class GroupNetworks(Layer):
    """The networks of one group of channels.

    Args:
      start: First channel of the group.
      stop: The channel after its last.
      channel_context: The layer that makes a context of the groups before, or None in the first group.
      anchor_context: The layer that makes a context of the group's anchors.
      parameter_width: Channels of the layer before the parameters.
      likelihood: The likelihood that the parameters are for.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        channel_context: keras.layers.Layer | None,
        anchor_context: keras.layers.Layer,
        parameter_width: Count,
        likelihood: Likelihood,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.start, self.stop, self.likelihood = start, stop, likelihood
        widths = (parameter_width, likelihood.parameters * (stop - start))
        begin = StartAt(likelihood.start(np.ones(stop - start)))
        self.channel_context, self.anchor_context = channel_context, anchor_context
        self.parameters = convolutions(widths, (1, 1), bias_initializer=begin)
        # The correction starts at zero, so that training starts with equal parameters in both passes.
        self.correction = convolutions(widths, (1, 1), kernel_initializer="zeros")
        self.built = True  # It has no `call`; the layers inside build themselves when they are called.

    def code(self, coder: Coder, features: tf.Tensor, y_hat: tf.Tensor) -> tf.Tensor:
        """Codes the group, and returns the latent with the group's numbers.

        Args:
          coder: The coder.
          features: The features [batch, height, width, channels].
          y_hat: The latent [batch, height, width, latent_depth], with the groups before in it.
        """
        group = channels(self.start, self.stop)
        if self.channel_context:
            features = tf.concat([features, self.channel_context(y_hat[..., : self.start])], -1)
        first, second = within(group, anchors()), within(group, non_anchors())
        parameters = self.parameters(anchors().take(features))
        y_hat = first.put(y_hat, coder.code(first, self.likelihood(parameters)))
        features = non_anchors().take(features)
        context = non_anchors().take(self.anchor_context(group.take(y_hat)))
        parameters = self.parameters(features) + self.correction(tf.concat([features, context], -1))
        return second.put(y_hat, coder.code(second, self.likelihood(parameters)))


def _shares_of(depth: int) -> tuple[int, ...]:
    """Returns the depths of the groups by their shares, without groups that would have no channel."""
    bounds = [round(depth * share) for share in itertools.accumulate(SHARES)]
    return tuple(stop - start for start, stop in itertools.pairwise([0, *bounds]) if stop > start)
