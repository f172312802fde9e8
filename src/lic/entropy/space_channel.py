"""Groups of channels, each in two checkerboard passes (He et al., ELIC, CVPR 2022)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from lic.argument_types import Count, CountOrZero
from lic.entropy.base import EntropyModel
from lic.entropy.checkerboard import CheckerboardContext, TwoPassNetworks
from lic.entropy.coders.base import Coder
from lic.entropy.parameters import channel_mixes, convolutions, pointwise
from lic.entropy.parts import anchors, channels, non_anchors, within
from lic.environment import keras, tf
from lic.layers.base import Layer
from lic.layers.convolution import Convolution
from lic.layers.rwkv import ChannelMixBlock, RWKVBlock
from lic.layers.sequential import Sequential
from lic.registry import register_entropy_model
from lic.transforms.base import HyperTransform

# The share of the channels in each group: 16, 16, 32, 64 and 192 of 320 in the paper.
SHARES = (0.05, 0.05, 0.1, 0.2, 0.6)


@register_entropy_model("space-channel")
class SpaceChannel(EntropyModel):
    """Codes groups of channels in order, and in each group the anchors, then the non-anchors.

    A group sees the features and the groups before it; its non-anchors see its anchors too. The first groups are small,
    so that most channels are coded with other channels as context.

    Source: He et al., ELIC, CVPR 2022, sections 3.2 and 3.3. By default networks are smaller than there. With RWKV
    blocks Feng et al., Linear Attention Modeling for Learned Image Compression, CVPR 2025, section 3.3.

    Args:
      latent_depth: Channels of the latent.
      hyper: The hyper transform.
      group_depths: Channels of each group; default: shares as in the paper.
      context_width: Channels of the context from the groups before, and of that from the anchors; None for as many as a
        group has parameters.
      channel_widths: Inner channels of the network that makes the context from the groups before.
      channel_kernel_size: Height and width of that network's kernels.
      support: The groups before that this network sees: "all", or "first and last".
      parameter_widths: Inner channels of the networks that give the parameters, for all groups or a tuple for each.
      context_size: Height and width of the anchors' kernel, odd.
      fusion: "add" or "concatenate", as in `Checkerboard`.
      anchor_parity: Whether the sum of an anchor's row and column is "even" or "odd".
      rwkv_blocks: Number of RWKV blocks in each channel context, before a 1x1 convolution to `context_width`. If there
        are any, the networks that give the parameters are channel-mix blocks in place of 1x1 convolutions.
      rwkv_expansion: How many times more channels there are inside the channel mix of these blocks.
      **kwargs: Keywords of `EntropyModel`, such as `quantization` and `likelihood`.

    Raises:
      ValueError: `group_depths` do not add up to `latent_depth`, `parameter_widths` are not as many as groups, or
        another argument is not valid.
    """

    added_arguments: ClassVar[Mapping[str, Any]] = {"rwkv_blocks": 0, "rwkv_expansion": 8}

    def __init__(
        self,
        latent_depth: Count,
        hyper: HyperTransform,
        group_depths: Sequence[Count] | None = None,
        context_width: Count | None = 128,
        channel_widths: Sequence[Count] = (),
        channel_kernel_size: Count = 3,
        support: Literal["all", "first and last"] = "all",
        parameter_widths: Sequence[Count] | Sequence[Sequence[Count]] = (128,),
        context_size: Count = 5,
        fusion: Literal["concatenate", "add"] = "add",
        anchor_parity: Literal["even", "odd"] = "odd",
        rwkv_blocks: CountOrZero = 0,
        rwkv_expansion: Count = 8,
        **kwargs,
    ):
        super().__init__(latent_depth, hyper, **kwargs)
        depths = _shares_of(latent_depth) if group_depths is None else tuple(group_depths)
        expected = f"numbers that add up to latent_depth={latent_depth}"
        self._check("group_depths", sum(depths) == latent_depth, expected, group_depths)
        self._check("context_size", context_size % 2 == 1, "odd", context_size)
        each = bool(parameter_widths) and isinstance(parameter_widths[0], Sequence)
        widths = list(parameter_widths) if each else [parameter_widths] * len(depths)
        self._check("parameter_widths", len(widths) == len(depths), f"one tuple, or {len(depths)}", parameter_widths)
        self.channel_widths, self.channel_kernel_size = tuple(channel_widths), channel_kernel_size
        self.support, self.anchor_parity, self.groups = support, anchor_parity, []
        self.rwkv_blocks, self.rwkv_expansion = rwkv_blocks, rwkv_expansion
        network = channel_mixes if rwkv_blocks else pointwise
        for number, (start, inner) in enumerate(zip(itertools.accumulate((0, *depths)), widths)):
            parameters = self.likelihood.parameters * depths[number]
            width = context_width or parameters
            group = GroupNetworks(start, start + depths[number], self.context(number, width) if number else None)
            between = CheckerboardContext(width, context_size)
            own = (*inner, parameters)
            start_bias = self.start_bias(depths[number])
            group.make_networks(fusion, between, own, start_bias, feature_widths=own, network=network)
            self.groups.append(group)

    def context(self, number: int, context_width: int) -> keras.layers.Layer:
        """Returns the layer that makes a group's context of the groups before: convolutions, or RWKV blocks.

        A subclass may give each group a context network of its own, such as attention. The constructor of
        `SpaceChannel` calls this method.

        Args:
          number: The number of the group, from 1.
          context_width: Channels of the context.
        """
        if self.rwkv_blocks:
            *widths, last = self.channel_widths or (context_width,)
            first = convolutions((*widths, last), (self.channel_kernel_size,) * (len(widths) + 1))
            blocks = [RWKVBlock(last, self.rwkv_expansion) for _ in range(self.rwkv_blocks)]
            return Sequential([*first.layers, *blocks, Convolution(context_width, 1)])
        widths = (*self.channel_widths, context_width)
        return convolutions(widths, (self.channel_kernel_size,) * len(widths))

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes the side information, then group after group."""
        features = coder.side(self.hyper, self.prior)
        anchor, other = anchors(self.anchor_parity), non_anchors(self.anchor_parity)
        y_hat = coder.zeros
        for number, group in enumerate(self.groups):
            whole, seen = channels(group.start, group.stop), features
            if number:
                seen = tf.concat([group.channel_context(self._before(number, y_hat)), features], -1)
            first, second = within(whole, anchor), within(whole, other)
            parameters = group.parameters_of(anchor.take(seen))
            y_hat = first.put(y_hat, coder.code(first, self.likelihood(parameters)))
            context = group.context(whole.take(y_hat))
            parameters = group.parameters_of(other.take(seen), other.take(context))
            y_hat = second.put(y_hat, coder.code(second, self.likelihood(parameters)))
        return y_hat

    @property
    def scale_biases(self) -> list[tuple[Convolution, int, int]]:
        last = [(group.parameters.layers[-1], group) for group in self.groups]
        return [
            (layer.convolution if isinstance(layer, ChannelMixBlock) else layer, group.start, group.stop)
            for layer, group in last
        ]

    def _before(self, number: int, y_hat: tf.Tensor) -> tf.Tensor:
        """Returns the channels before a group that its context is made of."""
        first, last = self.groups[0], self.groups[number - 1]
        if self.support == "all" or number == 1:
            return y_hat[..., : last.stop]
        return tf.concat([y_hat[..., : first.stop], y_hat[..., last.start : last.stop]], -1)


class GroupNetworks(TwoPassNetworks, Layer):
    """The networks of one group of channels.

    Args:
      start: First channel of the group.
      stop: The channel after its last.
      channel_context: The layer that makes a context of the groups before, or None in the first group.
    """

    def __init__(self, start: int, stop: int, channel_context: keras.layers.Layer | None, **kwargs):
        super().__init__(**kwargs)
        self.start, self.stop, self.channel_context = start, stop, channel_context
        self.built = True  # It has no `call`; the layers inside build themselves when they are called.


def _shares_of(depth: int) -> tuple[int, ...]:
    """Returns the depths of the groups by their shares, without groups that would have no channel."""
    bounds = [round(depth * share) for share in itertools.accumulate(SHARES)]
    return tuple(stop - start for start, stop in itertools.pairwise([0, *bounds]) if stop > start)
