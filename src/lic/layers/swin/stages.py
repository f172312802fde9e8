"""Stages of Swin blocks, with patches merged or split between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from lic.argument_types import Count, CountOrZero, WindowSize
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.patches import Patches, PatchMerging, PatchSplitting, PatchUnpacking
from lic.layers.swin.tokens import TokenLayer, Tokens


class SwinStage(TokenLayer):
    """Swin blocks, every other one with shifted windows, and after them a layer that merges or splits patches.

    Source: Liu et al., ICCV 2021, section 3.1.

    Args:
      width: Number of channels.
      depth: Number of blocks.
      end: The layer after the blocks, or None.
      window: Height and width of the windows.
      head_dim: Channels of each head.
      sees_padding: As in `SwinBlock`.
    """

    def __init__(
        self,
        width: Count,
        depth: CountOrZero,
        end: Patches | None = None,
        window: WindowSize = 8,
        head_dim: Count = 32,
        sees_padding: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        shifts = [number % 2 * (window // 2) for number in range(depth)]
        self.blocks = [SwinBlock(width, window, shift, head_dim, sees_padding=sees_padding) for shift in shifts]
        self.end = end

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        for block in self.blocks:
            tokens = block.process(tokens, training)
        return self.end.process(tokens, training) if self.end else tokens


class SwinStages(TokenLayer):
    """Stages one after the other, which hand tokens on without putting them back in raster order.

    Args:
      stages: The stages in order.
    """

    def __init__(self, stages: Iterable[SwinStage], **kwargs):
        super().__init__(**kwargs)
        self.stages = list(stages)

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        for stage in self.stages:
            tokens = stage.process(tokens, training)
        return tokens

    @classmethod
    def merging(cls, widths: Sequence[int], depths: Sequence[int], **common: int | bool) -> SwinStages:
        """Returns stages between which patches are merged, as in an analysis.

        Args:
          widths: Channels of each stage.
          depths: Number of blocks of each stage.
          **common: Further arguments of all stages, such as `window`.
        """
        ends = [*(PatchMerging(*pair) for pair in itertools.pairwise(widths)), None]
        return cls(SwinStage(*each, **common) for each in zip(widths, depths, ends, strict=True))

    @classmethod
    def splitting(
        cls,
        widths: Sequence[int],
        depths: Sequence[int],
        outputs: int | None,
        norm_first: bool = False,
        **common: int | bool,
    ) -> SwinStages:
        """Returns stages between which, or after each of which, patches are split, as in a synthesis.

        Args:
          widths: Channels of each stage.
          depths: Number of blocks of each stage.
          outputs: Channels of the result after the last patches are split; None for those of the last stage.
          norm_first: As in `PatchSplitting`.
          **common: Further arguments of all stages, such as `window`.
        """
        last = None if outputs is None else PatchUnpacking(widths[-1], outputs)
        ends = [*(PatchSplitting(*pair, norm_first) for pair in itertools.pairwise(widths)), last]
        return cls(SwinStage(*each, **common) for each in zip(widths, depths, ends, strict=True))
