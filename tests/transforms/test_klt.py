import numpy as np
import pytest

from lic.transforms import KLTTransform
from lic.transforms.klt import klt
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


def test_the_step_scales_the_latent():
    images = random_images(1, 32, 32, 3).astype(np.float32)
    fine, coarse = (KLTTransform(width=8, latent_depth=24, step=step).analysis(images) for step in (10.0, 40.0))
    np.testing.assert_allclose(fine, 4 * coarse, rtol=1e-3, atol=1e-3)


def test_more_channels_than_a_block_has_are_refused():
    with pytest.raises(ValueError, match="at most 768.*latent_depth=800"):
        KLTTransform(latent_depth=800)
