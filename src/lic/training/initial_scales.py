"""Initial scales that fit the latent of the untrained analysis, so that training begins at one bit a pixel, not ten."""

from __future__ import annotations

import numpy as np

from lic.environment import keras, tf
from lic.errors import check, check_kind
from lic.models.base import CompressionModel
from lic.models.given_images import warn_of_range
from lic.weights import check_may_change, value_of

SHARE = 0.5  # Scale over deviation: a hyperprior soon predicts smaller deviations than that over whole images.
DAMPING = 0.1  # Factor of the last layer's kernel, so that at first the bias decides.
_AT_ONCE = 8  # Images that are analysed at once, so that memory does not grow with their number.


def start_scales(model: CompressionModel, images: np.ndarray) -> None:
    """Sets the initial biases of scale indexes by the deviation that each channel of the latent has over images.

    An entropy model lists these biases in `scale_biases`; a model that lists none stays as it is. Layers whose biases
    are no longer those of their initialisers stay as they are, too: they were trained, or set before.

    Args:
      model: A model that has its variables.
      images: Images [batch, height, width, channels] on 0..255.

    Raises:
      ValueError: An argument is of another kind or shape, or the model is that of a codec.
    """
    check_kind("start_scales", "model", model, CompressionModel, "a lic.CompressionModel")
    check_may_change("start_scales", model)
    shape = np.shape(images)
    fits = len(shape) == 4 and shape[-1] == model.transform.channels
    check("start_scales", "images", fits, f"images [batch, height, width, {model.transform.channels}]", shape)
    finite = bool(np.size(images)) and np.all(np.isfinite(np.asarray(images, np.float32)))
    check("start_scales", "images", finite, "one image at least, of finite numbers", shape)
    warn_of_range("start_scales", float(np.max(images)))
    biases = [each for each in model.entropy.scale_biases if _is_fresh(each[0])]
    if not biases:
        return
    some = np.split(np.asarray(images), range(_AT_ONCE, len(images), _AT_ONCE))
    latents = [np.asarray(model.analyse(tf.constant(each, "float32"))) for each in some]
    deviations = SHARE * np.std(np.concatenate(latents), axis=(0, 1, 2))
    for layer, start, stop in biases:
        layer.bias.assign(model.entropy.likelihood.start(deviations[start:stop]))
        layer.kernel.assign(value_of(layer.kernel) * DAMPING)


def _is_fresh(layer: keras.layers.Layer) -> bool:
    return np.array_equal(value_of(layer.bias), layer.bias_initializer(layer.bias.shape))
