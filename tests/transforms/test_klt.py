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
        ("depthwise", (10, 3), (6, 2)),
        ("depthwise", (9, 2), (5, 1)),
        ("depthwise", (0, 9), (1, 5)),
        ("plain", 3, (4, 3)),
        ("plain", (2, 5), (3, 5)),
    ],
)
def test_tiles_overlap_as_far_as_blocks_see(block, num_blocks, overlap):
    transform = KLTTransform(width=4, latent_depth=4, num_blocks=num_blocks, block=block)
    assert transform.tile_overlap == overlap
    random, side = np.random.default_rng(0), 2 * max(overlap) + 3
    images = random.uniform(0, 255, (1, 16 * side, 16 * side, 3)).astype(np.float32)
    transform(images)  # This makes the weights.
    for weight in transform.weights:  # All are over zero, so that what is far away is not lost in rounding.
        weight.assign(random.uniform(0.5, 1, weight.shape))
    latents, middle = random.uniform(1, 2, (1, side, side, 4)).astype(np.float32), side // 2
    directions = ((transform.analysis, images, 16, 1), (transform.synthesis, latents, 1, 16))
    for reach, (layer, values, before, after) in zip(overlap, directions):
        here = slice(middle * after, (middle + 1) * after)
        result = layer(values)[0, here, here]
        for distance, changes in ((reach, True), (reach + 1, False)):
            others = values.copy()
            others[:, : (middle - distance + 1) * before] *= 2  # All rows that are as far above, or further.
            assert np.any(layer(others)[0, here, here] != result) == changes
