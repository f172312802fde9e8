import numpy as np
import pytest

from lic.environment import tf
from lic.layers.padding import pad


@pytest.mark.parametrize("size", [(1, 1), (1, 257), (9, 16), (16, 16), (17, 31), (500, 333)])
def test_at_most_one_multiple_is_added_at_the_bottom_and_right(size):
    images = np.random.default_rng(0).uniform(size=(2, *size, 3)).astype(np.float32)
    padded = pad(tf.constant(images), 16).numpy()
    assert all(new % 16 == 0 and 0 <= new - old < 16 for new, old in zip(padded.shape[1:3], size, strict=True))
    np.testing.assert_array_equal(padded[:, : size[0], : size[1]], images)


def test_large_images_are_reflected_and_small_ones_repeat_the_edge():
    row = np.arange(10, dtype=np.float32)[None, None, :, None]
    np.testing.assert_array_equal(pad(tf.constant(row), 16)[0, 0, :, 0], [*range(10), 8, 7, 6, 5, 4, 3])
    np.testing.assert_array_equal(pad(tf.constant(row[:, :, :3]), 16)[0, 0, :, 0], [0, 1, 2] + [2] * 13)
    # A reflection has one pixel less than the row, so that eight pixels cannot be padded by eight.
    np.testing.assert_array_equal(pad(tf.constant(row[:, :, :8]), 16)[0, 0, :, 0], [*range(8)] + [7] * 8)


def test_sizes_unknown_when_traced():
    traced = tf.function(lambda images: pad(images, 16), [tf.TensorSpec((None, None, None, 3))])
    for size in [(1, 5), (32, 16), (20, 47)]:
        images = tf.random.normal((1, *size, 3))
        np.testing.assert_array_equal(traced(images), pad(images, 16))
