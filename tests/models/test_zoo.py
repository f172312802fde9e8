"""Systems with the weights of other code, against the numbers that this code computes."""

import numpy as np
import pytest

import lic
from lic.entropy import Estimate
from lic.interop import compressai
from lic.models.create import published_system
from tests.conftest import assert_near, slow_but
from tests.models import zoo

# Each with whether all of our decoded image is the authors'. A number that is within a rounding error of a half may be
# rounded the other way, and with it all that depends on it.
SYSTEMS = {"mbt2018": True, "cheng2020-anchor": False, "cheng2020-attn": True}


@pytest.fixture(scope="module", params=slow_but(SYSTEMS, "mbt2018"))
def system(request):
    """A system's name, the model with the authors' weights, their numbers, the input and their decoded image."""
    name = request.param
    return name, compressai.from_state_dict("zoo", zoo.weights(name)), *zoo.expected(name)


def test_latent_and_side_information_are_the_authors(system):
    _, model, expected, image, _ = system
    of_y, of_z, _ = 5 * expected["float32_error"]
    y = model.analyse(image[None].astype(np.float32))[0].numpy()
    assert np.abs(y - expected["y"]).max() < of_y
    z = model.entropy.hyper.analysis(expected["y"][None])[0].numpy()
    assert np.abs(z - expected["z"]).max() < of_z


def test_the_walk_over_the_authors_symbols_gives_their_numbers(system):
    _, model, expected, *_ = system
    y_hat, recorder, numbers = zoo.forced(model.entropy, expected["symbols"], expected["z_symbols"])
    np.testing.assert_array_equal(recorder.z_hat[0], expected["z_hat"])
    assert_near(numbers["means"], expected["means"], 1e-5)
    assert_near(numbers["scales"], np.maximum(expected["scales"], 0.11), 1e-5)
    assert_near(y_hat, expected["y_hat"], 1e-5)
    assert numbers["bits"].sum(dtype=np.float64) == pytest.approx(expected["bits_y"][0], rel=1e-5)
    step = int(expected["x_hat_step"])
    x_hat = model.synthesise(expected["y_hat"][None])[0].numpy() / 255
    assert_near(x_hat[::step, ::step], expected["x_hat"], 1e-5)


def test_bits_of_side_information_are_the_authors(system):
    _, model, expected, *_ = system
    coder = Estimate(expected["y"][None], likelihood_bound=1e-9, side=expected["z"][None])
    coder.side(model.entropy.hyper, model.entropy.prior)
    assert float(coder.bits["side"][0]) == pytest.approx(expected["bits_z"], rel=1e-5)


def test_our_own_codec_gives_the_authors_image(system):
    name, model, _, image, decoded = system
    codec = lic.Codec(model)
    found = codec.decompress(codec.compress(image)).astype(int)
    assert np.mean(np.abs(found - decoded) <= 1) > (0.999 if SYSTEMS[name] else 0.9)


@pytest.mark.parametrize("quality", [3, 5])
@pytest.mark.parametrize("name", slow_but(SYSTEMS, "cheng2020-attn"))
def test_stated_number_of_parameters_is_true(name, quality):
    assert lic.create_model(name, quality=quality).count_params() == published_system(name, quality).parameters


def test_qualities_are_those_of_the_zoo():
    assert [published_system("cheng2020-anchor", quality).sizes["width"] for quality in (3, 4)] == [128, 192]
    with pytest.raises(lic.RegistryError, match="cheng2020-attn: expected quality from 1 to 6, .*. Received: 7"):
        lic.create_model("cheng2020-attn", quality=7)


def test_attention_is_found_in_the_tensors():
    for name in ("cheng2020-anchor", "cheng2020-attn"):
        assert compressai.model_of("zoo", zoo.weights(name)) == name
