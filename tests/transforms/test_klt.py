import numpy as np
import pytest

from lic.environment import policy
from lic.transforms import KLTTransform
from lic.transforms.klt import cosine_basis, klt
from tests.conftest import random_images


def test_basis_is_orthonormal_and_sorted():
    basis, variances = klt()
    np.testing.assert_allclose(basis.T @ basis, np.eye(768), atol=2e-3)
    assert (np.diff(variances) <= 0).all()


def test_untrained_it_is_the_linear_transform():
    images = random_images(1, 64, 48, 3).astype(np.float32)
    full = KLTTransform(width=8, latent_depth=768)(images)
    assert np.abs(full - images).max() < 1
    half = KLTTransform(width=8, latent_depth=96)(images)
    assert np.mean((half - images) ** 2) < 0.2 * np.var(images)


@pytest.mark.parametrize("name", ["bfloat16", "float64", "mixed_bfloat16"])
def test_untrained_it_is_the_linear_transform_whatever_the_policy(name):
    images = random_images(1, 32, 48, 3).astype(np.float32)
    with policy(name):
        full = KLTTransform(width=8, latent_depth=768)(images)
    assert full.dtype == np.float32
    assert np.abs(full - images).max() < 1


@pytest.mark.parametrize("channels", [1, 4, 13])
def test_other_channels_start_with_cosines_by_rising_frequency(channels):
    basis = cosine_basis(channels, 256 * channels)
    np.testing.assert_allclose(basis.T @ basis, np.eye(256 * channels), atol=1e-5)
    np.testing.assert_array_equal(cosine_basis(channels, 7), basis[:, :7])
    vectors = basis.T.reshape(256, channels, 16, 16, channels)
    np.testing.assert_allclose(vectors[0, 0, :, :, 0], 1 / 16, atol=1e-6)
    for channel in range(channels):  # A vector has numbers in one channel only.
        assert np.abs(np.delete(vectors[:, channel], channel, -1)).max(initial=0) == 0
    slopes = sum(np.square(np.diff(vectors[:, 0, ..., 0], axis=axis)).sum((1, 2)) for axis in (1, 2))
    assert slopes.argmin() == 0
    assert slopes[:64].max() < slopes[-64:].min()


@pytest.mark.parametrize("channels", [1, 4])
def test_untrained_it_is_the_linear_transform_of_other_channels(channels):
    images = random_images(1, 64, 48, channels).astype(np.float32)
    full = KLTTransform(width=8, latent_depth=256 * channels, channels=channels)(images)
    assert np.abs(full - images).max() < 1
    half = KLTTransform(width=8, latent_depth=32 * channels, channels=channels)(images)
    assert np.mean((half - images) ** 2) < 0.2 * np.var(images)
    with pytest.raises(ValueError, match=f"at most {256 * channels}.*latent_depth=2000"):
        KLTTransform(latent_depth=2000, channels=channels)


def test_depthwise_blocks_refine_as_plain_ones_do():
    images = random_images(1, 32, 48, 3).astype(np.float32)
    sizes = {"width": 8, "latent_depth": 24, "num_blocks": (2, 1)}
    plain, depthwise = KLTTransform(**sizes), KLTTransform(block="depthwise", **sizes)
    np.testing.assert_array_equal(depthwise(images), plain(images))  # The exits of branches start at zero.
    assert [len(each.branch.layers) for each in (depthwise.analysis, depthwise.synthesis)] == [5, 3]
    block = depthwise.analysis.branch.layers[2]
    values = np.random.default_rng(0).normal(size=(1, 5, 6, 8)).astype(np.float32)
    first = values + block.second(block.depthwise(block.first(values)))
    upper, lower = np.split(block.wide(first), 2, -1)
    np.testing.assert_allclose(block(values), first + block.last(upper + lower), atol=1e-6)
    assert 0.02 < np.std(block(values) - values) < 1  # It starts near the identity.
    with pytest.raises(ValueError, match="block to be one of 'plain', 'depthwise'. Received: block='wide'"):
        KLTTransform(block="wide")


def test_the_step_scales_the_latent():
    images = random_images(1, 32, 32, 3).astype(np.float32)
    fine, coarse = (KLTTransform(width=8, latent_depth=24, step=step).analysis(images) for step in (10.0, 40.0))
    np.testing.assert_allclose(fine, 4 * coarse, rtol=1e-3, atol=1e-3)


def test_more_channels_than_a_block_has_are_refused():
    with pytest.raises(ValueError, match="at most 768.*latent_depth=800"):
        KLTTransform(latent_depth=800)


@pytest.mark.parametrize(
    ("block", "num_blocks", "overlap"),
    [
        ("depthwise", (7, 3), 4),
        ("depthwise", (9, 2), 5),
        ("depthwise", (1, 9), 5),
        ("plain", 3, 4),
        ("plain", (2, 5), 6),
    ],
)
def test_tiles_overlap_as_far_as_blocks_see(block, num_blocks, overlap):
    transform = KLTTransform(width=4, latent_depth=4, num_blocks=num_blocks, block=block)
    side = 2 * overlap + 3
    images, others = random_images(2, 16 * side, 16 * side, 3).astype(np.float32)[:, None]
    transform(images)  # This makes the weights.
    random = np.random.default_rng(0)
    for weight in transform.weights:  # Their start would make branches zero.
        weight.assign(random.normal(scale=0.3, size=weight.shape))
    others[:, 16:-16, 16:-16] = images[:, 16:-16, 16:-16]  # They differ in what is further away than the overlap.
    latent, other = (transform.analysis(each)[0, overlap + 1, overlap + 1] for each in (images, others))
    np.testing.assert_array_equal(latent, other)
    latents = random.normal(size=(2, 1, side, side, 4)).astype(np.float32)
    latents[1, :, 1:-1, 1:-1] = latents[0, :, 1:-1, 1:-1]
    middle = slice(16 * (overlap + 1), 16 * (overlap + 2))
    pixels, other = (transform.synthesis(each)[0, middle, middle] for each in latents)
    np.testing.assert_array_equal(pixels, other)
