import numpy as np
import pytest

import lic
from lic.environment import keras
from tests.conftest import TRANSFORMS, random_images, tiny_model


class Half(lic.Transform):
    """Means of 2x2 pixels, and back by repetition; it is not registered."""

    def __init__(self, latent_depth: int = 3, **kwargs):
        super().__init__(latent_depth, 2, **kwargs)
        self.analysis = keras.layers.AveragePooling2D(2)
        self.synthesis = keras.layers.UpSampling2D(2)


def test_a_transform_is_its_synthesis_after_its_analysis():
    images = np.arange(48, dtype=np.float32).reshape(1, 4, 4, 3)
    half = Half()
    assert half(images).shape == images.shape
    np.testing.assert_allclose(half(images)[0, :2, :2].numpy().std((0, 1)), 0)


def test_its_arguments_are_its_configuration():
    assert Half(3).configuration() == {"latent_depth": 3}
    assert Half.from_config({"latent_depth": 3}).depth == 3


def test_tiles_overlap_by_default():
    assert (Half().tile_overlap, Half().tile_multiple) == (4, 1)


def test_a_hyper_transform_has_the_depth_of_its_features():
    hyper = lic.HyperTransform(4, 10)
    assert (hyper.depth, hyper.features, hyper.downscale) == (4, 10, 4)


def test_a_downscale_that_would_fill_the_memory_is_refused():
    with pytest.raises(ValueError, match="downscale to be a whole number from 1 to 128. Received: downscale=256"):
        lic.transforms.ConvTransform(analysis_strides=(64, 4))
    with pytest.raises(ValueError, match="Received: downscale=129"):
        lic.HyperTransform(4, 10, 129)


def test_a_latent_must_be_there():
    with pytest.raises(ValueError, match="depth=0"):
        lic.Transform(0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_fresh_weights_give_no_huge_images(name):
    """Blocks that enlarge their input, one after the other, would start a training at a loss of 1e24."""
    transform = tiny_model(name, "factorized").transform
    latent = transform.analysis(random_images(2, 64, 64, 3).astype(np.float32))
    assert np.std(latent) < 100
    assert np.std(transform.synthesis(latent)) < 1e5
