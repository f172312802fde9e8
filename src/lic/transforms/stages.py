"""Analysis and synthesis in stages: a convolution that halves or doubles height and width, and then blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lic.argument_types import Count
from lic.environment import keras
from lic.errors import check
from lic.layers.convolution import Convolution
from lic.layers.sequential import Scale, Sequential
from lic.transforms.base import Transform


def make_stages(
    transform: Transform,
    width: Sequence[Count] | Count,
    blocks: Sequence[Count],
    sizes: tuple[int, int],
    block: Callable[[int], keras.layers.Layer],
    halving: Callable[..., Convolution],
    doubling: Callable[..., Convolution],
) -> None:
    """Makes `analysis` and `synthesis` of a transform, whose depth and channels are set.

    Args:
      transform: The transform.
      width: Channels of each stage but the one of the latent; one number stands for all.
      blocks: Number of blocks of each of these stages.
      sizes: Height and width of the kernels next to the image, and of all others.
      block: Makes a block of a number of channels.
      halving: Makes a convolution that halves height and width, of a number of channels and a kernel size.
      doubling: Likewise, that doubles them.

    Raises:
      ValueError: `width` and `blocks` are not equally many numbers.
    """
    widths = (width,) * len(blocks) if isinstance(width, int) else tuple(width)
    expected = f"{len(blocks)} numbers, as blocks"
    check(type(transform).__name__, "width", len(widths) == len(blocks), expected, width)
    (outer, inner), analysis, synthesis = sizes, [], []
    for number, (filters, count) in enumerate(zip(widths, blocks)):
        analysis += [halving(filters, inner if number else outer), *(block(filters) for _ in range(count))]
    for filters, count in zip(widths[::-1], blocks[::-1]):
        synthesis += [doubling(filters, inner), *(block(filters) for _ in range(count))]
    pixels = doubling(transform.channels, outer, full_precision=True)
    transform.analysis = Sequential([Scale(1 / 255), *analysis, halving(transform.depth, inner)])
    transform.synthesis = Sequential([*synthesis, pixels, Scale(255.0)])
