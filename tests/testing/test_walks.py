import numpy as np
import pytest

from lic.testing.walks import Walks
from tests.conftest import tiny_model


@pytest.fixture(scope="module", params=["factorized", "charm"])
def walks(request):
    model = tiny_model("conv", request.param)
    return Walks(model.entropy)


@pytest.fixture(scope="module")
def latent(walks):
    return walks.drawn(5, 6)[0]


def test_the_three_walks_give_the_same(walks, latent):
    estimated, encoded = walks.estimate(latent), walks.encode(latent)
    decoded = walks.decode(encoded.string, latent * 0)
    for walked in (encoded, decoded):
        np.testing.assert_array_equal(walked.y_hat, estimated.y_hat)
    np.testing.assert_array_equal(encoded.symbols, decoded.symbols)
    assert estimated.symbols is None
    assert estimated.string is None
    assert len(encoded.string.numpy()) > 0


def test_drawn_latents_depend_on_the_seed(walks, latent):
    np.testing.assert_array_equal(walks.drawn(5, 6)[0], latent)
    if walks.entropy.hyper is not None:
        assert not np.array_equal(walks.drawn(5, 6, seed=1)[0], latent)


def test_every_part_is_recorded(walks, latent):
    records = walks.recorded(latent)[0]
    assert records
    for record in records:
        assert record.distribution.shape.is_compatible_with(record.part.take(latent).shape)


def test_side_information_may_be_that_of_another_latent(walks, latent):
    side = walks.estimate(latent).z_hat
    assert (side is None) == (walks.entropy.hyper is None)
    if side is not None:
        np.testing.assert_array_equal(walks.recorded(latent + 30.0, [side])[1][0], side)
