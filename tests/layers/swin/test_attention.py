import itertools

import numpy as np

from lic.layers import WindowAttention


def test_no_two_weights_begin_with_the_same_numbers():
    layer = WindowAttention(32)
    beginnings = [np.ravel(weight)[:100] for weight in layer.get_weights() if np.std(weight) > 0]
    assert len(beginnings) == 3
    assert all(not np.array_equal(one, other) for one, other in itertools.combinations(beginnings, 2))
