"""The base of layers: a layer comes back from its configuration, and `build` makes the weights of all layers inside."""

from __future__ import annotations

import inspect
from typing import Any

from lic.config import Configured
from lic.environment import keras, tf
from lic.layers.initial_weights import skips_random_init, take_layer, take_weight
from lic.layers.tracing import building, check_process, is_building


class Layer(Configured, keras.layers.Layer):
    """A Keras layer that records its arguments, and may hold other layers.

    A subclass makes the layers inside in its constructor and writes `call`. It needs no `get_config`, no `from_config`,
    and no `build` unless it has weights of its own whose shapes depend on the input.
    """

    def __init__(self, **kwargs: Any):
        check_process()
        take_layer()
        super().__init__(**kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer. In the first call layers inside make their weights when they are called."""
        check_process()
        if self.built:
            return super().__call__(*args, **kwargs)
        with building():
            return super().__call__(*args, **kwargs)

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """Makes a weight as Keras does, and with zeros within `skip_random_init`; the arguments are Keras's.

        Raises:
          CheckpointError: A file that the layer is made for has no numbers for the weight.
        """
        if not skips_random_init():
            return super().add_weight(*args, **kwargs)
        given = inspect.signature(super().add_weight).bind(*args, **kwargs)
        shape = given.arguments.get("shape")
        take_weight(tf.TensorShape(() if shape is None else shape).as_list())
        given.arguments["initializer"] = "zeros"
        return super().add_weight(*given.args, **given.kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the weights of all layers inside, by tracing one call on an input of this shape.

        Args:
          input_shape: The shape of the input of `call`, such as (None, None, None, 3).
        """
        if not is_building() and not all(layer.built for layer in self._flatten_layers(include_self=False)):
            # As in training, without AutoGraph, which takes long and warns of what it cannot convert.
            call = tf.autograph.experimental.do_not_convert(self.__call__)
            with building(), tf.__internal__.FuncGraph("build").as_default():
                call(tf.compat.v1.placeholder("float32", input_shape))
            self._clear_losses()  # Those of this call belong to its graph.
        super().build(input_shape)
