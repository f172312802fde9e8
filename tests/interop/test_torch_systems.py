"""CompressAI's models: its weights imported, against what it computes with them itself."""

import functools
import math
import warnings

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from lic.entropy import Estimate
from lic.errors import CheckpointError
from lic.interop import torch_systems
from lic.layers.bounds import upper_bound
from lic.models.create import published_system
from lic.testing import check_model
from lic.weights import get_tensors
from tests.conftest import DATA, assert_near
from tests.models.random_compressai import Weights, random_image

FOLDER = DATA / "compressai"
WIDTHS = {3: (128, 192), 7: (192, 320)}
TINY = 6, 8
# The zoo's models whose names do not start with "compressai-" are in `tests/models/test_zoo.py`.
NAMES = [name.removeprefix("compressai-") for name in lic.list_models() if name.startswith("compressai-")]
CASES = [(name, quality) for name in NAMES for quality in WIDTHS]
# Each model, and each width.
ORDINARY = [("bmshj2018-factorized", 7), ("bmshj2018-hyperprior", 3), ("mbt2018-mean", 3)]


class WithExactScale(Estimate):
    """Estimates with the predicted scale itself, as CompressAI does, not with that of the table."""

    def bits_of(self, centred, distribution):
        return upper_bound(distribution.bits(centred), -math.log2(self.likelihood_bound))


@functools.cache
def expected_of(name, quality):
    with np.load(FOLDER / f"{name}-{quality}.npz") as arrays:
        return dict(arrays)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(case, marks=() if case in ORDINARY else pytest.mark.slow, id=f"{case[0]}-{case[1]}")
        for case in CASES
    ],
)
def case(request):
    """A model with the weights of a fixture, the image, and what CompressAI computes."""
    name, quality = request.param
    expected = expected_of(name, quality)
    state = Weights(name, *WIDTHS[quality], int(expected["seed"])).tensors
    model = torch_systems.from_state_dict("fixture", state, quality=quality)
    return name, quality, model, random_image(64, 128, int(expected["seed"])), expected


def test_latent_side_information_and_image_are_those_of_compressai(case):
    *_, model, image, expected = case
    compressed = model(image[None].astype(np.float32))
    assert_near(compressed.y[0], expected["y"], 1e-4)
    assert_near(compressed.x_hat[0] / 255, expected["x_hat"], 1e-4)
    if model.entropy.hyper:
        assert_near(model.entropy.hyper.analysis(compressed.y)[0], expected["z"], 1e-4)


def test_bits_are_those_of_compressai(case):
    *_, model, image, expected = case
    y = model.transform.analysis(image[None].astype(np.float32))
    coder = WithExactScale(y, likelihood_bound=1e-9)
    model.entropy.walk(coder)
    parts = ("latent", "side") if model.entropy.hyper else ("latent",)
    assert [float(coder.bits[part][0]) for part in parts] == pytest.approx(list(expected["bits"]), rel=1e-3)


def test_our_stream_decodes_to_compressais_image_in_as_many_bytes(case):
    *_, model, image, expected = case
    codec = lic.Codec(model)
    stream = codec.compress(image)
    decoded = codec.decompress(stream).astype(int)
    assert np.mean(np.abs(decoded - expected["decoded"]) <= 1) >= 0.999
    # A number outside the tables, of which there are up to 58, takes some fifteen bits more here.
    assert len(Stream.parse(stream).payload) == pytest.approx(int(expected["bytes"]), rel=0.025)


def test_stated_number_of_parameters_is_that_of_both_widths(case):
    name, quality, model = case[:3]
    system = published_system(f"compressai-{name}", quality)
    assert sum(array.size for array in get_tensors(model).values()) == system.parameters


def test_quality_gives_widths_and_lmbda():
    assert lic.create_model("compressai-mbt2018-mean", quality=4).transform.depth == 192
    model = lic.create_model("compressai-mbt2018-mean", quality=5)
    assert (model.transform.depth, model.lmbda) == (320, 0.025)
    assert published_system("compressai-bmshj2018-factorized", 5).sizes["latent_depth"] == 192
    for name, quality in (("compressai-mbt2018-mean", 9), ("compressai-mbt2018-mean", 2.5), ("default", 3), (None, 3)):
        with pytest.raises(lic.RegistryError, match="quality"):
            published_system(name, quality)


def tiny(name="mbt2018-mean"):
    return Weights(name, *TINY, 0).tensors


@pytest.mark.parametrize("name", ["bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018-mean"])
def test_tensors_give_the_model(name):
    assert torch_systems.model_of("file", tiny(name)) == f"compressai-{name}"
    with pytest.raises(CheckpointError, match=f"file holds the tensors of 'compressai-{name}'. Received: 'ms2020'"):
        torch_systems.from_state_dict("file", tiny(name), "ms2020")


def test_tensors_of_a_serial_context_are_missed():
    with pytest.raises(CheckpointError, match="file lacks the tensors 'context_prediction.bias'"):
        torch_systems.from_state_dict("file", tiny() | {"context_prediction.weight": np.zeros((16, 8, 5, 5))})


def test_missing_surplus_and_misshaped_tensors_are_named():
    def imported_with(**changed):
        state = tiny() | {key.replace("__", "."): array for key, array in changed.items()}
        return torch_systems.from_state_dict("file", {key: array for key, array in state.items() if array is not None})

    with pytest.raises(CheckpointError, match=r"file lacks the tensors 'g_a.2.bias', 'h_s.4.bias'\."):
        imported_with(g_a__2__bias=None, h_s__4__bias=None)
    with pytest.raises(CheckpointError, match="file lacks the tensor 'g_a.0.weight'"):
        imported_with(g_a__0__weight=None)
    with pytest.raises(CheckpointError, match="file has the tensor 'g_a.0.gain', which this model does not have"):
        imported_with(g_a__0__gain=np.zeros(3))
    with pytest.raises(CheckpointError, match=r"'g_s.0.weight' has shape \(8, 7, 5, 5\), expected \(8, 6, 5, 5\)"):
        imported_with(g_s__0__weight=np.zeros((8, 7, 5, 5)))


@pytest.mark.parametrize("numbered", [r"_{}", r"_{}."])
def test_old_names_are_known(numbered):
    words = {"matrices": "matrices", "biases": "biases", "factors": "factors"}
    if numbered == "_{}":
        words = {"matrices": "matrix", "biases": "bias", "factors": "factor"}

    def old(key):
        start, group, number = key.split(".")
        return f"{start}.{numbered.format(words[group])}{number}"

    state = tiny()
    renamed = {
        old(key) if key.count(".") == 2 and key.split(".")[1] in words else key: array for key, array in state.items()
    }
    assert renamed.keys() != state.keys()
    expected = get_tensors(torch_systems.from_state_dict("new", state))
    for name, array in get_tensors(torch_systems.from_state_dict("old", renamed)).items():
        np.testing.assert_array_equal(array, expected[name])


def test_table_of_scales_and_likelihood_bound_are_those_of_the_file():
    table = np.geomspace(0.2, 100, 32, dtype=np.float32)
    kept = {
        "gaussian_conditional.scale_table": table,
        "entropy_bottleneck.likelihood_lower_bound.bound": np.array([1e-6]),
        "g_a.1.beta_reparam.pedestal": np.zeros(1),
        "entropy_bottleneck._quantized_cdf": np.zeros((6, 9)),
    }
    entropy = torch_systems.from_state_dict("file", tiny() | kept).entropy
    np.testing.assert_allclose(entropy.likelihood.scales.scales(), table, rtol=1e-5)
    assert (entropy.likelihood.scales.rounding, entropy.likelihood_bound) == ("up", 1e-6)
    usual = {"gaussian_conditional.scale_table": np.geomspace(0.11, 256, 64, dtype=np.float32)}
    described = torch_systems.from_state_dict("file", tiny() | usual).configuration()
    assert described == torch_systems.from_state_dict("file", tiny()).configuration()
    with pytest.raises(CheckpointError, match="scales are bounded at 0.3, expected the lowest of the table, 0.11"):
        torch_systems.from_state_dict(
            "file", tiny() | {"gaussian_conditional.lower_bound_scale.bound": np.array([0.3])}
        )
    with pytest.raises(CheckpointError, match="scale_table is not a geometric sequence"):
        torch_systems.from_state_dict("file", tiny() | {"gaussian_conditional.scale_table": np.arange(1, 9)})


@pytest.mark.parametrize(
    ("key", "array"),
    [
        ("gaussian_conditional.scale_table", np.ones(1)),
        ("gaussian_conditional.scale_table", np.zeros(4)),
        ("gaussian_conditional.scale_table", np.float32(1)),
        ("entropy_bottleneck.likelihood_lower_bound.bound", np.array([-1.0])),
        ("entropy_bottleneck.likelihood_lower_bound.bound", np.array([np.nan])),
        ("g_a.0.weight", np.float32(1)),
        ("h_s.4.weight", np.float32(1)),
    ],
)
def test_tensors_without_meaning_end_in_an_error_of_the_file(key, array):
    with pytest.raises(CheckpointError, match="file"):
        torch_systems.from_state_dict("file", tiny() | {key: array})


@pytest.mark.parametrize(
    ("dtype", "value", "received"),
    [
        (np.float32, np.nan, "1 of 8 numbers that are NaN"),
        (np.float64, 1e300, "1 of 8 numbers that are NaN, infinite or too large for float32"),
        (np.complex64, 1j, "the type complex64"),
        (bool, True, "the type bool"),
        ("U5", "0.5", "the type <U5"),
    ],
)
def test_weights_that_are_no_finite_numbers_are_named_as_in_the_file(tmp_path, dtype, value, received):
    state = tiny()
    state["g_a.6.bias"] = state["g_a.6.bias"].astype(dtype)
    state["g_a.6.bias"][0] = value
    np.savez(tmp_path / "a.npz", **state)
    with warnings.catch_warnings(), pytest.raises(CheckpointError) as caught:
        warnings.simplefilter("error")
        lic.import_checkpoint(tmp_path / "a.npz")
    expected = f"a.npz: the tensor 'g_a.6.bias': expected finite real numbers. Received: {received}"
    assert expected in str(caught.value)


def test_a_bound_may_be_a_single_number():
    bound = {"entropy_bottleneck.likelihood_lower_bound.bound": np.float64(1e-6)}
    assert torch_systems.from_state_dict("file", tiny() | bound).entropy.likelihood_bound == 1e-6


@pytest.mark.slow
def test_the_kit_passes():
    check_model(torch_systems.from_state_dict("file", tiny()))
