"""A package of its own that adds a transform and an entropy model to `lic` by an entry point."""

import tensorflow as tf

import lic
from lic.entropy import EVERYTHING
from lic.layers import Scale, Sequential


class Fold(tf.keras.layers.Layer):
    """Puts 2x2 blocks of pixels into channels, or with `inverse` back."""

    def __init__(self, inverse=False, **kwargs):
        super().__init__(**kwargs)
        self.inverse = inverse

    def call(self, values):
        return tf.nn.depth_to_space(values, 2) if self.inverse else tf.nn.space_to_depth(values, 2)


@lic.register_transform("plugin-fold")
class FoldTransform(lic.Transform):
    """Keeps pixels as they are, `step` grey levels a unit: what is lost is half a step."""

    def __init__(self, step: float = 8.0, **kwargs):
        super().__init__(12, downscale=2, **kwargs)
        self.analysis = Sequential([Scale(1 / step, offset=-127.5), Fold()])
        self.synthesis = Sequential([Fold(inverse=True), Scale(step), Scale(1.0, offset=127.5)])


@lic.register_entropy_model("plugin-channels")
class ChannelScales(lic.EntropyModel):
    """Codes each channel under a normal distribution with a learnt scale, the same at all positions."""

    def __init__(self, latent_depth: int, *, quantization: str = "noise/ste"):
        super().__init__(latent_depth, quantization=quantization)
        start = tf.keras.initializers.Constant(self.likelihood.scales.index_of(8.0))
        self.index = self.add_weight(name="index", shape=(latent_depth,), initializer=start)

    def walk(self, coder):
        return coder.code(EVERYTHING, self.likelihood.of(coder.zeros, coder.zeros + self.index))
