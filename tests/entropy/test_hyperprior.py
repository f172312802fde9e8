import numpy as np
import pytest

import lic
from lic.entropy import Estimate, Normal, Recorder
from lic.environment import tf
from lic.transforms import ConvHyperTransform


def _recorded(features, **sizes):
    """Returns features, means and scale indexes of a random latent."""
    hyper = ConvHyperTransform(12, hyper_width=8, side_depth=4, features=features, features_activation=None)
    entropy = lic.registry.entropy_models.get("hyperprior")(12, hyper, **sizes)
    # Large enough that the side information of an untrained model is not rounded to zeros.
    entropy.walk(recorder := Recorder(Estimate(tf.random.normal((1, 5, 6, 12), stddev=100.0))))
    features = hyper.synthesis(recorder.z_hat)[:, :5, :6].numpy()
    assert np.any(features != 0)
    (record,) = recorder.records
    return entropy, features, record.distribution.offset.numpy(), record.distribution.index.numpy()


def test_without_a_network_features_are_means_then_scale_indexes():
    _, features, mean, index = _recorded(24, parameter_network=False)
    np.testing.assert_array_equal(mean, features[..., :12])
    np.testing.assert_array_equal(index, features[..., 12:])


def test_zero_mean_without_a_network_takes_features_as_scale_indexes():
    _, features, mean, index = _recorded(12, parameter_network=False, zero_mean=True)
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_array_equal(index, features)


@pytest.mark.parametrize("zero_mean", [False, True])
def test_the_network_starts_at_scales_of_one(zero_mean):
    entropy, _, mean, index = _recorded(8, zero_mean=zero_mean)
    (network,) = entropy.parameters.layers
    assert network.filters == (12 if zero_mean else 24)
    starting = network.bias[-12:]
    np.testing.assert_allclose(entropy.likelihood.scales.scale_at(tf.convert_to_tensor(starting)), 1, rtol=1e-5)
    assert mean.shape == index.shape == (1, 5, 6, 12)
    assert np.any(mean != 0) != zero_mean


@pytest.mark.parametrize(("zero_mean", "features", "expected"), [(False, 12, 24), (True, 24, 12)])
def test_features_that_do_not_fit_are_refused(zero_mean, features, expected):
    with pytest.raises(ValueError, match=f"Hyperprior: expected .*features to be {expected} .* Received: {features}"):
        _recorded(features, parameter_network=False, zero_mean=zero_mean)


def test_predicted_scales_are_the_features_themselves():
    likelihood = Normal(predicted_scale=True)
    entropy, features, _, index = _recorded(24, parameter_network=False, likelihood=likelihood)
    scales = features[..., 12:]
    assert (scales < 0.11).any()
    assert (scales > 0.2).any()
    np.testing.assert_allclose(index, entropy.likelihood.scales.index_at(scales), rtol=1e-6)


def test_a_parameter_network_starts_predicted_scales_at_one():
    hyper = ConvHyperTransform(12, hyper_width=8, side_depth=4)
    entropy = lic.registry.entropy_models.get("hyperprior")(12, hyper, likelihood=Normal(predicted_scale=True))
    entropy(tf.zeros((1, 4, 4, 12)))
    np.testing.assert_array_equal(entropy.parameters.layers[-1].bias, np.repeat([0.0, 1.0], 12))


def test_zero_mean_needs_a_likelihood_of_a_mean_and_a_scale():
    class Shapeless(lic.Likelihood):
        parameters = 2
        num_pmfs = 1

        def __call__(self, parameters):
            raise NotImplementedError

        def pmfs(self):
            return []

        def start(self, deviations):
            return np.zeros(2 * len(deviations))

    hyper = ConvHyperTransform(12, hyper_width=8, side_depth=4)
    with pytest.raises(ValueError, match="Hyperprior: expected likelihood to be one of a mean and a scale"):
        lic.registry.entropy_models.get("hyperprior")(12, hyper, likelihood=Shapeless(), zero_mean=True)


@pytest.mark.parametrize("count", [1, 3])
def test_zero_mean_needs_two_parameters(count):
    class Other(lic.entropy.Laplace):
        parameters = count

    hyper = ConvHyperTransform(12, hyper_width=8, side_depth=4)
    with pytest.raises(ValueError, match="Hyperprior: expected likelihood to be one of a mean and a scale"):
        lic.registry.entropy_models.get("hyperprior")(12, hyper, likelihood=Other(), zero_mean=True)
