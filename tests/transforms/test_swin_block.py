import pytest

from lic.environment import tf
from lic.models.tensors import set_tensors
from lic.transforms import SwinBlock
from tests.conftest import assert_near, golden_in_order

# Our name of each weight, in the order of the published layer's.
NAMES = (
    "attention_gamma",
    "attention_beta",
    "position_bias",
    "attention_kernel",
    "attention_bias",
    "projection_kernel",
    "projection_bias",
    "perceptron_gamma",
    "perceptron_beta",
    "expansion_kernel",
    "expansion_bias",
    "contraction_kernel",
    "contraction_bias",
)


def golden_block(name, window, shift, dtype=None):
    x, y, weights = golden_in_order(name)
    block = SwinBlock(x.shape[-1], window, shift, dtype=dtype)
    set_tensors(block, dict(zip(NAMES, weights, strict=True)))
    return x, y, block


@pytest.mark.parametrize(
    ("name", "window", "shift"),
    [("swin_block_shift0", 8, 0), ("swin_block_shift4", 8, 4), ("swin_block_window4_shift2", 4, 2)],
)
def test_it_computes_what_the_published_block_computes(name, window, shift):
    x, y, block = golden_block(name, window, shift)
    assert_near(block(x), y, 1e-5)
    assert_near(tf.function(block)(x), y, 1e-5)
    assert_near(block(x, training=True), y, 1e-5)
