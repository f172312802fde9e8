"""Systems with the weights of other code, against the numbers that this code computes."""

import numpy as np
import pytest

import lic
from lic.entropy import Estimate
from lic.interop import compressai
from lic.models.create import published_system
from tests.conftest import assert_near
from tests.models import zoo


@pytest.fixture(scope="module")
def mbt2018():
    return compressai.from_state_dict("zoo", zoo.weights("mbt2018")), *zoo.expected("mbt2018")


def test_latent_and_side_information_are_the_authors(mbt2018):
    model, expected, image, _ = mbt2018
    of_y, of_z, _ = 5 * expected["float32_error"]
    y = model.analyse(image[None].astype(np.float32))[0].numpy()
    assert np.abs(y - expected["y"]).max() < of_y
    z = model.entropy.hyper.analysis(expected["y"][None])[0].numpy()
    assert np.abs(z - expected["z"]).max() < of_z


def test_the_walk_over_the_authors_symbols_gives_their_numbers(mbt2018):
    model, expected, *_ = mbt2018
    y_hat, recorder, numbers = zoo.forced(model.entropy, expected["symbols"], expected["z_symbols"])
    np.testing.assert_array_equal(recorder.z_hat[0], expected["z_hat"])
    assert_near(numbers["means"], expected["means"], 1e-5)
    assert_near(numbers["scales"], np.maximum(expected["scales"], 0.11), 1e-5)
    assert_near(y_hat, expected["y_hat"], 1e-5)
    assert numbers["bits"].sum(dtype=np.float64) == pytest.approx(expected["bits_y"][0], rel=1e-5)
    step = int(expected["x_hat_step"])
    x_hat = model.synthesise(expected["y_hat"][None])[0].numpy() / 255
    assert_near(x_hat[::step, ::step], expected["x_hat"], 1e-5)


def test_bits_of_side_information_are_the_authors(mbt2018):
    model, expected, *_ = mbt2018
    coder = Estimate(expected["y"][None], likelihood_bound=1e-9, side=expected["z"][None])
    coder.side(model.entropy.hyper, model.entropy.prior)
    assert float(coder.bits["side"][0]) == pytest.approx(expected["bits_z"], rel=1e-5)


def test_our_own_codec_gives_the_authors_image(mbt2018):
    model, _, image, decoded = mbt2018
    codec = lic.Codec(model)
    found = codec.decompress(codec.compress(image)).astype(int)
    assert np.mean(np.abs(found - decoded) <= 1) > 0.999


@pytest.mark.parametrize("quality", [4, pytest.param(5, marks=pytest.mark.slow)])
def test_stated_number_of_parameters_is_true(quality):
    assert (
        lic.create_model("mbt2018", quality=quality).count_params() == published_system("mbt2018", quality).parameters
    )
