"""Properties of every registered entropy model beside the laws of `lic.testing`."""

import numpy as np
import pytest

import lic
from lic.config import describe, rebuild
from lic.entropy import Encode
from lic.entropy.range_coding.cdf_tables import LIMIT
from lic.environment import tf
from lic.testing.walks import Walks
from tests.conftest import ENTROPY_MODELS, FEW_ENTROPY_MODELS, VARIANTS, moved_model, slow_but


def test_every_registered_name_is_tested_here():
    assert lic.list_entropy_models() == ENTROPY_MODELS


# The context of this model sees noise in training, whatever rate and decoder see.
_WITHOUT_NOISE = {"autoregressive": {"training_context": "rounded"}}


@pytest.fixture(params=slow_but([*ENTROPY_MODELS, *VARIANTS], *FEW_ENTROPY_MODELS))
def entropy(request):
    """Returns a tiny entropy model whose weights are moved off their start, so that no network is zero."""
    return moved_model(request.param).entropy


def _latent(entropy, *shape, spread=3.0):
    return tf.random.normal((*shape, entropy.latent_depth), stddev=spread)


def test_symbols_are_clipped_in_all_three_walks(entropy):
    walks, latent = Walks(entropy), tf.fill((1, 2, 3, entropy.latent_depth), 1e9)
    encoded = walks.encode(latent)
    decoded = walks.decode(encoded.string, tf.zeros_like(latent))
    assert np.abs(encoded.symbols).max() == LIMIT
    np.testing.assert_array_equal(decoded.symbols, encoded.symbols)
    for walked in (decoded, walks.estimate(latent)):
        np.testing.assert_array_equal(walked.y_hat, encoded.y_hat)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf")])
def test_latents_that_are_not_finite_are_reported(entropy, value):
    latent = _latent(entropy, 1, 3, 4).numpy()
    if value is not None:
        latent[0, 1, 2, 0] = value
    coder = Encode(tf.constant(latent), entropy.make_tables())
    entropy.walk(coder)
    assert bool(coder.finish().finite) == (value is None)


@pytest.mark.parametrize("quantization", ["noise/ste", "noise/noise", "ste/ste"])
def test_quantization_in_training(entropy, quantization):
    config = describe(entropy)
    config["config"] |= {"quantization": quantization} | _WITHOUT_NOISE.get(config["name"], {})
    again = rebuild(config)
    latent = tf.zeros((1, 8, 9, entropy.latent_depth)) + 0.3
    first, second = (again(latent, training=True) for _ in range(2))
    rate_is_noisy = any(np.any(first.bits[part] != second.bits[part]) for part in first.bits)
    decoder_is_noisy = bool(np.any(first.y_hat != second.y_hat))
    assert rate_is_noisy == quantization.startswith("noise")
    assert decoder_is_noisy == quantization.endswith("noise")


def test_straight_through_is_rounding_to_the_bit(entropy):
    config = describe(entropy)
    if config["name"] == "autoregressive":
        pytest.skip("Its context is computed at once in training, from latents that are rounded without their means.")
    config["config"]["quantization"] = "ste/ste"
    again = rebuild(config)
    latent = _latent(entropy, 1, 4, 5)
    trained, evaluated = again(latent, training=True), again(latent)
    np.testing.assert_array_equal(trained.y_hat, evaluated.y_hat)


def test_wrong_arguments_are_named(entropy):
    maker, config = type(entropy), describe(entropy)
    config["config"]["quantization"] = "round"
    with pytest.raises(ValueError, match=f"{maker.__name__}: expected quantization .* Received: 'round'"):
        rebuild(config)
