"""The contracts of transforms and hyper transforms."""

from __future__ import annotations

from typing import Any, Literal

from lic import registry
from lic.argument_types import Count, Downscale, check_argument
from lic.environment import keras, tf
from lic.layers.base import Layer


class Transform(Layer):
    """Base of image transforms: a subclass sets `analysis` and `synthesis` in its constructor.

    `analysis` maps images [batch, height, width, channels] on 0..255 to latents [batch, height / downscale,
    width / downscale, depth], and `synthesis` maps latents to images. Both take every height and width that is a
    multiple of `downscale`. The arguments of a subclass's constructor are the sizes that `lic.create_model` takes for
    it; all of them need defaults.

    Args:
      depth: Number of channels of the latent.
      downscale: The latent's height and width are the image's, divided by this number.

    Attributes:
      analysis: The layer from images to latents.
      synthesis: The layer from latents to images.
      channels: Channels of the images; a subclass for others than 3 sets it.
      tile_overlap: The overlap of the tiles of large images on each side, in positions of the latent, or one of the
        analysis and one of the synthesis; it is rounded up to a multiple of `tile_multiple`. None: the transform sees
        the whole image, which is never cut into tiles.
      tile_multiple: Height and width of tiles are multiples of this number, in positions of the latent. A transform
        with a grid of its own, such as windows, sets it, so that the grid lies in each tile as in the whole image.

    Raises:
      ValueError: `depth` or `downscale` is no whole number of at least 1, or `downscale` is over 128.
    """

    channels = 3
    tile_overlap: int | tuple[int, int] | None = 4
    tile_multiple = 1
    registry = registry.transforms
    analysis: keras.layers.Layer
    synthesis: keras.layers.Layer

    def __init__(self, depth: int, downscale: int = 16, **kwargs):
        super().__init__(**kwargs)
        for name, value, hint in (("depth", depth, Count), ("downscale", downscale, Downscale)):
            check_argument(type(self).__name__, name, value, hint)
        self.depth, self.downscale = int(depth), int(downscale)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Applies the analysis and then the synthesis to values [batch, height, width, channels], without rounding."""
        return self.synthesis(self.analysis(values))

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns what `build` needs: a model calls the analysis, and not the transform, whose input is the same."""
        return super().get_build_config() or self.analysis.get_build_config()


class HyperTransform(Transform):
    """Base of hyper transforms: a subclass sets `analysis` and `synthesis` in its constructor.

    `analysis` maps latents [batch, height, width, channels] of any height and width to side information
    [batch, ceil(height / downscale), ceil(width / downscale), depth]. `synthesis` maps side information to features
    [batch, at least height, at least width, features], which are cropped to the latent. Entropy models compute the
    parameters of distributions from the features.

    Args:
      depth: Number of channels of the side information.
      features: Number of channels of the features.
      downscale: The side information's height and width are the latent's, divided by this number and rounded up.

    Raises:
      ValueError: `depth` or `downscale` is no whole number of at least 1, or `downscale` is over 128.
    """

    registry = registry.hyper_transforms

    def __init__(self, depth: int, features: int, downscale: int = 4, **kwargs):
        super().__init__(depth, downscale, **kwargs)
        self.features = features


def check_declared(
    transform: Transform, layer: Literal["analysis", "synthesis"], given: tf.Tensor, made: tf.Tensor
) -> None:
    """Checks that a layer made what its transform declares; sizes that are not known while tracing are not checked.

    Args:
      transform: The transform or hyper transform.
      layer: Which of its layers.
      given: What the layer was given [batch, height, width, channels].
      made: What it made.

    Raises:
      ValueError: It has another shape than `downscale`, and `depth` or `channels`, give.
    """
    batch, *sizes = given.shape[:3]
    scale, channels = transform.downscale, "depth" if layer == "analysis" else "channels"
    sizes = [size and (-(-size // scale) if layer == "analysis" else size * scale) for size in sizes]
    expected = (batch, *sizes, getattr(transform, channels))
    if not made.shape.is_compatible_with(expected):
        what = "images" if layer == "analysis" and not isinstance(transform, HyperTransform) else "latents"
        raise ValueError(
            f"{type(transform).__name__}: expected the {layer} to make {expected} of {what} {given.shape}, by "
            f"downscale={scale} and {channels}={expected[-1]}. Received: {made.shape}. Declare what its layers do."
        )
