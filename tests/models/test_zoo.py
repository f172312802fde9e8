"""Systems with the weights of other code, against the numbers that this code computes."""

import numpy as np
import pytest

import lic
from lic.interop import torch_systems
from lic.models.create import published_system
from tests.conftest import assert_near, slow_but
from tests.models import zoo

# Each with the share of our decoded image that is the authors'. A number that is within a rounding error of a half may
# be rounded the other way, and with it all that depends on it.
SYSTEMS = {
    "mbt2018": 0.999,
    "cheng2020-anchor": 0.9,
    "cheng2020-attn": 0.999,
    "elic2022": 0.999,
    "elic2022-chandelier": 0.999,
    "wacnn": 0.999,
    "stf": 0.999,
    "tcm": 0.999,
    "mlicpp": 0.999,
    "dcae": 0.85,
    "hpcm": 0.8,
    "lalic": 0.9,
}


@pytest.fixture(scope="module", params=slow_but(SYSTEMS, "mbt2018"))
def system(request):
    """A system's name, the model with the authors' weights, their numbers, the input and their decoded image."""
    name = request.param
    return name, torch_systems.from_state_dict("zoo", zoo.weights(name)), *zoo.expected(name)


def test_latent_and_side_information_are_the_authors(system):
    _, model, expected, image, _ = system
    # Of one system no error was measured.
    of_y, of_z, _ = np.nan_to_num(5 * expected["float32_error"], nan=5e-5)
    y = model.analyse(image[None].astype(np.float32))[0].numpy()
    assert np.abs(y[..., expected["channels"]] - expected["y"]).max() < of_y
    assert_near(y.mean((0, 1)), expected.get("y_mean", y.mean((0, 1))), 1e-4)
    whole = expected["y"].shape == y.shape  # Of the larger systems only some channels were kept.
    z = model.entropy.hyper.analysis((expected["y"] if whole else y)[None])[0].numpy()
    assert np.abs(z - expected["z"]).max() < (of_z if whole else of_y)


def test_the_walk_over_the_authors_symbols_gives_their_numbers(system):
    _, model, expected, *_ = system
    y_hat, recorder, bits, means, scales, _ = zoo.forced(model.entropy, expected["symbols"], expected["z_symbols"])
    kept = expected["channels"]
    np.testing.assert_array_equal(recorder.z_hat[0], expected["z_hat"])
    assert_near(means[..., kept], expected["means"], 1e-5)
    assert_near(scales[..., kept], np.maximum(expected["scales"], model.entropy.likelihood.scales.lowest), 1e-5)
    assert_near(y_hat[..., kept], expected["y_hat"], 1e-5)
    # The steps of a serial order are recorded one by one.
    assert (bits if len(expected["bits_y"]) > 1 else [sum(bits)]) == pytest.approx(expected["bits_y"], rel=1e-5)
    step = int(expected["x_hat_step"])
    x_hat = model.synthesise(y_hat[None])[0].numpy() / 255
    assert_near(x_hat[::step, ::step], expected["x_hat"], 1e-5)


def test_bits_of_side_information_are_the_authors(system):
    _, model, expected, *_ = system
    *_, bits = zoo.forced(model.entropy, expected["symbols"], expected["z_symbols"])
    assert bits == pytest.approx(expected["bits_z"], rel=1e-5)


def test_our_own_codec_gives_the_authors_image(system):
    name, model, _, image, decoded = system
    codec = lic.Codec(model)
    found = codec.decompress(codec.compress(image)).astype(int)
    assert np.mean(np.abs(found - decoded) <= 1) > SYSTEMS[name]


@pytest.mark.parametrize("quality", [3, 5])
@pytest.mark.parametrize("name", slow_but(SYSTEMS, "cheng2020-attn"))
def test_stated_number_of_parameters_is_true(name, quality):
    assert lic.create_model(name, quality=quality).count_params() == published_system(name, quality).parameters


@pytest.mark.parametrize("size", slow_but(["small", "middle", "large"]))
def test_tcm_has_three_sizes(size):
    assert lic.create_model("tcm", size=size).count_params() == published_system("tcm", size=size).parameters


def test_a_size_that_is_not_there_is_refused():
    with pytest.raises(lic.RegistryError, match="tcm: expected size to be one of small, middle, large. Received: 's'"):
        lic.create_model("tcm", size="s")
    with pytest.raises(lic.RegistryError, match="expected no size, which 'mbt2018' does not have. .*such as width"):
        lic.create_model("mbt2018", size="small")


def test_qualities_are_those_of_the_zoo():
    assert [published_system("cheng2020-anchor", quality).sizes["width"] for quality in (3, 4)] == [128, 192]
    with pytest.raises(lic.RegistryError, match="cheng2020-attn: expected quality from 1 to 6, .*. Received: 7"):
        lic.create_model("cheng2020-attn", quality=7)


def test_tensors_give_the_name_of_the_system():
    for name in ("cheng2020-anchor", "cheng2020-attn", "elic2022", "elic2022-chandelier", "lalic"):
        assert torch_systems.model_of("zoo", zoo.weights(name)) == name


@pytest.mark.slow
def test_tensors_that_the_code_of_lalic_keeps_twice_are_left_out():
    state = zoo.weights("lalic")
    twice = {key.removeprefix("latent_codec.hyper."): array for key, array in state.items() if ".hyper.h_" in key}
    sums = {"g_a.1.att.omni_shift.conv5x5_reparam.weight": np.zeros((96, 1, 5, 5), np.float32)}
    assert torch_systems.from_state_dict("zoo", state | twice | sums).count_params() == 65_620_661
    with pytest.raises(lic.CheckpointError, match="has the tensor 'h_a2.0.weight', which this model does not have"):
        torch_systems.from_state_dict("zoo", state | {"h_a2.0.weight": np.zeros(1, np.float32)})
