import itertools

import numpy as np
import pytest

import lic
from lic.entropy.coders.coder import Decode, Encode
from lic.entropy.coders.preview import Preview, check_parts, parts_of
from lic.environment import tf
from tests.conftest import ENTROPY_MODELS, VARIANTS, slow_but, tiny_model

COUNTS = {"charm": 5, "checkerboard": 2, "factorized": 1, "hyperprior": 1}


def test_every_registered_name_is_tested_here():
    assert lic.list_entropy_models() == ENTROPY_MODELS


@pytest.fixture(params=slow_but([*ENTROPY_MODELS, *VARIANTS], *ENTROPY_MODELS))
def model(request):
    """A tiny model whose entropy model's weights are moved off their start, so that no network is zero."""
    name, sizes = VARIANTS.get(request.param, (request.param, {}))
    return moved(tiny_model("conv", name, **sizes))


def moved(model):
    model.make_variables()
    for variable in model.entropy.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    return model


def coded(entropy, *size):
    """A latent, its string and the tables."""
    latent, tables = tf.random.normal((1, *size, entropy.latent_depth), stddev=5.0), entropy.make_tables()
    entropy.walk(coder := Encode(latent, tables, entropy.priors))
    return latent, coder.finish()[0], tables


def preview(entropy, string, tables, latent, parts):
    coder = Preview(string, tf.zeros_like(latent), tables, entropy.priors, parts)
    return entropy.walk(coder).numpy(), coder.finish()[0].numpy()


@pytest.mark.parametrize("size", [(1, 1), (3, 7)])
def test_symbols_of_fewer_parts_are_the_first_ones_and_all_parts_are_the_ordinary_decode(model, size):
    entropy = model.entropy
    latent, string, tables = coded(entropy, *size)
    count = len(parts_of(entropy))
    read = [preview(entropy, string, tables, latent, parts) for parts in (*range(count + 1), 99)]
    for (_, fewer), (_, more) in itertools.pairwise(read):
        np.testing.assert_array_equal(fewer, more[: len(fewer)])
    assert len(read[-1][1]) - len(read[0][1]) == latent.shape.num_elements()
    coder = Decode(string, tf.zeros_like(latent), tables, entropy.priors)
    expected = entropy.walk(coder).numpy(), coder.finish()[0].numpy()
    for found in read[-2:]:
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("parts", range(6))
def test_charm_is_a_walk_by_hand(parts):
    entropy = moved(tiny_model("conv", "charm", residual=False)).entropy
    latent, string, tables = coded(entropy, 3, 5)
    found, _ = preview(entropy, string, tables, latent, parts)
    whole = entropy.walk(Decode(string, tf.zeros_like(latent), tables, entropy.priors))
    coder = Decode(string, tf.zeros_like(latent), tables, entropy.priors)
    features, slices = coder.side(entropy.hyper, entropy.prior), []
    for number, networks in enumerate(entropy.slices):
        support = tf.concat([features, *slices[: entropy.max_support]], -1)
        known = whole[..., slice(*networks.part)]
        slices.append(known if number < parts else networks.mean(support))
    np.testing.assert_allclose(found, tf.concat(slices, -1), atol=1e-5)


def test_a_learnt_prior_gives_its_median():
    entropy = tiny_model("conv", "factorized").entropy
    entropy.prior.biases[-1].assign(entropy.prior.biases[-1] - 3.0)
    latent, string, tables = coded(entropy, 4, 3)
    found, symbols = preview(entropy, string, tables, latent, 0)
    assert symbols.shape == (0,)
    np.testing.assert_array_equal(found, np.broadcast_to(tables.prior_medians(0), latent.shape))
    assert np.abs(found).max() > 0


@pytest.mark.parametrize("name", ENTROPY_MODELS)
def test_parts_are_counted_without_the_side_information(name):
    model = tiny_model("conv", name)
    names = parts_of(model.entropy)
    expected = COUNTS.get(name) or 2 * len(model.entropy.groups)
    assert len(names) == expected
    assert "side" not in names
    bits = model(np.zeros((1, 32, 32, 3), np.float32)).bits
    assert [part for part in bits if part != "side"] == list(names)


@pytest.mark.parametrize("parts", [None, 0, 7, np.int64(3)])
def test_numbers_of_parts_are_taken(parts):
    check_parts(parts)


@pytest.mark.parametrize("parts", [-1, 1.0, "2", True, np.float32(1), (1,)])
def test_what_is_no_number_of_parts_is_told(parts):
    with pytest.raises(ValueError, match="Codec: expected parts to be None for all, or an integer from 0. Received: "):
        check_parts(parts)
