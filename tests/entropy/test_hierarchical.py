import numpy as np
import pytest

from lic.entropy import Estimate, Hierarchical, NormalMixture, Recorder
from lic.entropy.hierarchical import _TO_HALF, _TO_QUARTER
from lic.environment import tf
from lic.testing.walks import Walks
from lic.transforms import ConvHyperTransform
from tests.conftest import DATA


def of(depth, **sizes):
    """Returns an entropy model of a latent of so many channels, and small networks."""
    hyper = ConvHyperTransform(depth, hyper_width=8, side_depth=4, features=sizes.pop("features", 8))
    return Hierarchical(depth, hyper, prior_blocks=((1, 1), (1, 1)), **sizes)


@pytest.fixture(scope="module")
def published():
    """Where the published code puts every number of a latent of 16 x 16 x 16, channels last."""
    with np.load(DATA / "zoo" / "layers" / "hpcm_positions.npz") as arrays:
        return {name: np.moveaxis(array, -3, -1) for name, array in arrays.items()}


def test_scales_hold_the_numbers_of_the_published_code(published):
    entropy = of(16)
    half = entropy._smaller(published["y"], _TO_HALF)
    quarter = entropy._smaller(half, _TO_QUARTER)
    np.testing.assert_array_equal(half, published["y_scale2"])
    np.testing.assert_array_equal(quarter, published["y_scale1"])
    np.testing.assert_array_equal(entropy._larger(half, _TO_HALF), published["scale2_in_scale3"])
    np.testing.assert_array_equal(entropy._larger(quarter, _TO_QUARTER), published["scale1_in_scale2"])


def test_steps_are_those_of_the_published_code(published):
    scales = [(key, published[f"steps_scale{number}"]) for number, key in ((1, "y_scale1"), (2, "y_scale2"), (3, "y"))]
    for steps, (key, masks) in zip(of(16)._steps(), scales, strict=True):
        for (_, part), mask in zip(steps, masks, strict=True):
            expected = np.sort(published[key][0][mask.astype(bool)])
            np.testing.assert_array_equal(np.sort(np.ravel(part.take(published["y"]))), expected)


def test_features_are_at_their_own_positions_unless_they_are_misread(published):
    entropy, half = of(16), published["y_scale2"]
    new = half - published["scale1_in_scale2"]
    # Counted from one, so that zero is no number of a latent.
    both = tf.concat([half, 1000 * half], -1)
    misread = entropy._misread(both)
    np.testing.assert_array_equal(misread[..., :16], published["hyper_scale2"])
    np.testing.assert_array_equal(misread[..., 16:], 1000 * published["hyper_scale2"])
    np.testing.assert_array_equal(np.sort(misread[..., :16], None) > 0, np.sort(new, None) > 0)
    np.testing.assert_array_equal(misread[..., :4], new[..., :4])
    assert np.mean(misread[..., 4:16] != new[..., 4:]) > 0.3
    whole = published["y"] - published["scale2_in_scale3"]
    np.testing.assert_array_equal(whole, published["hyper_scale3"])


@pytest.mark.parametrize("misread_features", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (9, 17)])
def test_latents_of_any_size_are_coded(size, misread_features):
    entropy = of(5, misread_features=misread_features)  # Three of eight runs have no channel.
    latent = tf.random.normal((2, *size, 5), stddev=3.0)
    recorder = Recorder(Estimate(latent))
    y_hat = entropy.walk(recorder)
    assert y_hat.shape == latent.shape
    assert len(recorder.records) == 11
    assert sum(record.values.shape[2] for record in recorder.records) == np.prod(size) * 5


@pytest.mark.parametrize("size", [(1, 1), (5, 4)])
def test_a_stream_decodes_to_what_was_estimated_and_encoded(size):
    walks, latent = Walks(of(5)), tf.random.normal((1, *size, 5), stddev=3.0)
    encoded = walks.encode(latent)
    decoded = walks.decode(encoded.string, tf.zeros_like(latent))
    np.testing.assert_array_equal(decoded.symbols, encoded.symbols)
    for walked in (decoded, walks.estimate(latent)):
        np.testing.assert_array_equal(walked.y_hat, encoded.y_hat)


def test_features_may_be_the_parameters_scales_first():
    entropy = of(8, features=16, parameter_network=False)
    latent = tf.random.normal((1, 8, 8, 8), stddev=3.0)
    recorder = Recorder(Estimate(latent))
    entropy.walk(recorder)
    part, distribution, *_ = recorder.records[0]
    scales, means = tf.split(entropy.hyper.synthesis(recorder.z_hat), 2, -1)
    np.testing.assert_array_equal(distribution.index, part.take(scales))
    np.testing.assert_array_equal(distribution.offset, part.take(means))
    with pytest.raises(ValueError, match="features to be 16 channels, or parameter_network=True. Received: 8"):
        of(8, parameter_network=False)


def test_it_takes_likelihoods_of_other_numbers_of_parameters():
    entropy = of(6, likelihood=NormalMixture())
    latent = tf.random.normal((1, 3, 6, 6), stddev=3.0)
    assert entropy(latent).y_hat.shape == latent.shape
    assert [bounds for _, *bounds in entropy.scale_biases] == [[0, 6]] * 3
