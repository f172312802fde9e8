import numpy as np
import pytest

import lic
from lic.codec.integer.calibration import LEVELS, arrays_of, calibrate, units_of
from tests.conftest import tiny_model


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
