import numpy as np
import pytest

import lic
from lic.transforms import RWKVHyperTransform
from tests.conftest import random_images, tiny_model


def test_features_are_as_many_as_channels_of_the_latent_unless_given():
    latent = np.zeros((1, 5, 6, 6), np.float32)
    for features, expected in ((None, 6), (9, 9)):
        hyper = RWKVHyperTransform(6, 8, 4, features=features, hyper_blocks=1)
        side = hyper.analysis(latent)
        assert (side.shape, hyper.synthesis(side).shape) == ((1, 2, 2, 4), (1, 8, 8, expected))


def test_images_are_not_cut_into_tiles():
    model = tiny_model("rwkv", "factorized")
    codec, image = lic.Codec(model, tile=64), random_images(160, 96, 3)
    assert codec.compress(image) == lic.Codec(model, tile=None).compress(image)


def test_no_codec_of_its_hyper_transform_decodes_the_same_everywhere():
    model = tiny_model("conv", "hyperprior", hyper="rwkv")
    with pytest.raises(lic.LicError, match="rwkv_block"):
        lic.Codec(model, deterministic=True, calibration=[random_images(64, 64, 3)])
