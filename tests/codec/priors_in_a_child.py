"""An entropy model of two factorized priors inside one child layer, for tests in several processes."""

import lic
from lic.entropy import FactorizedPrior, channels
from lic.environment import keras, tf

NAME = "priors-in-a-child"


class Inner(keras.layers.Layer):
    """Two priors, whose attributes Keras 2 and Keras 3 list in different order."""

    def __init__(self, depth):
        super().__init__()
        self.late = None
        self.early = FactorizedPrior(depth, init_scale=3.0)
        self.late = FactorizedPrior(depth, init_scale=30.0)


class PriorsInAChild(lic.EntropyModel):
    """Codes one half of the channels under each prior of a child layer."""

    def __init__(self, latent_depth, **kwargs):
        super().__init__(latent_depth, **kwargs)
        self.inner = Inner(latent_depth // 2)

    def walk(self, coder):
        half = self.latent_depth // 2
        first = coder.code(channels(0, half), self.inner.late)
        return tf.concat([first, coder.code(channels(half, 2 * half), self.inner.early)], -1)


def register():
    """Registers it, which importing this file does not: other tests count the registered parts."""
    lic.register_entropy_model(NAME)(PriorsInAChild)
