"""Averages of weights over the steps of a training."""

from __future__ import annotations

from typing import Any

from lic.environment import keras, tf
from lic.models.optimizer import Adam
from lic.models.soap import SOAP


class Averaging:
    """Gives an optimizer moving averages in which the untrained weights have no share; it comes first among bases.

    In Keras's moving average they keep a share of `ema_momentum` to the power of the steps, which is 13 % after 1,000
    steps with 0.998. Here the average of the first steps is a mean over these steps.

    Args:
      learning_rate: A number, or a schedule of Keras.
      ema_momentum: Share of its value that the average keeps in a step, once many steps are taken.
      **kwargs: Further arguments of the optimizer.
    """

    def __init__(self, learning_rate: Any = 1e-4, *, ema_momentum: float = 0.998, **kwargs: Any):
        super().__init__(learning_rate, ema_momentum=ema_momentum, **{"use_ema": True} | kwargs)
        self.__dict__["_share"] = ema_momentum

    def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        """Takes a step with pairs of a gradient and a variable."""
        share = self._share  # Not the attribute below, which another replica may have set.
        steps = tf.cast(tf.convert_to_tensor(self.iterations), "float32")  # Before this one.
        # Adam corrects its moments likewise. The first step replaces the average.
        self.ema_momentum = share * (1 - share**steps) / (1 - share ** (steps + 1))
        try:
            return super().apply_gradients(grads_and_vars, *args, **kwargs)
        finally:
            self.ema_momentum = share


@keras.utils.register_keras_serializable(package="lic")
class AveragingAdam(Averaging, Adam):
    """`lic.Adam` with averages of the weights."""


@keras.utils.register_keras_serializable(package="lic")
class AveragingSOAP(Averaging, SOAP):
    """`lic.SOAP` with averages of the weights."""
