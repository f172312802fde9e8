import numpy as np
import pytest

from lic.entropy import EVERYTHING, GeneralizedNormalPerChannel, Normal, NormalMixture, Record
from lic.entropy.coders.base import Latent
from lic.environment import tf


@pytest.fixture
def likelihoods(load):
    return load("bench_likelihoods")


def test_tables_cost_a_little(likelihoods, monkeypatch):
    monkeypatch.setattr(likelihoods, "fit", lambda *_: None)
    random, shape = np.random.default_rng(0), (1, 20, 20, 3)
    scales = random.uniform(0.5, 8, shape)
    index = tf.constant(np.vectorize(Normal().scales.index_of)(scales), tf.float32)
    mean, values = (tf.constant(random.normal(0, scales), tf.float32) for _ in range(2))
    record = Record(EVERYTHING, Normal().of(mean, index), mean + tf.round(values), Latent("", mean, mean))
    exact = float(tf.reduce_sum(record.distribution.bits(tf.round(values))))
    for likelihood in (Normal(), GeneralizedNormalPerChannel(3, shapes=(3, 1.5, 2.5), shape=2.0), NormalMixture()):
        row = likelihoods.measure(likelihood, [record], mean + values)
        assert 0 < float(row["all"]) < 0.5
        assert float(row["all"]) == pytest.approx(float(row["rounding"]) + float(row["counts"]), abs=2e-3)
        assert float(row["exact"].replace(",", "")) == pytest.approx(
            exact, rel=0.1 if likelihood.mixture_size else 0.01
        )
