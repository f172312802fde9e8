import numpy as np
import pytest

from lic.entropy import Estimate, LatentResidualPrediction, Recorder
from lic.environment import tf
from tests.conftest import tiny_model


def test_it_predicts_at_most_half_a_step():
    layer = LatentResidualPrediction(6, widths=(8, 7))
    predicted = layer(tf.random.normal((2, 5, 4, 3)) * 1e3)
    assert predicted.shape == (2, 5, 4, 6)
    assert 0.1 < np.abs(predicted).max() <= 0.5
    assert [network.filters for network in layer.network.layers] == [8, 7, 6]


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("entropy", ["hyperprior", "checkerboard"])
def test_at_the_end_it_is_switched_in_or_left_out(entropy, residual):
    entropy = tiny_model("conv", entropy, residual=residual).entropy
    y_hat = entropy.walk(recorder := Recorder(Estimate(tf.random.normal((1, 4, 5, 12), stddev=50.0))))
    coded = recorder.zeros
    for record in recorder.records:
        coded = record.part.put(coded, record.values)
    changed = np.abs(y_hat - coded).max()
    assert (changed > 0) == residual
    assert changed <= 0.5
