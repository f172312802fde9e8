import math

import numpy as np
import pytest

from lic.environment import tf
from lic.layers import SwinBlock
from lic.layers.swin import block as swin_block
from lic.layers.swin.window_attention import StoredWeights
from lic.weights import get_tensors, set_tensors
from tests.conftest import assert_near, golden_in_order


def golden_block(name, window, shift, dtype=None):
    x, y, weights = golden_in_order(name)
    block = SwinBlock(x.shape[-1], window, shift, dtype=dtype)
    set_tensors(block, dict(zip(StoredWeights._fields, weights, strict=True)))
    return x, y, block


@pytest.mark.parametrize(
    ("name", "window", "shift"),
    [("swin_block_shift0", 8, 0), ("swin_block_shift4", 8, 4), ("swin_block_window4_shift2", 4, 2)],
)
def test_it_equals_the_published_block(name, window, shift):
    x, y, block = golden_block(name, window, shift)
    assert_near(block(x), y, 1e-5)
    assert_near(tf.function(block)(x), y, 1e-5)
    assert_near(block(x, training=True), y, 1e-5)


def gradients(block, x, training):
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(block(x, training=training) * tf.sin(tf.range(x.shape[-1], dtype=tf.float32)))
    return tape.gradient(loss, [x, *block.trainable_variables])


@pytest.mark.parametrize("size", [(16, 24), (11, 5)])
def test_the_gradient_for_training_is_that_of_automatic_differentiation(size, monkeypatch):
    monkeypatch.setattr(swin_block, "CHUNK", 128)  # More than one chunk at a small size.
    _, _, block = golden_block("swin_block_shift4", 8, 4)
    x = tf.random.normal((2, *size, 64))
    ours = tf.function(gradients)(block, x, True)
    for mine, automatic in zip(ours, gradients(block, x, False), strict=True):
        assert_near(mine, automatic, 1e-4)


@pytest.mark.parametrize("shift", [0, 4])
@pytest.mark.parametrize("size", [(1, 1), (3, 17), (8, 9), (21, 16)])
def test_padding_changes_nothing(size, shift):
    """On a grid that is no whole number of windows, the block equals a reference with a mask over all pairs."""
    _, _, block = golden_block("swin_block_shift4", 8, shift)
    x = np.random.default_rng(0).normal(size=(1, *size, 64)).astype(np.float32)
    assert_near(block(x), reference(block, x[0])[None], 1e-5)


def reference(block, x):
    """Returns the block's result in float64, from attention over all pairs of tokens with a mask for the windows."""
    height, width, channels = x.shape
    rows, columns = np.divmod(np.arange(height * width), width)
    # The shifted grid of windows ends at the ends of the image, without wrapping around.
    window = np.stack([(axis - block.shift) // block.window for axis in (rows, columns)], -1)
    together = (window[:, None] == window).all(-1)
    distance = [axis[:, None] - axis + block.window - 1 for axis in (rows, columns)]
    number = np.where(together, distance[0] * (2 * block.window - 1) + distance[1], 0)
    weights = {name: np.asarray(value, np.float64) for name, value in get_tensors(block).items()}
    tokens = x.reshape(-1, channels).astype(np.float64)
    normal = layer_norm(tokens, weights, "attention")
    heads = (normal @ weights["attention_kernel"] + weights["attention_bias"]).reshape(len(tokens), 3, -1, 32)
    seen = []
    for head, (query, key, value) in enumerate(heads.transpose(2, 1, 0, 3)):
        scores = query @ key.T / 32**0.5 + weights["position_bias"][number, head]
        scores = np.where(together, np.exp(scores), 0)
        seen.append(scores / scores.sum(-1, keepdims=True) @ value)
    tokens = tokens + np.concatenate(seen, -1) @ weights["projection_kernel"] + weights["projection_bias"]
    hidden = layer_norm(tokens, weights, "perceptron") @ weights["expansion_kernel"] + weights["expansion_bias"]
    hidden = hidden * (1 + np.vectorize(math.erf)(hidden / 2**0.5)) / 2
    return (tokens + hidden @ weights["contraction_kernel"] + weights["contraction_bias"]).reshape(x.shape)


def layer_norm(tokens, weights, name):
    centred = tokens - tokens.mean(-1, keepdims=True)
    normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return normal * weights[f"{name}_gamma"] + weights[f"{name}_beta"]


def test_chunks_change_nothing(monkeypatch):
    x, _, block = golden_block("swin_block_shift4", 8, 4)
    whole = block(x)
    monkeypatch.setattr(swin_block, "CHUNK", 192)
    assert_near(block(x), whole, 1e-6)


def test_bfloat16_is_near():
    x, y, block = golden_block("swin_block_shift0", 8, 0, dtype="mixed_bfloat16")
    assert block(x).dtype == tf.float32
    assert_near(block(x), y, 2e-2)


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="multiple of head_dim. Received: width=40, head_dim=32"):
        SwinBlock(40)
    with pytest.raises(ValueError, match="shift from 0 to window - 1. Received: 8"):
        SwinBlock(64, shift=8)
