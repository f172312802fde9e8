import numpy as np

from lic.entropy.parameters import MeanAndIndexBias, convolutions


def test_means_start_at_zero_and_indexes_where_they_are_told():
    np.testing.assert_array_equal(MeanAndIndexBias(20.0)((6,)), [0, 0, 0, 20, 20, 20])
    assert MeanAndIndexBias.from_config(MeanAndIndexBias(3.0).get_config()).index == 3.0


def test_relu_is_between_the_layers_and_not_behind_the_last():
    network = convolutions((4, 3, 2), (5, 3, 1), kernel_initializer="zeros")
    assert [layer.filters for layer in network.layers] == [4, 3, 2]
    assert [layer.kernel_size for layer in network.layers] == [5, 3, 1]
    assert [layer.activation.__name__ for layer in network.layers] == ["relu", "relu", "linear"]
    assert not np.any(network(np.ones((1, 2, 2, 3), np.float32)))
