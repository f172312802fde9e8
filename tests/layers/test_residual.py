"""Residual blocks, the sub-pixel convolution and the attention block, against the numbers of the authors' classes."""

import numpy as np
import pytest

from lic.interop.torch_layers import layer_sources
from lic.layers import (
    AttentionBlock,
    ResidualBlock,
    ResidualDown,
    ResidualUp,
    SubpixelConvolution,
)
from lic.weights import set_tensors
from tests.conftest import DATA, assert_near

CASES = {
    "attention_block": lambda: AttentionBlock(16),
    "residual_block": lambda: ResidualBlock(8),
    "residual_block_stride": lambda: ResidualDown(8),
    "residual_block_upsample": lambda: ResidualUp(6),
    "subpel_conv": lambda: SubpixelConvolution(5),
}


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_the_authors_class_computes(name):
    with np.load(DATA / "zoo" / "layers" / f"{name}.npz") as arrays:
        x, y = (arrays[key].transpose(0, 2, 3, 1) for key in "xy")
        state = {key.removeprefix("weights/"): arrays[key] for key in arrays if key.startswith("weights/")}
    layer = CASES[name]()
    layer(x)
    sources = dict(layer_sources("", layer))
    assert {source.key for source in sources.values()} == state.keys()
    set_tensors(layer, {path: source.convert(state[source.key]) for path, source in sources.items()})
    assert_near(layer(x), y, 1e-5)
