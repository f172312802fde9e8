import numpy as np
import pytest

import lic
import lic.registry
from lic.entropy import EVERYTHING, FactorizedPrior, ScaleTable, Tables
from lic.environment import tf


class TwoPriors(lic.EntropyModel):
    """Side information and latent each under a learnt prior."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.second = FactorizedPrior(latent_depth)

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        return coder.learnt(EVERYTHING, self.second) + 0 * tf.reduce_sum(features)


@pytest.fixture
def hyper():
    return lic.registry.hyper_transforms.get("conv")(6, 8, 4)


def test_several_priors_have_tables_of_their_own(hyper):
    entropy = TwoPriors(6, hyper)
    entropy(np.zeros((1, 4, 4, 6), np.float32))
    assert entropy.priors == [entropy.prior, entropy.second]
    assert entropy.make_tables().priors == (4, 6)


def test_scales_are_an_argument(hyper):
    entropy = TwoPriors(6, hyper, scales=(8, 0.5, 32.0))
    assert entropy.scales == ScaleTable(8, 0.5, 32.0)
    assert len(entropy.make_tables().first) == 4 + 6 + 8


def test_scales_are_configured_as_before_unless_they_round_up(hyper):
    assert TwoPriors(6, hyper, scales=ScaleTable()).get_config()["scales"] == [64, 0.11, 256.0]
    entropy = TwoPriors(6, hyper, scales=(8, 0.5, 32.0, "up"))
    assert entropy.get_config()["scales"] == [8, 0.5, 32.0, "up"]
    tables = entropy.make_tables()
    assert tables.described()["scales"] == [8, 0.5, 32.0, "up"]
    assert Tables.from_arrays(tables.arrays(), tables.described()).scales == entropy.scales


def test_likelihood_bound_is_of_estimates_alone(hyper):
    latent = np.full((1, 4, 4, 6), 1e4, np.float32)
    plain = lic.registry.entropy_models.get("factorized")(6)
    bounded = lic.registry.entropy_models.get("factorized")(6, likelihood_bound=1e-9)
    most = latent.size * np.log2(1e9)
    assert float(plain(latent).bits["latent"][0]) > most
    assert float(bounded(latent).bits["latent"][0]) == pytest.approx(most, rel=1e-5)
    values = tf.Variable(latent)
    with tf.GradientTape() as tape:
        bits = bounded(tf.convert_to_tensor(values), training=True).bits["latent"]
    assert np.all(tape.gradient(bits, values) > 0)  # Back to where numbers are probable.


def test_a_walk_must_be_written():
    class NoWalk(lic.EntropyModel):
        pass

    with pytest.raises(NotImplementedError, match="NoWalk.*walk"):
        NoWalk(4)(np.zeros((1, 2, 2, 4), np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_depth": 0}, "expected latent_depth to be at least 1. Received: 0"),
        ({"quantization": "none"}, "expected quantization to be one of"),
        ({"scales": (1, 0.1, 2.0)}, "expected scales to be"),
        ({"scales": (64, 2.0, 1.0)}, "expected scales to be"),
        ({"scales": (64, 0.1, 2.0, "down")}, "expected scales to be"),
        ({"likelihood_bound": 0}, "expected likelihood_bound to be None or between 0 and 1. Received: 0"),
    ],
)
def test_wrong_arguments_are_named(hyper, arguments, message):
    with pytest.raises(ValueError, match=message):
        TwoPriors(**{"latent_depth": 6, "hyper": hyper} | arguments)
