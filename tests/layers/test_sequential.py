import numpy as np
import pytest

from lic.layers import Concatenate, Convolution, Scale, Sequential


def test_layers_are_applied_in_order():
    chain = Sequential([Scale(2.0), Scale(1.0, offset=3.0)])
    np.testing.assert_array_equal(chain(np.ones((1, 1, 1, 1), np.float32)), [[[[5.0]]]])


def test_weights_of_all_layers_are_seen():
    chain = Sequential([Convolution(4, 3), Scale(2.0), Convolution(2, 3)])
    chain(np.ones((1, 4, 4, 3), np.float32))
    assert len(chain.trainable_variables) == 4


@pytest.mark.parametrize("layers", [[Scale(2.0), "relu"], ["relu"]])
@pytest.mark.parametrize("kind", [Sequential, Concatenate])
def test_what_is_no_layer_is_refused_at_once(kind, layers):
    with pytest.raises(ValueError, match=f"{kind.__name__}: expected layers to be a list of layers. Received: \\["):
        kind(layers)
