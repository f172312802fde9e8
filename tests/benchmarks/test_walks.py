import numpy as np
import pytest

from lic.entropy import FactorizedPrior, Normal, ScaleTable
from lic.environment import tf
from tests.conftest import ENTROPY_MODELS, slow_but, tiny_model


def test_deviations_rise_as_those_of_a_trained_model(load):
    deviations = load("walks").deviations_of(200)
    assert (np.diff(deviations) >= 0).all()
    assert np.quantile(deviations, (0.5, 0.8, 0.95)) == pytest.approx([0.11, 0.23, 0.7], rel=0.02)
    assert 5 < deviations[-1] < 52


def test_a_narrowed_prior_costs_the_bits_of_its_deviations(load):
    deviations, random = np.array([0.5, 2.0, 12.0]), np.random.default_rng(0)
    load("walks").narrow(prior := FactorizedPrior(3), deviations)
    values = tf.constant(np.round(random.normal(0, deviations, (4000, 3))), "float32")
    normal = Normal(ScaleTable(100, 0.01, 100.0))
    indexes = np.broadcast_to([normal.scales.index_of(each) for each in deviations], values.shape)
    ideal = normal.of(tf.zeros_like(values), tf.constant(indexes, "float32")).bits(values)
    bits = prior.bits(values)
    assert np.allclose(np.mean(bits, 0), np.mean(ideal, 0), atol=0.25)


@pytest.mark.parametrize("entropy", slow_but(ENTROPY_MODELS, "charm", "factorized", "parametric"))
def test_the_latent_is_coded_under_the_scales_it_was_drawn_from(load, entropy):
    walks, tasks = load("walks"), load("tasks")
    fewer = {"charm": {"num_slices": 2}, "space-channel": {"group_depths": (16, 24)}}.get(entropy, {})
    model = tiny_model("conv", entropy, latent_depth=40, **fewer)
    latent, within = walks.drawn(model, tasks.Task(f"conv+{entropy}", 96, 64))
    assert latent.shape == (1, 4, 6, 40)
    three = walks.Walks(model, within)
    coded, bits = three.encode(latent), float(three.estimate(latent))
    assert 8 * len(coded.string.numpy()) == pytest.approx(bits, rel=0.05, abs=64)
    _, symbols, cdfs = three.decode(coded.string, 0 * latent)
    assert np.array_equal(symbols, coded.symbols)
    assert np.array_equal(cdfs.index, coded.cdfs.index)
    latent_bits = bits - float(model.entropy(latent).bits.get("side", 0.0))
    assert 0 < latent_bits / tf.size(latent).numpy() < 2


def test_other_weights_code_the_latent_of_the_image(load):
    walks, tasks = load("walks"), load("tasks")
    model = tiny_model("conv", "hyperprior", lmbda=(0.01, 0.02, 0.04))
    latent, within = walks.analysed(model, task := tasks.Task("conv+hyperprior", 40, 24))
    expected = model(task.pixels())
    assert np.allclose(latent, model.rate.apply_gain(expected.y, model.rate.qualities(1)), atol=1e-4)
    three = walks.Walks(model, within)
    assert float(three.estimate(latent)) == pytest.approx(
        float(sum(bits[0] for bits in expected.bits.values())), rel=1e-3
    )
