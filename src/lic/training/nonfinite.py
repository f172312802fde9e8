"""Training that has diverged stops, and says in which part of the model it began."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lic.environment import keras, tf
from lic.errors import LicError
from lic.layers.padding import pad
from lic.models.base import CompressionModel
from lic.training.state import step_of
from lic.weights import named_variables


class StopWhereNotFinite(keras.callbacks.Callback):
    """Raises a `LicError` at the first step whose loss is not finite; it names the part where that began.

    The model's `train_step` takes such a step as if the gradients were zero: the weights stay finite and all but the
    same, so that the same images show it again.

    Args:
      images_of: Returns the images [batch, height, width, 3] of a step.
    """

    def __init__(self, images_of: Callable[[int], np.ndarray]):
        super().__init__()
        self._images_of = images_of

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks at the loss."""
        if logs and not math.isfinite(float(logs["loss"])):
            step = step_of(self.model) - 1
            where = find_nonfinite(self.model, self._images_of(step).astype("float32"))
            raise LicError(
                f"Training diverged at step {step}: {where or 'the loss'} is not finite. Go on from an earlier "
                "checkpoint with a lower learning rate, a smaller clip, or float32."
            )


def find_nonfinite(model: CompressionModel, images: np.ndarray) -> str | None:
    """Returns the first part of a compiled model whose numbers are not finite for images, or None.

    It looks at images, weights, analysis, side information, bits of each part, quantised latent, synthesis, gradients,
    in this order.
    """
    for name, variable in [("the images", images), *named_variables(model).items()]:
        if not _finite(variable):
            return name if name == "the images" else f"the weight {name}"
    if not _finite(model.transform.analysis(pad(tf.constant(images), model.transform.downscale))):
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
