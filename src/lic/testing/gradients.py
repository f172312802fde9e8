"""Gradients that must be there."""

from __future__ import annotations

import numpy as np

from lic.environment import keras, tf
from lic.testing.laws import require


def require_gradients(tape: tf.GradientTape, loss: tf.Tensor, layer: keras.layers.Layer) -> None:
    """Requires that a loss has a gradient, not zero and finite, for every trainable variable of a layer."""
    variables = layer.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        name = getattr(variable, "path", variable.name)
        require(gradient is not None, f"the variable {name!r} has no gradient")
        gradient = np.array(tf.convert_to_tensor(gradient))
        require(bool(np.isfinite(gradient).all()), f"the gradient of {name!r} is not finite")
        require(bool(np.any(gradient)), f"the gradient of {name!r} is zero")
