import numpy as np
import pytest

from lic.transforms import GDN, ConvTransform


def _count(layer):
    return sum(int(np.prod(variable.shape)) for variable in layer.trainable_variables)


@pytest.mark.parametrize(("width", "depth"), [(8, 12), (192, 320)])
def test_it_is_four_convolutions_each_way_with_gdn_between(width, depth):
    transform = ConvTransform(width, depth)
    transform(np.zeros((1, 16, 16, 3), np.float32))
    gdn = 3 * (width + width**2)
    inner = 2 * (25 * width**2 + width)
    assert _count(transform.analysis) == 75 * width + width + inner + 25 * width * depth + depth + gdn
    assert _count(transform.synthesis) == 25 * depth * width + width + inner + 75 * width + 3 + gdn


def test_images_are_scaled_to_one_at_both_ends():
    transform = ConvTransform(8, 12)
    first, last = transform.analysis.layers[0], transform.synthesis.layers[-1]
    assert (first.factor, last.factor) == (1 / 255, 255.0)


def test_form_of_gdn_and_of_kernels_is_an_argument():
    transform = ConvTransform(8, 12, kernel_size=3, square_root=True, kernel_form="dft")
    layers = [*transform.analysis.layers, *transform.synthesis.layers]
    assert all(layer.square_root for layer in layers if isinstance(layer, GDN))
    assert [layer.inverse for layer in layers if isinstance(layer, GDN)] == [False] * 3 + [True] * 3
    assert transform(np.zeros((1, 16, 16, 3), np.float32)).shape == (1, 16, 16, 3)
    assert transform.analysis.layers[1].kernel_real.shape == (3, 8, 3, 2)
