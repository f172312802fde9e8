"""The learning rate as a function of the step."""

from __future__ import annotations

import math
from typing import Literal

from lic.argument_types import Count, CountOrZero, check_argument
from lic.environment import keras, tf
from lic.errors import check

Decay = Literal["none", "cosine", "tenth"]


@keras.utils.register_keras_serializable(package="lic")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that warms up linearly, stays constant, and decays.

    Args:
      rate: The rate after the warm-up.
      steps: Steps of the whole training.
      warm_up: Steps of the warm-up, or 0.
      decay: "none"; "cosine", half a cosine over the second half, to one hundredth; or "tenth", a tenth of the rate for
        the last tenth of the steps.

    Source: Minnen, Singh, ICIP 2020, for "tenth".

    Raises:
      ValueError: `rate` is not over 0 and finite, `steps` is less than 1, `warm_up` less than 0, or `decay` unknown.
    """

    def __init__(self, rate: float, steps: Count, warm_up: CountOrZero = 0, decay: Decay = "none"):
        check_argument("LearningRate", "rate", rate, float)
        check("LearningRate", "rate", 0 < rate < math.inf, "over 0 and finite", rate)
        check_argument("LearningRate", "steps", steps, Count)
        check_argument("LearningRate", "warm_up", warm_up, CountOrZero)
        check_argument("LearningRate", "decay", decay, Decay)
        self.rate, self.steps, self.warm_up, self.decay = rate, steps, warm_up, decay

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate of a step; the first step is 0."""
        step = tf.cast(step, "float32")
        warm = tf.minimum(1.0, (step + 1) / max(self.warm_up, 1))
        return self.rate * warm * self._remaining(step / self.steps)

    def get_config(self) -> dict:
        return {"rate": self.rate, "steps": self.steps, "warm_up": self.warm_up, "decay": self.decay}

    def _remaining(self, share: tf.Tensor) -> tf.Tensor:
        if self.decay == "cosine":
            return 0.01 + 0.99 * 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(2 * share - 1, 0.0, 1.0)))
        return tf.where(share < 0.9, 1.0, 0.1) if self.decay == "tenth" else tf.ones_like(share)
