import numpy as np
import pytest

import lic
from lic.entropy import Estimate, GeneralizedNormal, Laplace, Parametric
from lic.environment import tf
from lic.testing import check_entropy_model
from tests.conftest import random_images, tiny_model

PUBLISHED = GeneralizedNormal((60, 0.12, 64.0, "up"), 1.5, predicted_scale=True, scale_is="width")


@pytest.mark.parametrize("likelihood", [Laplace(), PUBLISHED])
def test_it_keeps_every_law(likelihood):
    check_entropy_model(Parametric(6, likelihood=likelihood), quick=True)


def test_numbers_are_rounded_to_whole_steps_from_the_means():
    entropy, latent = Parametric(3, likelihood=PUBLISHED), tf.random.normal((2, 3, 4, 3), stddev=5.0)
    means, scales = np.float32([0.25, -3.4, 0.5]), np.float32([0.5, 2.0, 7.0])
    entropy.parameters[0].assign(means)
    entropy.parameters[1].assign(scales)
    coder = Estimate(latent)
    np.testing.assert_array_equal(entropy.walk(coder), np.round(latent - means) + means)
    steps = np.round(latent - means)
    expected = PUBLISHED(tf.constant(np.broadcast_to([*means, *scales], (2, 3, 4, 6)), tf.float32)).as_coded()
    np.testing.assert_allclose(coder.bits["latent"], np.sum(expected.bits(steps), (1, 2, 3)), rtol=1e-6)


def test_it_has_no_side_information_and_no_factorized_prior():
    entropy = Parametric(6)
    assert entropy.hyper is None
    assert entropy.prior is None
    assert list(entropy.sources) == ["likelihood"]
    assert [variable.shape for variable in entropy.variables] == [(6,), (6,)]


def test_its_symbols_are_the_same_on_every_machine():
    sizes = {"likelihood": "generalized-normal", "scales": (60, 0.12, 64.0, "up"), "scale_is": "width"}
    model = tiny_model("klt", "checkerboard", hyper_entropy="parametric", predicted_scale=True, **sizes)
    image = random_images(40, 50, 3)
    codec = lic.Codec(model, deterministic=True, calibration=[image])
    assert codec.decompress(codec.compress(image)).shape == image.shape
