"""The Swin transform: stages of blocks, with patches merged or split between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from lic.layers.sequential import Scale, Sequential
from lic.layers.swin.block import SwinBlock
from lic.layers.swin.patches import PatchEmbedding, Patches, PatchMerging, PatchSplitting, PatchUnpacking
from lic.layers.swin.tokens import TokenLayer, Tokens
from lic.registry import register_transform
from lic.transforms.base import Transform


class SwinStage(TokenLayer):
    """Blocks, every other one with shifted windows, and after them patches may be merged or split.

    Args:
      width: Channels.
      depth: Number of blocks.
      end: What follows the blocks, or None.
      window: Height and width of the windows.
      head_dim: Channels of a head.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        end: Patches | None = None,
        window: int = 8,
        head_dim: int = 32,
        **kwargs,
    ):
        super().__init__(**kwargs)
        shifts = [number % 2 * (window // 2) for number in range(depth)]
        self.blocks = [SwinBlock(width, window, shift, head_dim) for shift in shifts]
        self.end = end

    def process(self, tokens: Tokens, training: bool) -> Tokens:
        for layer in [*self.blocks, *([self.end] if self.end else [])]:
            tokens = layer.process(tokens, training)
        return tokens


class SwinStages(TokenLayer):
    """Stages one after the other; tokens stay where they are between them.

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
    def merging(cls, widths: Sequence[int], depths: Sequence[int], **common: int) -> SwinStages:
        """Returns stages of these widths and depths, patches being merged between them."""
        ends = [*(PatchMerging(*pair) for pair in itertools.pairwise(widths)), None]
        return cls(SwinStage(*each, **common) for each in zip(widths, depths, ends, strict=True))

    @classmethod
    def splitting(cls, widths: Sequence[int], depths: Sequence[int], outputs: int, **common: int) -> SwinStages:
        """Returns stages of these widths and depths, patches being split after each, at last to `outputs` channels."""
        ends = [*(PatchSplitting(*pair) for pair in itertools.pairwise(widths)), PatchUnpacking(widths[-1], outputs)]
        return cls(SwinStage(*each, **common) for each in zip(widths, depths, ends, strict=True))


@register_transform("swin")
class SwinTransform(Transform):
    """Four stages of Swin transformer blocks, and their mirror.

    Source: Zhu, Yang, Cohen, ICLR 2022, section 3.2 and appendix A.

    Args:
      width: Channels of the first three stages; a single number is for all of them.
      latent_depth: Channels of the last stage and of the latent.
      depths: Number of blocks of each stage.
      window: Height and width of the windows.
      head_dim: Channels of a head; all widths are multiples of it.

    Raises:
      ValueError: There are not three widths and four depths, or a width is no multiple of `head_dim`.
    """

    def __init__(
        self,
        width: int | Sequence[int] = (128, 192, 256),
        latent_depth: int = 320,
        depths: Sequence[int] = (2, 2, 6, 2),
        window: int = 8,
        head_dim: int = 32,
        **kwargs,
    ):
        super().__init__(latent_depth, **kwargs)
        self.tile_overlap = self.tile_multiple = window
        inner = (width,) * 3 if isinstance(width, int) else tuple(width)
        if len(inner) != 3 or len(depths) != 4:
            raise ValueError(
                "SwinTransform: expected one or three widths, for the stages before the latent's, and four depths. "
                f"Received: width={width!r}, depths={depths!r}."
            )
        widths, common = (*inner, latent_depth), {"window": window, "head_dim": head_dim}
        merging = SwinStages.merging(widths, depths, **common)
        splitting = SwinStages.splitting(widths[::-1], tuple(depths)[::-1], 3, **common)
        self.analysis = Sequential([Scale(1 / 255), PatchEmbedding(widths[0]), merging])
        self.synthesis = Sequential([splitting, Scale(255.0)])
