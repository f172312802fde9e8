import numpy as np
import pytest

from lic.layers import GDN, Convolution
from lic.testing import check_transform
from lic.transforms import ConvTransform


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


def test_strides_and_kernel_sizes_are_mirrored():
    transform = ConvTransform(8, 12, analysis_strides=(4, 2, 2), analysis_kernel_sizes=(9, 5, 3), latent_bias=False)
    assert transform.downscale == 16
    transform(np.zeros((1, 16, 16, 3), np.float32))
    convolutions = [
        [layer for layer in chain.layers if isinstance(layer, Convolution)]
        for chain in (transform.analysis, transform.synthesis)
    ]
    assert [(layer.kernel_size, layer.down, layer.use_bias) for layer in convolutions[0]] == [
        (9, 4, True),
        (5, 2, True),
        (3, 2, False),
    ]
    assert [(layer.kernel_size, layer.up, layer.use_bias) for layer in convolutions[1]] == [
        (3, 2, True),
        (5, 2, True),
        (9, 4, True),
    ]
    assert all(layer.correlation for layer in convolutions[0])


@pytest.mark.parametrize(("strides", "downscale"), [((2,), 2), ((2, 1, 2), 4), ((2, 2, 2), 8), ((4, 3, 2), 24)])
def test_downscale_is_the_product_of_the_strides(strides, downscale):
    transform = ConvTransform(8, 12, analysis_strides=strides)
    assert transform.downscale == downscale
    images = np.zeros((1, 2 * downscale, downscale, 3), np.float32)
    assert transform.analysis(images).shape == (1, 2, 1, 12)
    assert transform(images).shape == images.shape


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"analysis_strides": ()}, "expected analysis_strides of at least one convolution"),
        ({"analysis_strides": 2}, "expected analysis_strides to be a sequence.* Received: analysis_strides=2"),
        ({"analysis_strides": (2, 0)}, r"expected analysis_strides .* Received: analysis_strides=\(2, 0\)"),
        ({"analysis_kernel_sizes": (5, 5, 5, 2.5)}, "expected analysis_kernel_sizes to be a sequence"),
        ({"analysis_kernel_sizes": (9, 5, 5)}, r"to be 4 numbers.*\(2, 2, 2, 2\).* Received: \(9, 5, 5\)"),
    ],
)
def test_wrong_strides_and_kernel_sizes_are_named(sizes, message):
    with pytest.raises(ValueError, match=message):
        ConvTransform(8, 12, **sizes)


@pytest.mark.slow
def test_with_windows_it_obeys_the_laws_of_transforms():
    check_transform(ConvTransform(8, 16, attention=True))


@pytest.mark.parametrize(
    ("sizes", "overlap"),
    [
        ({}, 4),
        ({"kernel_size": 11}, 5),
        ({"analysis_strides": (1, 1, 1, 1, 2)}, 5),
        ({"attention": True}, 11),
        ({"attention": True, "analysis_strides": (4, 4, 1, 1)}, 21),
    ],
)
def test_tiles_overlap_as_far_as_kernels_see(sizes, overlap):
    assert ConvTransform(8, 16, **sizes).tile_overlap == overlap


@pytest.mark.parametrize(
    "sizes",
    [
        {"kernel_size": 11},
        pytest.param({"analysis_strides": (1, 1, 1, 1, 2)}, marks=pytest.mark.slow),
        pytest.param({"attention": True, "analysis_strides": (4, 4, 1, 1)}, marks=pytest.mark.slow),
    ],
)
def test_large_kernels_and_other_strides_obey_the_laws_of_transforms(sizes):
    check_transform(ConvTransform(8, 8, **sizes), quick=True)
