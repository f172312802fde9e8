import numpy as np
import pytest

import lic
from lic.codec.integer.calibration import LEVELS, arrays_of, calibrate, parameter_layers, units_of
from lic.entropy import Estimate
from lic.environment import tf
from lic.layers import Convolution
from lic.layers.tracing import intercept
from tests.conftest import random_images, tiny_model


def test_units_cross_as_arrays_and_missing_ones_are_refused():
    latent = np.random.default_rng(0).normal(0, 3, (8, 8, 12)).astype(np.float32)
    units = calibrate(tiny_model("conv", "charm"), [(latent, 1.0)])
    assert any(path.startswith("entropy/hyper/synthesis") for path in units)
    assert not any(path.startswith("entropy/hyper/analysis") for path in units)
    arrays = arrays_of(units)
    again = units_of(arrays)
    with pytest.raises(lic.CheckpointError, match="have version 2, this lic computes 1"):
        units_of(arrays | {"version": np.array(2)})
    assert again.keys() == units.keys()
    for path, each in units.items():
        np.testing.assert_array_equal(again[path].input_bits, each.input_bits)
        np.testing.assert_array_equal(again[path].output_bits, each.output_bits)
        assert again[path].levels == each.levels == LEVELS
    arrays.pop(next(name for name in arrays if name.endswith("outputs")))
    with pytest.raises(lic.CheckpointError, match="are not complete"):
        units_of(arrays)


def test_units_follow_the_images_and_all_qualities(monkeypatch):
    model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.2))
    grey, colours = np.full((64, 64, 3), 128, np.uint8), random_images(64, 80, 3)
    one, other = (lic.Codec(model, deterministic=True, calibration=[image]) for image in (grey, colours))
    assert one.fingerprint != other.fingerprint
    met = []
    monkeypatch.setattr("lic.codec.codec.calibrate", lambda model, pairs: met.extend(pairs) or calibrate(model, met))
    lic.Codec(model, deterministic=True, calibration=[grey, colours])
    assert [quality for _, quality in met] == [1.0, 2.0, 1.0, 2.0]


def test_inputs_have_headroom():
    model, seen = tiny_model("klt", "hyperprior"), {}
    latent = lic.Codec(model).analyse(random_images(64, 80, 3))
    units = calibrate(model, [(latent, 1.0)])

    def watch(path, layer, call, values):
        seen[path] = np.abs(values).max((0, 1, 2))
        return call(values)

    with intercept(parameter_layers(model, Convolution), watch):
        model.walk(Estimate(tf.constant(latent[None])), tf.constant([1.0]))
    assert seen.keys() == units.keys()
    for path, largest in seen.items():
        reach = units[path].levels * 2.0 ** -units[path].input_bits.astype(float)
        assert np.all(reach >= 2 * largest * (1 - 1e-6))
