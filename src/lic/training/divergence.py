"""Divergence: a training stops whose loss is not finite, or has grown beyond all measure."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lic.environment import keras, tf
from lic.errors import DivergenceError
from lic.models.base import CompressionModel
from lic.training.checkpoints import step_of
from lic.weights import named_variables

_GROWTH = 1e6  # How many times its lowest, or 1, the mean loss may become.
_ADVICE = "Go on from an earlier checkpoint with a lower learning rate, a smaller clip, or float32."


class StopAtDivergence(keras.callbacks.Callback):
    """Raises a `DivergenceError` at the first step whose loss is not finite, and names the part where that began.

    At such a step the model's `train_step` sets the gradients to zero. So the weights stay finite and almost the same,
    and the images of the step show the fault again.

    It raises one too where the mean loss of an epoch has grown a million times. Such a loss may stay finite for ever,
    while the latent's numbers are lost in the rounding of huge means.

    Args:
      images_of: Returns the images [batch, height, width, channels] of a step.
    """

    def __init__(self, images_of: Callable[[int], np.ndarray]):
        super().__init__()
        self._images_of = images_of
        self._lowest = math.inf

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Raises a `DivergenceError` if the loss is not finite, or has grown a million times."""
        if not logs:
            return
        loss, step = float(logs["loss"]), step_of(self.model) - 1
        if not math.isfinite(loss):
            where = find_nonfinite(self.model, self._images_of(step).astype("float32"))
            raise DivergenceError(f"Training diverged at step {step}: {where or 'the loss'} is not finite. {_ADVICE}")
        self._lowest = min(self._lowest, loss)
        if loss > _GROWTH * max(self._lowest, 1.0):
            raise DivergenceError(
                f"Training diverged at step {step}: the mean loss is {loss:.3g}, and was {self._lowest:.3g} before. "
                f"{_ADVICE}"
            )


def find_nonfinite(model: CompressionModel, images: np.ndarray) -> str | None:
    """Returns the first part of a compiled model whose numbers are not finite for images, or None.

    The order is images, weights, analysis, side information, bits of each part, quantised latent, synthesis, gradients.

    Args:
      model: The model.
      images: Images [batch, height, width, channels] on 0..255.
    """
    for name, variable in [("the images", images), *named_variables(model).items()]:
        if not _finite(variable):
            return name if name == "the images" else f"the weight {name}"
    if not _finite(model.analyse(tf.constant(images, "float32"))):
        return "the analysis transform's latent"
    compressed = model(images, training=True)
    parts = {f"the rate of {name!r}": bits for name, bits in compressed.bits.items()}
    parts = {"the side information": compressed.z_hat} | parts
    parts |= {"the quantised latent": compressed.y_hat, "the synthesis transform's image": compressed.x_hat}
    for name, values in parts.items():
        if values is not None and not _finite(values):
            return name
    gradients = model.gradients_of(images)[1]
    names = {id(variable): name for name, variable in named_variables(model).items()}
    for variable, gradient in zip(model.trainable_variables, gradients):
        if not _finite(gradient):
            return f"the gradient of the weight {names[id(variable)]}"
    return None


def _finite(values: tf.Tensor) -> bool:
    return bool(np.isfinite(np.asarray(tf.cast(tf.convert_to_tensor(values), "float32"))).all())
