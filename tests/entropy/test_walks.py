"""The laws of walks, for every registered entropy model."""

import numpy as np
import pytest

import lic
from lic.config import describe, rebuild
from lic.entropy import Decode, Encode, Estimate
from lic.entropy.tables import LIMIT
from lic.environment import keras, tf
from tests.conftest import VARIANTS, tiny_model

ENTROPY_MODELS = ["charm", "checkerboard", "factorized", "hyperprior", "space-channel"]
SIZES = [(1, 1), (1, 5), (4, 4), (3, 7)]


def test_every_registered_name_is_tested_here():
    assert lic.list_entropy_models() == ENTROPY_MODELS


@pytest.fixture(params=[*ENTROPY_MODELS, *VARIANTS])
def entropy(request):
    """A tiny entropy model whose weights are moved off their start, so that no network is zero."""
    name, sizes = VARIANTS.get(request.param, (request.param, {}))
    model = tiny_model("conv", name, **sizes)
    model(np.zeros((1, 64, 64, 3), np.float32))
    for variable in model.entropy.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    if not sizes.get("parameter_network", True):
        _start_at_scales_of_one(model.entropy)
    return model.entropy


def _start_at_scales_of_one(entropy):
    """Moves scale indexes that are features themselves to where a parameter network would start."""
    bias = entropy.hyper.synthesis.layers[-1].bias
    index = entropy.scales.index(1.0)
    bias.assign(bias + np.repeat([0.0, index], [bias.shape[0] - entropy.latent_depth, entropy.latent_depth]))


def _latent(entropy, *shape, spread=3.0):
    return tf.random.normal((*shape, entropy.latent_depth), stddev=spread)


def _estimate(entropy, latent):
    coder = Estimate(latent, entropy.scales)
    return entropy.walk(coder), coder.z_hat


def _encode(entropy, tables, latent):
    coder = Encode(latent, tables, entropy.priors)
    return entropy.walk(coder), coder.z_hat, *coder.finish()[:3]


def _decode(entropy, tables, string, zeros):
    coder = Decode(string, zeros, tables, entropy.priors)
    return entropy.walk(coder), coder.z_hat, coder.finish()[0]


def _assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("spread", [3.0, 300.0, 1e6])
def test_estimate_encode_and_decode_are_equal_to_the_bit(entropy, size, spread):
    latent, tables = _latent(entropy, 1, *size, spread=spread), entropy.make_tables()
    *encoded, string, symbols, finite = _encode(entropy, tables, latent)
    *decoded, read = _decode(entropy, tables, string, tf.zeros_like(latent))
    assert finite
    _assert_same(encoded, _estimate(entropy, latent))
    _assert_same([*encoded, symbols], [*decoded, read])


def test_they_are_equal_in_a_graph_that_was_traced_once(entropy):
    tables, traces = entropy.make_tables(), []
    spec = tf.TensorSpec((1, None, None, entropy.latent_depth))
    estimate = tf.function(lambda latent: _estimate(entropy, latent)[:1], [spec])
    encode = tf.function(lambda latent: traces.append(1) or _encode(entropy, tables, latent), [spec])
    decode = tf.function(
        lambda string, zeros: _decode(entropy, tables, string, zeros), [tf.TensorSpec((), tf.string), spec]
    )
    for size in SIZES:
        latent = _latent(entropy, 1, *size)
        *encoded, string, symbols, _ = encode(latent)
        *decoded, read = decode(string, tf.zeros_like(latent))
        _assert_same([*encoded, symbols], [*decoded, read])
        _assert_same(encoded[:1], estimate(latent))
    assert len(traces) == 1


def test_quantised_latents_are_within_half_a_step(entropy):
    latent = _latent(entropy, 1, 3, 7)
    y_hat, _ = _estimate(entropy, latent)
    # Latent residual prediction adds up to half a step more.
    assert np.abs(y_hat - latent).max() <= 1 + 1e-4


def test_symbols_are_clipped_in_all_three_walks(entropy):
    latent, tables = tf.fill((1, 2, 3, entropy.latent_depth), 1e9), entropy.make_tables()
    encoded, _, string, symbols, finite = _encode(entropy, tables, latent)
    decoded, _, read = _decode(entropy, tables, string, tf.zeros_like(latent))
    assert finite
    assert np.abs(symbols).max() == LIMIT
    _assert_same([encoded, symbols, encoded], [decoded, read, _estimate(entropy, latent)[0]])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_latents_that_are_not_finite_are_told(entropy, value):
    latent = _latent(entropy, 1, 3, 4).numpy()
    latent[0, 1, 2, 0] = value
    *_, finite = _encode(entropy, entropy.make_tables(), tf.constant(latent))
    assert not finite


def test_real_bits_are_near_the_estimate(entropy):
    # Symbols drawn from the model's own distributions: a latent of zeros rounds to the means.
    latent = tf.zeros((1, 24, 24, entropy.latent_depth))
    estimated = float(tf.add_n(list(entropy(latent).bits.values()))[0])
    string = _encode(entropy, entropy.make_tables(), latent)[2].numpy()
    assert abs(8 * len(string) - estimated) <= 0.02 * estimated + 64


def test_parts_partition_the_latent(entropy):
    parts = []

    class Recorder(Estimate):
        def normal(self, part, mean, index):
            parts.append(part)
            return super().normal(part, mean, index)

        def learnt(self, part, prior):
            parts.append(part)
            return super().learnt(part, prior)

    for size in SIZES:
        parts.clear()
        latent = tf.reshape(tf.range(np.prod(size) * entropy.latent_depth), (1, *size, entropy.latent_depth))
        entropy.walk(Recorder(tf.zeros(latent.shape), entropy.scales))
        taken = np.concatenate([part.take(latent).numpy().ravel() for part in parts])
        np.testing.assert_array_equal(np.sort(taken), np.arange(latent.shape.num_elements()))


class _Replay(Estimate):
    """Records the parts and their parameters; after the side information it can go on with another latent."""

    def __init__(self, entropy, latent, changed=None):
        super().__init__(latent, entropy.scales)
        self.parts, self.parameters, self.changed = [], [], changed

    def side(self, hyper, prior):
        features = super().side(hyper, prior)
        self.latent = self.latent if self.changed is None else self.changed
        return features

    def normal(self, part, mean, index):
        self.parts.append(part)
        self.parameters.append((mean.numpy(), index.numpy()))
        return super().normal(part, mean, index)


def test_later_parts_never_change_earlier_parameters(entropy):
    latent = _latent(entropy, 1, 5, 6)
    entropy.walk(original := _Replay(entropy, latent))
    changes_later = False
    for number, part in enumerate(original.parts):
        changed = part.put(latent, part.take(latent) + 7.0)
        entropy.walk(replay := _Replay(entropy, latent, changed))
        for first, second in zip(original.parameters[: number + 1], replay.parameters, strict=False):
            _assert_same(first, second)
        later = zip(original.parameters[number + 1 :], replay.parameters[number + 1 :], strict=True)
        changes_later |= any(np.any(first[0] != second[0]) for first, second in later)
    # The context is used at all, where there is one.
    assert changes_later == (len(original.parts) > 1)


def test_gradients_reach_every_variable(entropy):
    latent = _latent(entropy, 2, 6, 7)
    with tf.GradientTape() as tape:
        estimated = entropy(latent, training=True)
        loss = tf.reduce_sum(tf.add_n(list(estimated.bits.values()))) + tf.reduce_sum(estimated.y_hat**2)
    gradients = tape.gradient(loss, entropy.trainable_variables)
    for variable, gradient in zip(entropy.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.name
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.name


def test_images_do_not_mix(entropy):
    latent = _latent(entropy, 3, 5, 4)
    together = entropy(latent)
    for number in range(3):
        alone = entropy(latent[number : number + 1])
        np.testing.assert_allclose(together.y_hat[number], alone.y_hat[0], atol=1e-4)
        for part, bits in alone.bits.items():
            np.testing.assert_allclose(together.bits[part][number], bits[0], rtol=1e-4, atol=1e-2)


def test_a_call_changes_no_variable(entropy):
    before = [np.array(variable) for variable in entropy.variables]
    for training in (False, True):
        entropy(_latent(entropy, 1, 3, 3), training=training)
    _assert_same(before, entropy.variables)


@pytest.mark.parametrize("quantization", ["noise/ste", "noise/noise", "ste/ste"])
def test_quantization_in_training(entropy, quantization):
    config = describe(entropy)
    config["config"]["quantization"] = quantization
    again = rebuild(config)
    latent = tf.zeros((1, 8, 9, entropy.latent_depth)) + 0.3
    first, second = (again(latent, training=True) for _ in range(2))
    rate_is_noisy = any(np.any(first.bits[part] != second.bits[part]) for part in first.bits)
    decoder_is_noisy = bool(np.any(first.y_hat != second.y_hat))
    assert rate_is_noisy == quantization.startswith("noise")
    assert decoder_is_noisy == quantization.endswith("noise")


def test_straight_through_is_rounding_to_the_bit(entropy):
    config = describe(entropy)
    config["config"]["quantization"] = "ste/ste"
    again = rebuild(config)
    latent = _latent(entropy, 1, 4, 5)
    trained, evaluated = again(latent, training=True), again(latent)
    np.testing.assert_array_equal(trained.y_hat, evaluated.y_hat)


def test_it_stays_in_float32_under_mixed_precision(entropy):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        again = rebuild(describe(entropy))
        estimated = again(tf.cast(_latent(entropy, 1, 4, 4), "bfloat16"))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert estimated.y_hat.dtype == "float32"
    assert all(bits.dtype == "float32" for bits in estimated.bits.values())
    assert all(layer.compute_dtype == "float32" for layer in again._flatten_layers())


def test_wrong_arguments_are_named(entropy):
    maker, config = type(entropy), describe(entropy)
    config["config"]["quantization"] = "round"
    with pytest.raises(ValueError, match=f"{maker.__name__}: expected quantization .* Received: 'round'"):
        rebuild(config)
