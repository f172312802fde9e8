"""CompressAI's models: its weights imported, against what it computes with them itself."""

import functools
import pathlib

import numpy as np
import pytest

import lic
from lic.entropy import Estimate
from lic.entropy.normal import Normal
from lic.environment import tf
from lic.errors import CheckpointError
from lic.models import compressai
from tests.conftest import DATA, assert_near
from tests.models.random_compressai import Weights, random_image

FOLDER = DATA / "compressai"
WIDTHS = {3: (128, 192), 7: (192, 320)}
CASES = [(name.removeprefix("compressai-"), quality) for name in compressai.names() for quality in WIDTHS]


class WithExactScale(Estimate):
    """Estimates with the predicted scale itself, as CompressAI does, not with that of the table."""

    def _distribution(self, index):
        return Normal(index, self.scales, rounded=False)


@functools.cache
def expected_of(name, quality):
    with np.load(FOLDER / f"{name}-{quality}.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    """A model with the weights of a fixture, the image, and what CompressAI computes."""
    name, quality = request.param
    expected = expected_of(name, quality)
    state = Weights(name, *WIDTHS[quality], int(expected["seed"])).tensors
    model = compressai.from_state("fixture", state, quality=quality)
    return model, random_image(64, 128, int(expected["seed"])), expected


def test_latent_side_information_and_image_are_those_of_compressai(case):
    model, image, expected = case
    compressed = model(image[None].astype(np.float32))
    assert_near(compressed.y[0], expected["y"], 1e-4)
    assert_near(compressed.x_hat[0] / 255, expected["x_hat"], 1e-4)
    if model.entropy.hyper:
        assert_near(model.entropy.hyper.analysis(compressed.y)[0], expected["z"], 1e-4)


def test_bits_are_those_of_compressai(case):
    model, image, expected = case
    y = model.transform.analysis(image[None].astype(np.float32))
    coder = WithExactScale(y, model.entropy.scales, likelihood_bound=1e-9)
    model.entropy.walk(coder)
    parts = ("latent", "side") if model.entropy.hyper else ("latent",)
    assert [float(coder.bits[part][0]) for part in parts] == pytest.approx(list(expected["bits"]), rel=1e-3)


def test_our_stream_decodes_to_compressais_image_in_as_many_bytes(case):
    model, image, expected = case
    codec = lic.Codec(model)
    stream = codec.compress(image)
    decoded = codec.decompress(stream).astype(int)
    assert np.mean(np.abs(decoded - expected["decoded"]) <= 1) >= 0.999
    # Theirs is without the size of the image, and codes what is outside the tables in another way.
    assert len(stream) == pytest.approx(int(expected["bytes"]), rel=0.02, abs=30)
