import numpy as np
import pytest

from lic.entropy import Estimate, LatentResidualPrediction
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
    class Recorder(Estimate):
        """Puts the parts together as they were coded."""

        def normal(self, part, mean, index):
            decoded = super().normal(part, mean, index)
            self.zeros = part.put(self.zeros, decoded)
            return decoded

    entropy = tiny_model("conv", entropy, residual=residual).entropy
    coder = Recorder(tf.random.normal((1, 4, 5, 12), stddev=50.0), entropy.scales)
    changed = np.abs(entropy.walk(coder) - coder.zeros).max()
    assert (changed > 0) == residual
    assert changed <= 0.5
