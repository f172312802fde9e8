import numpy as np
import pytest

from lic.layers import CrossAttention
from lic.testing import check_layer


def test_it_keeps_every_law_of_layers():
    class OfHalves(CrossAttention):
        """Cross attention from the first half of the channels of one map to the second."""

        def call(self, values):
            return super().call([values[..., : self.width], values[..., self.width :]])

    check_layer(OfHalves(8, 4, 2), (None, None, None, 16))


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 9)])
def test_positions_outside_a_map_are_not_seen(size):
    layer = CrossAttention(6, window=4, heads=2)
    first, second = (np.random.default_rng(seed).normal(size=(2, *size, 6)).astype(np.float32) for seed in range(2))
    found = np.asarray(layer([first, second]))
    queries, keys, values, projection = (
        np.asarray(each(of)).reshape(2, *size, 2, 3)
        for each, of in zip((layer.queries, layer.keys, layer.values, layer.projection), (first, *[second] * 2, first))
    )
    row, column = size[0] - 1, size[1] - 1
    window = np.s_[:, row // 4 * 4 : row + 1, column // 4 * 4 : column + 1]
    scores = np.einsum("bhd,brchd->bhrc", queries[:, row, column], keys[window]) / np.sqrt(3)
    weights = np.exp(scores) / np.exp(scores).sum((2, 3), keepdims=True)
    expected = np.einsum("bhrc,brchd->bhd", weights, values[window]) + projection[:, row, column]
    np.testing.assert_allclose(found[:, row, column], expected.reshape(2, 6), rtol=1e-4, atol=1e-5)


def test_heads_divide_the_channels():
    with pytest.raises(ValueError, match="CrossAttention: expected width to be a multiple of heads=4. Received: 6"):
        CrossAttention(6, heads=4)
