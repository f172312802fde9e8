import numpy as np
import pytest

from lic.transforms import PartialTransform, RWKVTransform

STAGED = pytest.mark.parametrize("transform_class", [PartialTransform, RWKVTransform])


@STAGED
def test_widths_and_blocks_are_those_of_each_size(transform_class):
    transform = transform_class((8, 12), 6, blocks=(1, 2))
    assert transform.downscale == 8
    images = np.zeros((1, 16, 24, 3), np.float32)
    assert transform.analysis(images).shape == (1, 2, 3, 6)
    assert transform(images).shape == images.shape
    assert transform_class(8, 6, blocks=(1, 1, 1)).downscale == 16


@STAGED
def test_widths_are_as_many_as_blocks(transform_class):
    with pytest.raises(ValueError, match=r"width.* 2 numbers.* Received: \(8, 8, 8\)"):
        transform_class((8, 8, 8), 6, blocks=(1, 1))
