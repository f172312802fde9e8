import json

import numpy as np
import pytest

import lic
from lic.errors import RegistryError
from lic.models.create import parameters
from tests.conftest import MIXES, SPREAD, random_images, tiny_model


def test_every_part_is_in_a_mix_that_is_not_slow():
    transforms, entropy_models = zip(*SPREAD)
    assert sorted({*transforms}) == lic.list_transforms()
    assert sorted({*entropy_models}) == lic.list_entropy_models()


@pytest.mark.parametrize(("transform", "entropy"), MIXES)
def test_every_mix_works_with_no_sizes_given(transform, entropy):
    model = lic.create_model(transform=transform, entropy=entropy)
    assert model.lmbda == 0.01
    assert model.transform.depth == model.entropy.latent_depth


@pytest.mark.parametrize(("transform", "entropy"), MIXES)
def test_config_alone_rebuilds_the_model(transform, entropy):
    model = tiny_model(transform, entropy, lmbda=0.02)
    again = lic.CompressionModel.from_config(model.get_config())
    images = random_images(1, 32, 48, 3).astype(np.float32)
    model(images), again(images)
    assert again.get_config() == model.get_config()
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(images).x_hat, model(images).x_hat)


@pytest.mark.parametrize("lmbda", [(0.002, 0.05), [0.002, 0.05], np.array([0.002, 0.05])])
def test_a_sequence_of_lmbda_makes_a_model_of_several_rates(lmbda):
    model = tiny_model("klt", "hyperprior", lmbda=lmbda)
    assert model.lmbda == (0.002, 0.05)
    assert model.rate.count == 2


def test_config_alone_rebuilds_a_model_of_several_rates():
    model = tiny_model("klt", "factorized", lmbda=lic.LAMBDAS["ms-ssim"], distortion="ms-ssim")
    again = lic.CompressionModel.from_config(json.loads(json.dumps(model.get_config())))
    assert again.get_config() == model.get_config()
    assert (again.lmbda, again.distortion, again.rate.count) == (lic.LAMBDAS["ms-ssim"], "ms-ssim", 8)


def test_a_config_from_before_distortions_is_one_of_mse():
    config = tiny_model("klt", "factorized").get_config()
    del config["distortion"]
    assert lic.CompressionModel.from_config(config).distortion == "mse"


def test_names_take_overrides():
    model = lic.create_model("default", entropy="hyperprior", latent_depth=96, lmbda=0.5)
    assert (type(model.entropy).__name__, model.transform.depth, model.lmbda) == ("Hyperprior", 96, 0.5)


def test_sizes_go_to_every_part_that_has_them():
    model = lic.create_model(transform="conv", entropy="charm", latent_depth=64, num_slices=4, side_depth=8)
    assert (model.transform.depth, model.entropy.latent_depth, model.entropy.hyper.depth) == (64, 64, 8)
    assert len(model.entropy.slices) == 4


def test_arguments_of_the_base_class_are_sizes_too():
    assert "quantization" in parameters(lic.registry.entropy_models.get("charm"))
    assert lic.create_model("default", quantization="ste/ste").entropy.quantization == "ste/ste"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "defualt"}, "no model named 'defualt'. Did you mean 'default'"),
        ({"transform": "con", "entropy": "charm"}, "no transform named 'con'. Did you mean 'conv'"),
        ({"transform": "conv", "entropy": "charn"}, "no entropy model named 'charn'. Did you mean 'charm'"),
        ({"transform": "conv", "entropy": "charm", "hyper": "x"}, "no hyper transform named 'x'. Known: conv"),
        (
            {"transform": "conv", "entropy": "charm", "num_slice": 4},
            "has the size 'num_slice'. Did you mean 'num_slices",
        ),
        ({"transform": "conv", "entropy": "factorized", "side_depth": 4}, "has the size 'side_depth'"),
        ({"transform": "conv"}, "expected a name, or both transform and entropy"),
        ({}, "expected a name, or both transform and entropy"),
    ],
)
def test_wrong_names_and_sizes_are_told_with_near_ones(arguments, message):
    with pytest.raises(RegistryError, match=message):
        lic.create_model(**arguments)
