"""Initial scales fit the latent of the untrained analysis."""

import numpy as np
import pytest

from lic.training.initial_scales import SHARE, start_scales
from lic.weights import value_of
from tests.conftest import random_images, tiny_model

IMAGES = random_images(10, 64, 64, 3).astype(np.float32)


@pytest.mark.parametrize("entropy", ["checkerboard", "hyperprior", "space-channel"])
def test_the_indexes_are_those_of_the_latent(entropy):
    model = tiny_model("klt", entropy)
    kernels = [value_of(layer.kernel) for layer, _, _ in model.entropy.scale_biases]
    start_scales(model, IMAGES)
    indexes = np.zeros(12)
    for before, (layer, start, stop) in zip(kernels, model.entropy.scale_biases, strict=True):
        np.testing.assert_allclose(value_of(layer.kernel), 0.1 * before, rtol=1e-6)
        indexes[start:stop] = np.array(layer.bias)[stop - start :]
    deviations = np.std(np.array(model.transform.analysis(IMAGES)), (0, 1, 2))
    scales = model.entropy.likelihood.scales
    wanted = [scales.index_of(max(SHARE * float(each), scales.lowest)) for each in deviations]
    np.testing.assert_allclose(indexes, wanted, rtol=1e-4)


def test_training_begins_at_fewer_bits():
    model = tiny_model("klt", "checkerboard")
    before = np.mean(model.losses_of(IMAGES)["bpp"])
    start_scales(model, IMAGES)
    assert np.mean(model.losses_of(IMAGES)["bpp"]) < 0.8 * before


def test_scales_that_were_set_or_trained_stay():
    model = tiny_model("klt", "checkerboard")
    start_scales(model, IMAGES)
    before = model.get_weights()
    start_scales(model, IMAGES / 2)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_model_that_lists_no_biases_stays():
    model = tiny_model("klt", "factorized")
    before = np.mean(model.losses_of(IMAGES)["bpp"])
    start_scales(model, IMAGES)
    assert np.mean(model.losses_of(IMAGES)["bpp"]) == before
