"""Layers of published systems, against the numbers of the authors' classes."""

import numpy as np
import pytest

from lic.entropy.autoregressive import CausalContext
from lic.entropy.checkerboard import CheckerboardContext
from lic.entropy.dictionary import Dictionary, DictionaryAttention
from lic.entropy.multi_reference import InterContext, IntraContext, LocalContext
from lic.interop.torch_layers import layer_sources
from lic.layers import (
    AttentionBlock,
    ChannelMixBlock,
    Convolution,
    CrossAttention,
    DepthwiseBlock,
    MixedBlock,
    PartialBlock,
    PatchMerging,
    PatchSplitting,
    ResidualBlock,
    ResidualDown,
    ResidualUp,
    RWKVBlock,
    SubpixelConvolution,
    SwinStage,
    WindowAttention,
)
from lic.layers.swin.gated import GatedSwinStage
from lic.weights import set_tensors
from tests.conftest import DATA, assert_near

CASES = {
    "attention_block": lambda: AttentionBlock(16),
    "wacnn_attention": lambda: AttentionBlock(16, "gelu", WindowAttention(16, 4, shift=2, head_dim=2, skip=True)),
    "residual_block": lambda: ResidualBlock(8),
    "residual_block_stride": lambda: ResidualDown(8),
    "residual_block_upsample": lambda: ResidualUp(6),
    "stf_stage_down": lambda: SwinStage(16, 2, PatchMerging(16, 32), window=4, head_dim=8),
    "stf_stage_up_odd": lambda: SwinStage(
        16, 2, PatchSplitting(16, 8, norm_first=True), window=4, head_dim=8, sees_padding=True
    ),
    "tcm_block_w": lambda: MixedBlock(32, window=4, head_dim=8),
    "tcm_block_sw": lambda: MixedBlock(32, window=4, shift=2, head_dim=8),
    "tcm_swatten": lambda: AttentionBlock(24, before=SwinStage(16, 2, window=4, head_dim=8), width=16),
    "mlicpp_local": lambda: LocalContext(8, 5),
    "mlicpp_intra": lambda: IntraContext(8, 8),
    "mlicpp_inter": lambda: InterContext(16, 2, 8),
    "dcae_swin_block": lambda: GatedSwinStage(16, 2, window=4, head_dim=8),
    "hpcm_cross_attention": lambda: CrossAttention(32, window=4, heads=4),
    "hpcm_pconv_block": lambda: PartialBlock(16),
    "hpcm_dwconv_block": lambda: DepthwiseBlock(12),
    "subpel_conv": lambda: SubpixelConvolution(5),
    "deconv5_stride2": lambda: Convolution(5, 5, up=2),
    "deconv3_stride1": lambda: Convolution(5, 3),
    "masked_conv_checkerboard": lambda: CheckerboardContext(8, 5),
    "masked_conv_raster": lambda: CausalContext(8, 5),
    "lalic_block": lambda: RWKVBlock(8),
    "lalic_parameters": lambda: ChannelMixBlock(8),
}


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_the_authors_class_computes(name):
    with np.load(DATA / "zoo" / "layers" / f"{name}.npz") as arrays:
        ratio = 5 / 6 if name == "stf_stage_up_odd" else 3 / 2
        y, *inputs = (_channels_last(arrays[key], ratio) for key in ("y", "x", "x2") if key in arrays)
        state = {key.removeprefix("weights/"): arrays[key] for key in arrays if key.startswith("weights/")}
    state = {key: array for key, array in state.items() if "reparam" not in key}  # Their sum of the other kernels.
    layer = CASES[name]()
    x = inputs if len(inputs) > 1 else inputs[0]
    layer(x)
    sources = dict(layer_sources("", layer, transposed=name == "deconv3_stride1"))
    assert {source.key for source in sources.values()} == state.keys()
    set_tensors(layer, {path: source.convert(state[source.key]) for path, source in sources.items()})
    assert_near(layer(x), y, 1e-5)


def test_dictionary_attention_computes_what_the_authors_class_computes():
    with np.load(DATA / "zoo" / "layers" / "dcae_dictionary.npz") as arrays:
        x, y = (_channels_last(arrays[key]) for key in "xy")
        entries = arrays["x2"][0]
        state = {key.removeprefix("weights/"): arrays[key] for key in arrays if key.startswith("weights/")}
    layer = DictionaryAttention(Dictionary(*entries.shape), y.shape[-1])
    layer(x)
    sources = dict(layer_sources("", layer))
    assert {source.key for source in sources.values()} == state.keys()
    tensors = {path: source.convert(state[source.key]) for path, source in sources.items()}
    set_tensors(layer, tensors | {"dictionary/entries": entries})
    found = layer(x)
    np.testing.assert_array_equal(found[..., : x.shape[-1]], x)
    assert_near(found[..., x.shape[-1] :], y, 1e-5)


def _channels_last(array, ratio=3 / 2):
    if array.ndim == 4:
        return array.transpose(0, 2, 3, 1)
    _, count, depth = array.shape  # Tokens in raster order, of a map with so many columns for each row.
    height = round((count / ratio) ** 0.5)
    return array.reshape(1, height, count // height, depth)
