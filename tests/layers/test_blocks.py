import functools

import einops
import numpy as np
import pytest

from lic.environment import tf
from lic.layers.blocks import depth_to_space, space_to_depth


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("traced", [False, True])
def test_blocks_become_channels_and_channels_blocks(size, traced):
    values = np.random.default_rng(0).normal(size=(2, 3 * size, 5 * size, 4)).astype(np.float32)
    there, back = (functools.partial(function, size=size) for function in (space_to_depth, depth_to_space))
    if traced:
        there = tf.function(there, [tf.TensorSpec((None, None, None, 4))], autograph=False)
        back = tf.function(back, [tf.TensorSpec((None, None, None, 4 * size**2))], autograph=False)
    blocks = there(tf.constant(values))
    expected = einops.rearrange(values, "n (h a) (w b) c -> n h w (a b c)", a=size, b=size)
    np.testing.assert_array_equal(blocks, expected)
    np.testing.assert_array_equal(back(blocks), values)
