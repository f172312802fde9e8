"""The contract of transforms: an analysis, a synthesis, how much smaller the latent is and how deep."""

from __future__ import annotations

from lic import registry
from lic.config import Configured
from lic.environment import keras, tf


class Transform(Configured, keras.layers.Layer):
    """Base of image transforms: a subclass sets `analysis` and `synthesis` in its constructor.

    `analysis` maps images [batch, height, width, 3] on 0..255 to latents [batch, height / downscale,
    width / downscale, depth], and `synthesis` maps back; both take every height and width that is a multiple of
    `downscale`. The arguments of a subclass's constructor are the sizes that `lic.create_model` takes for it; they
    need defaults.

    Args:
      depth: Number of channels of the latent.
      downscale: How many times smaller the latent's height and width are.

    Attributes:
      tile_overlap: How far tiles of large images overlap on each side, in positions of the latent.
      tile_multiple: What their height and width are a multiple of, in positions of the latent, so that what stands on a
        grid of its own, such as windows, stands there as in the whole image.
    """

    tile_overlap = 4
    tile_multiple = 1
    registry = registry.transforms
    analysis: keras.layers.Layer
    synthesis: keras.layers.Layer

    def __init__(self, depth: int, downscale: int = 16, **kwargs):
        super().__init__(**kwargs)
        if depth < 1 or downscale < 1:
            raise ValueError(
                f"{type(self).__name__}: expected depth and downscale of at least 1. "
                f"Received: depth={depth}, downscale={downscale}."
            )
        self.depth, self.downscale = depth, downscale
        self.built = True  # All variables belong to the two layers.

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Analyses values and synthesises them again, without quantisation."""
        return self.synthesis(self.analysis(values))


class HyperTransform(Transform):
    """Base of hyper transforms: from a latent to side information, and from that to features.

    `analysis` maps latents of any height and width to side information [batch, ceil(height / downscale),
    ceil(width / downscale), depth]; `synthesis` maps it to features that are at least as high and wide as the latent
    and are cropped to it. Entropy models make means and scales from the features.

    Args:
      depth: Number of channels of the side information.
      features: Number of channels of the features.
      downscale: How many times smaller the side information's height and width are.
    """

    registry = registry.hyper_transforms

    def __init__(self, depth: int, features: int, downscale: int = 4, **kwargs):
        super().__init__(depth, downscale, **kwargs)
        self.features = features
