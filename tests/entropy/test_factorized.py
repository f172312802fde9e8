import numpy as np
import pytest

from lic.entropy import Estimate, Normal
from lic.entropy.factorized import Factorized
from lic.environment import tf


@pytest.fixture(scope="module")
def entropy():
    return Factorized(6, prior_filters=(2,))


def test_there_is_no_side_information(entropy):
    coder = Estimate(tf.random.normal((2, 3, 4, 6)))
    entropy.walk(coder)
    assert entropy.hyper is None
    assert coder.z_hat is None


def test_its_latent_is_rounded(entropy):
    latent = tf.random.normal((1, 3, 4, 6), stddev=5.0)
    np.testing.assert_array_equal(entropy.walk(Estimate(latent)), np.round(latent))


def test_it_has_no_likelihood(entropy):
    assert entropy.likelihood is None
    assert list(entropy.sources) == ["prior"]
    with pytest.raises(TypeError, match="likelihood"):
        Factorized(6, likelihood=Normal())


def test_its_configuration_makes_the_same(entropy):
    copy = Factorized.from_config(entropy.configuration())
    assert copy.configuration() == entropy.configuration()
    assert copy.configuration()["prior_filters"] == [2]
