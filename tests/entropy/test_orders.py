import numpy as np
import pytest

from lic.entropy import Order, wavefronts
from lic.environment import tf


def _places(order, height, width):
    steps = order.steps(tf.constant(height), tf.constant(width))
    return [steps.part(number).places(height, width).numpy() for number in range(int(steps.count))]


def test_a_latent_of_32x48_positions_takes_141_steps():
    assert len(_places(wavefronts(5), 32, 48)) == 141


@pytest.mark.parametrize("kernel_size", [3, 5, 7])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (6, 1), (4, 5), (5, 4)])
def test_a_position_comes_after_all_that_its_kernel_sees(kernel_size, height, width):
    step = np.empty((height, width), int)
    for number, places in enumerate(_places(wavefronts(kernel_size), height, width)):
        step[places // width, places % width] = number
    reach = kernel_size // 2
    for row, column in np.ndindex(height, width):
        above = step[max(0, row - reach) : row, max(0, column - reach) : column + reach + 1]
        assert (above < step[row, column]).all()
        assert (step[row, max(0, column - reach) : column] < step[row, column]).all()


def test_steps_partition_the_latent_and_keep_raster_order_within():
    order = Order("mine", lambda row, column: 2 * (row % 2) + 0 * column)  # The step 1 is empty.
    first, empty, last = _places(order, 3, 2)
    np.testing.assert_array_equal(first, [0, 1, 4, 5])
    assert empty.size == 0
    np.testing.assert_array_equal(last, [2, 3])


def test_a_step_is_put_where_it_was_taken():
    latent = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    steps = wavefronts(3).steps(tf.constant(3), tf.constant(4))
    rebuilt = np.zeros_like(latent)
    for number in range(int(steps.count)):
        part = steps.part(number)
        values = part.take(latent)
        assert values.shape == (2, 1, len(part.places(3, 4)), 5)
        rebuilt = part.put(rebuilt, values)
    np.testing.assert_array_equal(rebuilt, latent)


@pytest.mark.parametrize("kernel_size", [1, 4])
def test_a_kernel_without_a_centre_or_neighbours_is_refused(kernel_size):
    with pytest.raises(ValueError, match=f"wavefronts: expected kernel_size to be odd.*{kernel_size}"):
        wavefronts(kernel_size)
