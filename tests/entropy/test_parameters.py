import numpy as np

from lic.entropy.parameters import StartAt, convolutions


def test_a_bias_starts_at_given_numbers():
    start = StartAt(np.array([0.0, 1.5, 20.0]))
    np.testing.assert_array_equal(start((3,)), [0, 1.5, 20])
    np.testing.assert_array_equal(StartAt.from_config(start.get_config())((3,)), [0, 1.5, 20])


def test_relu_is_between_the_layers_and_not_behind_the_last():
    network = convolutions((4, 3, 2), (5, 3, 1), kernel_initializer="zeros")
    assert [layer.filters for layer in network.layers] == [4, 3, 2]
    assert [layer.kernel_size for layer in network.layers] == [5, 3, 1]
    assert [layer.activation.__name__ for layer in network.layers] == ["relu", "relu", "linear"]
    assert not np.any(network(np.ones((1, 2, 2, 3), np.float32)))
