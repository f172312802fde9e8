"""Every registered entropy model with every registered likelihood."""

import numpy as np
import pytest

import lic
from lic.config import describe, rebuild
from lic.testing.entropy_laws import (
    estimating_encoding_and_decoding_are_equal_to_the_bit,
    gradients_reach_every_variable,
    no_part_depends_on_a_later_one,
    real_bits_are_near_the_estimate,
    they_are_equal_in_a_graph_that_was_traced_once,
    trial_of_entropy_model,
)
from tests.conftest import ENTROPY_MODELS, INEXACT, random_images, slow_but, tiny_model

LIKELIHOODS = [
    "generalized-normal",
    "generalized-normal-per-channel",
    "laplace",
    "logistic",
    "normal",
    "normal-mixture",
]
WITH_LIKELIHOOD = [name for name in ENTROPY_MODELS if name != "factorized"]
MIXES = [(entropy, likelihood) for entropy in WITH_LIKELIHOOD for likelihood in LIKELIHOODS]
# Each entropy model and each likelihood is in one of these; the other mixes are slow.
FEW = [
    ("autoregressive", "laplace"),
    ("charm", "logistic"),
    ("checkerboard", "laplace"),
    ("dual", "generalized-normal"),
    ("hierarchical", "normal"),
    ("hyperprior", "normal"),
    ("multi-reference", "normal"),
    ("parametric", "laplace"),
    ("quadtree", "generalized-normal-per-channel"),
    ("space-channel", "normal-mixture"),
]
# Fewer shapes than the table has, so that the coder's tables are small.
SMALLER = {"generalized-normal-per-channel": {"shapes": (4, 0.6, 2.5)}}
IMAGE = random_images(50, 70, 3)


def test_every_registered_name_is_tested_here():
    assert lic.list_likelihoods() == LIKELIHOODS
    assert lic.list_entropy_models() == ENTROPY_MODELS
    assert {name for mix in FEW for name in mix} == {*WITH_LIKELIHOOD, *LIKELIHOODS}


@pytest.mark.parametrize(("entropy", "likelihood"), slow_but(MIXES, *FEW))
def test_estimating_encoding_and_decoding_give_the_same(entropy, likelihood):
    fewer = {"charm": {"num_slices": 4}, "space-channel": {"group_depths": (5, 7)}}.get(entropy, {})
    model = tiny_model("conv", entropy, likelihood=likelihood, **fewer, **SMALLER.get(likelihood, {})).entropy
    assert isinstance(model.likelihood, lic.registry.likelihoods.get(likelihood))
    # Many steps take long; tests of these entropy models, in files of their own, code latents of every size.
    long = (entropy, likelihood) in [("autoregressive", "laplace"), ("hierarchical", "normal")]
    trial_of_entropy_model(model).check(
        *([] if long else [estimating_encoding_and_decoding_are_equal_to_the_bit]),
        real_bits_are_near_the_estimate,
        no_part_depends_on_a_later_one,
        gradients_reach_every_variable,
    )


# Codecs trace each entropy model too, in tests/codec/test_codec.py. A likelihood's arithmetic may differ in a graph.
@pytest.mark.parametrize(("entropy", "likelihood"), slow_but(MIXES, *(("hyperprior", name) for name in LIKELIHOODS)))
def test_they_are_equal_in_a_graph(entropy, likelihood):
    model = tiny_model("conv", entropy, likelihood=likelihood, **SMALLER.get(likelihood, {})).entropy
    trial_of_entropy_model(model).check(they_are_equal_in_a_graph_that_was_traced_once)


@pytest.mark.parametrize(
    ("entropy", "likelihood", "deterministic"),
    slow_but(
        [(*mix, exact) for mix in MIXES for exact in (False, True) if not (exact and mix[0] in INEXACT)],
        ("charm", "logistic", False),
        ("checkerboard", "generalized-normal-per-channel", True),
    ),
)
def test_codecs_of_several_rates_take_at_most_the_estimated_bits(entropy, likelihood, deterministic):
    model = tiny_model("klt", entropy, likelihood=likelihood, lmbda=(0.002, 0.02), **SMALLER.get(likelihood, {}))
    codec = lic.Codec(model, deterministic=deterministic, calibration=[IMAGE] if deterministic else None)
    for quality in (1, 1.5, 2):
        stream = codec.compress(IMAGE, quality=quality)
        assert codec.decompress(stream).shape == IMAGE.shape
        if not deterministic:
            # Numbers that are far out for fresh scales are escapes, which are cheaper than the tail of a distribution.
            assert 8 * len(stream) <= 1.02 * sum(codec.estimate(IMAGE, quality=quality).values()) + 260


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_configuration_holds_the_likelihood(likelihood):
    model = tiny_model("conv", "hyperprior", likelihood=likelihood, scales=(16, 0.2, 100.0)).entropy
    assert tuple(model.likelihood.scales) == (16, 0.2, 100.0, "nearest")
    again = rebuild(describe(model))
    assert type(again.likelihood) is type(model.likelihood)
    assert again.likelihood.configuration() == model.likelihood.configuration()
    assert again.configuration() == model.configuration()


def test_a_codec_file_holds_the_likelihood(tmp_path):
    codec = lic.Codec(tiny_model("klt", "hyperprior", residual=False, likelihood="laplace"))
    codec.save(tmp_path / "mine.codec")
    again = lic.load(tmp_path / "mine.codec")
    assert again.fingerprint == codec.fingerprint
    stream = codec.compress(IMAGE)
    np.testing.assert_array_equal(again.decompress(stream), codec.decompress(stream))
    normal = lic.Codec(tiny_model("klt", "hyperprior", residual=False))
    assert normal.fingerprint != codec.fingerprint


def test_factorized_refuses_a_likelihood():
    with pytest.raises(lic.RegistryError, match="expected no likelihood, since Factorized takes none"):
        lic.create_model(transform="klt", entropy="factorized", likelihood="laplace")


def test_an_unknown_likelihood_is_named():
    with pytest.raises(lic.RegistryError, match="There is no likelihood named 'laplac'. Did you mean 'laplace'"):
        lic.create_model(transform="klt", entropy="hyperprior", likelihood="laplac")
