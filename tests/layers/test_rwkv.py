import numpy as np
import pytest

from lic.environment import tf
from lic.layers import ChannelMixBlock, LinearAttention, OmniShift, RWKVBlock

RANDOM = np.random.default_rng(0)


def _maps(height, width, channels=6):
    return [RANDOM.normal(0, 2, (2, height, width, channels)).astype("float32") for _ in range(2)]


def _attention(maps, decay, boost):
    layer = LinearAttention()
    layer(maps)
    layer.decay.assign(decay)
    layer.boost.assign(boost)
    return layer


def _by_the_formula(maps, decay, boost):
    """The weighted means of one image, from the weights of all pairs of positions."""
    keys, values = (each.reshape(2, -1, each.shape[-1]).astype("float64") for each in maps)
    count = keys.shape[1]
    places = np.arange(count)
    distance = np.abs(places[:, None] - places)[..., None]
    exponents = keys[:, None] - (distance - 1) * decay / count
    exponents[:, places, places] = keys + boost / count
    weights = np.exp(exponents - exponents.max(2, keepdims=True))
    return ((weights * values[:, None]).sum(2) / weights.sum(2)).reshape(maps[0].shape)


# One position, fewer than a chunk, whole chunks and others, more than one chunk of 32.
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 5), (8, 8), (8, 64), (13, 47)])
def test_it_is_the_mean_weighted_by_keys_and_distance(size):
    maps, decay, boost = _maps(*size), (0, 0.5, -3, 12, 60, -60), (0, 1, -2, 200, -300, 500)
    layer = _attention(maps, decay, boost)
    expected = _by_the_formula(maps, np.array(decay), np.array(boost))
    np.testing.assert_allclose(layer(maps), expected, rtol=1e-4, atol=2e-5)
    graph = tf.function(layer, [[tf.TensorSpec((None, None, None, 6))] * 2], autograph=False)
    np.testing.assert_allclose(graph(maps), expected, rtol=1e-4, atol=2e-5)


def test_its_gradient_is_that_of_the_formula():
    maps, decay, boost = _maps(3, 7), np.linspace(-2, 3, 6), np.linspace(3, -2, 6)
    layer, weights = _attention(maps, decay, boost), RANDOM.normal(size=(2, 3, 7, 6))
    keys, values = (tf.constant(each) for each in maps)
    with tf.GradientTape() as tape:
        tape.watch([keys, values])
        loss = tf.reduce_sum(layer([keys, values]) * weights.astype("float32"))
    found = tape.gradient(loss, [keys, values, layer.decay, layer.boost])
    given, step = [*(each.astype("float64") for each in maps), decay, boost], 1e-5
    for number, gradient in enumerate(found):
        place = (0, 1, 4, 2)[-given[number].ndim :] if given[number].ndim == 4 else (2,)
        sums = []
        for move in (step, -step):
            moved = [each.copy() for each in given]
            moved[number][place] += move
            sums.append((_by_the_formula(moved[:2], *moved[2:]) * weights).sum())
        assert gradient.numpy()[place] == pytest.approx((sums[0] - sums[1]) / (2 * step), rel=2e-3, abs=1e-5)


def test_large_keys_do_not_overflow():
    maps = [each * 400 for each in _maps(4, 5)]
    assert np.all(np.isfinite(_attention(maps, np.full(6, 5.0), np.zeros(6))(maps)))


def test_the_shift_starts_as_the_identity_and_is_one_kernel():
    layer, values = OmniShift(), _maps(5, 6)[0]
    np.testing.assert_array_equal(layer(values), values)
    layer.identity.assign(0.5)
    layer.shares.assign((2.0, -1.0, 3.0))
    expected = 0.5 * values
    for share, kernel in zip((2.0, -1.0, 3.0), layer.kernels):
        expected = expected + share * tf.nn.depthwise_conv2d(values, kernel, (1, 1, 1, 1), "SAME")
    np.testing.assert_allclose(layer(values), expected, rtol=1e-4, atol=1e-4)


def test_a_block_keeps_the_shape_and_sees_the_whole_map():
    block, values = RWKVBlock(6, expansion=2), _maps(9, 8)[0]
    before = block(values)
    assert before.shape == values.shape
    assert block.channel_mix.expansion.filters == 12
    values[:, -1, -1, 0] += 30
    assert np.all(np.any(np.asarray(block(values) != before), -1))


def test_a_mix_whose_kernels_start_at_zero_returns_zeros():
    values = _maps(3, 4)[0]
    np.testing.assert_array_equal(ChannelMixBlock(5, kernel_initializer="zeros")(values), np.zeros((2, 3, 4, 5)))
    assert np.any(ChannelMixBlock(5)(values))


def test_the_shift_computes_in_other_types_inside_a_graph_too():
    shift = OmniShift(dtype="mixed_bfloat16")
    values = tf.random.normal((1, 5, 6, 3))
    found = tf.function(shift)(values)
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(found, "float32"), values, atol=0.02)
