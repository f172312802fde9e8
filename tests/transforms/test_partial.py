import numpy as np
import pytest

from lic.transforms import PartialTransform


def test_widths_and_blocks_are_those_of_each_size():
    transform = PartialTransform((8, 12), 6, blocks=(1, 2))
    assert transform.downscale == 8
    images = np.zeros((1, 16, 24, 3), np.float32)
    assert transform.analysis(images).shape == (1, 2, 3, 6)
    assert transform(images).shape == images.shape
    assert PartialTransform(8, 6, blocks=(1, 1, 1)).downscale == 16


def test_widths_are_as_many_as_blocks():
    with pytest.raises(ValueError, match=r"width.* 2 numbers.* Received: \(8, 8, 8\)"):
        PartialTransform((8, 8, 8), 6, blocks=(1, 1))
