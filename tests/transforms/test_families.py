"""Laws that every registered transform and hyper transform keeps."""

import numpy as np
import pytest

import lic
from lic import registry
from lic.config import describe, rebuild
from lic.environment import tf
from lic.models.create import parameters
from lic.transforms import SwinTransform
from tests.conftest import TINY, VARIANTS, random_images


def _make(kinds, name):
    """The part of this name, or "conv" as in one of the variants."""
    sizes = VARIANTS[name][1] if name in VARIANTS else {}
    maker = kinds.get("conv" if name in VARIANTS else name)
    return maker(**{key: value for key, value in {**TINY, **sizes}.items() if key in parameters(maker)})


@pytest.fixture(params=["conv", "klt", "swin", "bls2017"])
def transform(request):
    return _make(registry.transforms, request.param)


@pytest.fixture(params=["conv", "swin", "bmshj2018", "mbt2018-mean"])
def hyper(request):
    return _make(registry.hyper_transforms, request.param)


def test_every_registered_name_is_tested_here():
    assert lic.list_transforms() == ["conv", "klt", "swin"]
    assert lic.list_hyper_transforms() == ["conv", "swin"]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 2), (5, 7)])
def test_declared_downscale_and_depth_are_true(transform, rows, columns):
    scale = transform.downscale
    images = random_images(2, rows * scale, columns * scale, 3).astype(np.float32)
    latent = transform.analysis(images)
    assert latent.shape == (2, rows, columns, transform.depth)
    assert transform.synthesis(latent).shape == images.shape
    assert transform(images).shape == images.shape


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (6, 5), (8, 8)])
def test_hyper_transform_takes_any_size(hyper, height, width):
    side = hyper.analysis(tf.random.normal((2, height, width, 12)))
    assert side.shape == (2, -(-height // hyper.downscale), -(-width // hyper.downscale), hyper.depth)
    features = hyper.synthesis(side)
    assert features.shape[1] >= height
    assert features.shape[2] >= width
    assert features.shape[3] == hyper.features


def test_moving_the_image_moves_the_latent(transform):
    # Windows stand still unless the image moves by whole ones.
    step = TINY["window"] if isinstance(transform, SwinTransform) else 1
    images = random_images(1, 20 * transform.downscale, 14 * transform.downscale, 3).astype(np.float32)
    latent = transform.analysis(images)[:, 8:-8, 5:-5]
    moved = transform.analysis(images[:, step * transform.downscale :])[:, 8 - step : -8, 5:-5]
    np.testing.assert_allclose(moved, latent, atol=1e-3 * np.abs(latent).max())


def test_gradients_reach_every_variable(transform):
    images = random_images(1, 32, 32, 3).astype(np.float32)
    # Layers that start at zero hide what is before them from the gradient.
    transform(images)
    for variable in transform.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=1e-2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(transform(images)))
    for variable, gradient in zip(
        transform.trainable_variables, tape.gradient(loss, transform.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.name
        assert np.abs(gradient).max() > 0, variable.name


def test_config_alone_rebuilds_it(transform, hyper):
    for part in (transform, hyper):
        again = rebuild(describe(part))
        assert type(again) is type(part)
        assert again.get_config() == part.get_config()
        assert (again.depth, again.downscale) == (part.depth, part.downscale)


def test_a_latent_must_be_there():
    with pytest.raises(ValueError, match="depth=0"):
        lic.Transform(0)
