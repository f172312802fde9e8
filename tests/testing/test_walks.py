import numpy as np
import pytest

from lic.testing.walks import Walks
from tests.conftest import tiny_model


@pytest.fixture(scope="module", params=["factorized", "charm"])
def walks(request):
    model = tiny_model("conv", request.param)
    model.make_variables()
    return Walks(model.entropy)


@pytest.fixture(scope="module")
def latent(walks):
    return walks.drawn(5, 6)


def test_the_three_walks_give_the_same(walks, latent):
    estimated, encoded = walks.estimate(latent), walks.encode(latent)
    decoded = walks.decode(encoded.string, latent * 0)
    for walked in (encoded, decoded):
        np.testing.assert_array_equal(walked.y_hat, estimated.y_hat)
    np.testing.assert_array_equal(encoded.symbols, decoded.symbols)
    assert estimated.symbols is None
    assert estimated.string is None
    assert len(encoded.string.numpy()) > 0


def test_latents_are_drawn_as_the_seed_says(walks, latent):
    np.testing.assert_array_equal(walks.drawn(5, 6), latent)
    if walks.entropy.hyper is not None:
        assert not np.array_equal(walks.drawn(5, 6, seed=1), latent)


def test_every_part_is_observed(walks, latent):
    observed = walks.observed(latent)
    assert len(observed.parts) == len(observed.parameters) >= 1
    for part, parameters in zip(observed.parts, observed.parameters):
        if parameters is not None:
            mean, index = parameters
            assert mean.shape == index.shape == part.take(latent).shape


def test_another_latent_takes_the_place_once_side_information_is_coded(walks, latent):
    changed = latent + 3.0
    observed = walks.observed(latent, changed)
    np.testing.assert_array_equal(observed.latent, changed)
    if walks.entropy.hyper is not None:
        np.testing.assert_array_equal(observed.z_hat, walks.estimate(latent).z_hat)
