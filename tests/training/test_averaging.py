"""Averages of weights, from the first step on."""

import numpy as np
import pytest

from lic.environment import keras, tf
from lic.training.averaging import AveragingAdam, AveragingSOAP


def averages_of(optimizer):
    return [np.asarray(average) for average in optimizer._model_variables_moving_average]


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_average_is_a_weighted_mean_of_the_weights_after_each_step(steps):
    layer = keras.layers.Dense(1, use_bias=False)
    layer.build((None, 2))
    weight = layer.kernel
    weight.assign([[5.0], [-3.0]])
    optimizer = AveragingAdam(0.5, ema_momentum=0.7)
    optimizer.build([weight])
    step = tf.function(lambda: optimizer.apply_gradients([(2 * tf.convert_to_tensor(weight), weight)]))
    weights = []
    for _ in range(steps):
        step()
        weights.append(np.asarray(tf.convert_to_tensor(weight)))
    shares = 0.7 ** np.arange(steps)[::-1]
    np.testing.assert_allclose(averages_of(optimizer)[0], np.average(weights, 0, shares), rtol=1e-5)
    assert optimizer.ema_momentum == 0.7


@pytest.mark.parametrize("kind", [AveragingAdam, AveragingSOAP])
def test_it_comes_back_from_its_configuration(kind):
    optimizer = kind.from_config(kind(1e-3, ema_momentum=0.9, global_clipnorm=1.0).get_config())
    assert (optimizer.use_ema, optimizer.ema_momentum, optimizer.global_clipnorm) == (True, 0.9, 1.0)
