"""Layers of published systems, against the numbers of the authors' classes."""

import numpy as np
import pytest

from lic.interop.torch_layers import layer_sources
from lic.layers import (
    AttentionBlock,
    MixedBlock,
    PatchMerging,
    ResidualBlock,
    ResidualDown,
    ResidualUp,
    SubpixelConvolution,
    SwinStage,
    WindowAttention,
)
from lic.weights import set_tensors
from tests.conftest import DATA, assert_near

CASES = {
    "attention_block": lambda: AttentionBlock(16),
    "wacnn_attention": lambda: AttentionBlock(16, "gelu", WindowAttention(16, 4, shift=2, head_dim=2, skip=True)),
    "residual_block": lambda: ResidualBlock(8),
    "residual_block_stride": lambda: ResidualDown(8),
    "residual_block_upsample": lambda: ResidualUp(6),
    "stf_stage_down": lambda: SwinStage(16, 2, PatchMerging(16, 32), window=4, head_dim=8),
    "tcm_block_w": lambda: MixedBlock(32, window=4, head_dim=8),
    "tcm_block_sw": lambda: MixedBlock(32, window=4, shift=2, head_dim=8),
    "tcm_swatten": lambda: AttentionBlock(24, before=SwinStage(16, 2, window=4, head_dim=8), width=16),
    "subpel_conv": lambda: SubpixelConvolution(5),
}


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_the_authors_class_computes(name):
    with np.load(DATA / "zoo" / "layers" / f"{name}.npz") as arrays:
        x, y = (_channels_last(arrays[key]) for key in "xy")
        state = {key.removeprefix("weights/"): arrays[key] for key in arrays if key.startswith("weights/")}
    layer = CASES[name]()
    layer(x)
    sources = dict(layer_sources("", layer))
    assert {source.key for source in sources.values()} == state.keys()
    set_tensors(layer, {path: source.convert(state[source.key]) for path, source in sources.items()})
    assert_near(layer(x), y, 1e-5)


def _channels_last(array):
    if array.ndim == 4:
        return array.transpose(0, 2, 3, 1)
    _, count, depth = array.shape  # Tokens in raster order, of a map that is half as wide again as it is high.
    height = round((count / 1.5) ** 0.5)
    return array.reshape(1, height, count // height, depth)
