import numpy as np
import pytest

from lic.environment import tf
from lic.layers.swin.windows import Windows

SIZES = [(1, 1, 1), (2, 4, 4), (1, 5, 9), (3, 8, 12), (1, 3, 20)]


@pytest.mark.parametrize("shift", [0, 1, 2])
@pytest.mark.parametrize("shape", SIZES)
def test_places_are_the_positions_in_the_partition(shape, shift):
    windows = Windows(tf.constant(shape), 4, shift)
    grid = tf.reshape(tf.range(1, np.prod(shape) + 1), shape)
    flat = tf.reshape(windows.partition(grid), [-1])
    np.testing.assert_array_equal(tf.gather(flat, windows.places()), grid)


@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("shape", [(1, 4, 4), (2, 8, 4), (3, 8, 12)])
def test_only_windows_at_the_end_hold_several_regions(shape, shift):
    windows = Windows(tf.constant(shape), 4, shift)
    batch, rows, columns = shape[0], -(-shape[1] // 4), -(-shape[2] // 4)
    regions = windows.regions().numpy()
    assert regions.shape == (batch * rows * columns, 16)
    assert not regions[: batch * (rows - 1) * (columns - 1)].any()


@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("shape", SIZES)
def test_a_region_is_contiguous_in_the_image(shape, shift):
    windows = Windows(tf.constant(shape), 4, shift)
    numbers = windows.partition(tf.reshape(tf.range(1, np.prod(shape) + 1), shape)).numpy()
    for tokens, regions in zip(numbers, windows.regions().numpy(), strict=True):
        for region in set(regions) - {4}:
            image, row, column = np.unravel_index(tokens[regions == region] - 1, shape)
            assert len(set(image)) == 1
            assert np.ptp(row) < 4
            assert np.ptp(column) < 4
    assert (numbers[windows.regions().numpy() == 4] == 0).all()
    assert (numbers[windows.regions().numpy() != 4] > 0).all()
