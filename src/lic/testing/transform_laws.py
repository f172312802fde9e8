"""The laws of transforms."""

from __future__ import annotations

from typing import get_args

import numpy as np

from lic.codec.tiling import Direction, in_tiles, overlap_of
from lic.environment import keras, tf
from lic.testing.copies import fresh, moved, require_same_variables, tolerance_of
from lic.testing.hyper_laws import trial_of_hyper_transform
from lic.testing.images import uneven_image
from lic.testing.laws import (
    Law,
    Trial,
    each,
    keeps_weights,
    require,
    require_finite,
    require_gradients,
    require_near,
    require_same,
)
from lic.transforms.base import HyperTransform, Transform
from lic.weights import get_tensors, set_tensors

# Positions of the latent. Odd numbers do not fill windows of any size.
GRIDS = ((1, 1), (3, 2), (5, 7), (23, 1), (2, 25))
TILE = 8  # Positions of the latent, rounded up to the transform's own multiple.
SIDE = 22  # Positions of the latent on each side of an image that moves, at least.
_FRAME = 8  # Positions of one colour around what moves, where a transform sees the whole image.


def check_transform(
    analysis: Transform | keras.layers.Layer,
    synthesis: keras.layers.Layer | None = None,
    *,
    multiple: int = 1,
    overlap: int | tuple[int, int] | None = Transform.tile_overlap,
    channels: int = 3,
    quick: bool = False,
) -> None:
    """Checks that a transform, or a pair of layers, keeps every law of its kind; weights stay as they are.

    Args:
      analysis: A `lic.Transform` or `lic.HyperTransform`; or the layer from images to latents.
      synthesis: With a layer, the one from latents to images.
      multiple: With layers, the latent moves along with an image that moves by multiples of this number of positions,
        such as the size of attention windows; transforms declare it as `tile_multiple`.
      overlap: With layers, the positions that they see on each side, or one number for each of them, or None where they
        see the whole image; transforms declare it as `tile_overlap`.
      channels: With layers, the channels of the images.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: The arguments are neither a transform nor two layers.
    """
    trial_of_transform(analysis, synthesis, multiple, overlap, channels).check(quick=quick)


def trial_of_transform(
    analysis: Transform | keras.layers.Layer,
    synthesis: keras.layers.Layer | None = None,
    multiple: int = 1,
    overlap: int | tuple[int, int] | None = Transform.tile_overlap,
    channels: int = 3,
) -> Trial:
    """Returns the laws of a transform or a pair of layers; see `check_transform`."""
    if isinstance(analysis, HyperTransform):
        return trial_of_hyper_transform(analysis)
    if isinstance(analysis, Transform):
        return _trial(analysis, type(analysis).__name__, (*LAWS, configuration_and_weights_make_it_anew))
    if callable(analysis) and callable(synthesis):
        names = " and ".join(type(layer).__name__ for layer in (analysis, synthesis))
        return _trial(_Declared(analysis, synthesis, multiple, overlap, channels), names, LAWS)
    raise ValueError(
        "check_transform: expected a lic.Transform or lic.HyperTransform, or two layers, analysis and synthesis. "
        f"Received: {type(analysis).__name__} and {type(synthesis).__name__}."
    )


def downscale_and_depth_are_as_declared(transform: Transform) -> None:
    """Latents and decoded images have the declared shapes, at odd numbers of windows too."""
    for where, grid in each(GRIDS):
        images = _images(transform, *grid)
        latent = transform.analysis(images)
        expected = (1, *grid, transform.depth)
        require(
            latent.shape == expected,
            f"a latent of {where[3:]} positions: the analysis gives {tuple(latent.shape)}, expected {expected} from "
            f"downscale={transform.downscale} and depth={transform.depth}",
        )
        decoded = transform.synthesis(latent)
        require(
            decoded.shape == images.shape,
            f"{where} of the latent: the synthesis gives {tuple(decoded.shape)}, expected {tuple(images.shape)}",
        )


def moving_the_image_moves_the_latent(transform: Transform) -> None:
    """Away from borders, moving an image by whole positions moves its latent, and moving a latent moves its image.

    This holds along rows and along columns.
    """
    step = transform.tile_multiple
    for direction in get_args(Direction):
        overlap = overlap_of(transform, direction)
        # Within the overlap of a border the latent depends on the border, which does not move.
        margin = _FRAME if overlap is None else overlap
        side = max(2 * (margin + step) + 4, SIDE)
        what, layer, values, before, after = _path(transform, direction, side, side + 1)
        if overlap is None:  # A mean over the whole image stays the same if all around what moves is of one colour.
            values = _framed(values, (margin + step) * before)
        inside = slice((margin + step) * after, -margin * after or None)
        for axis, to in ((1, "down"), (2, "right")):
            moved = layer(tf.roll(values, step * before, axis))
            expected = tf.roll(layer(values), step * after, axis)
            _require_near_to_scale(
                f"the {what} moved {to} by {step} positions",
                moved[:, inside, inside],
                expected[:, inside, inside],
                transform,
            )


def tiles_give_what_the_whole_image_gives(transform: Transform) -> None:
    """Large images are cut into tiles, so no number depends on more of an image than the overlap of tiles holds."""
    unit = transform.tile_multiple
    step = -(-TILE // unit) * unit
    for direction in get_args(Direction):
        overlap = overlap_of(transform, direction)
        if overlap is None:
            continue
        rows, columns = max(3 * step, step + overlap) + 3, 2 * step + overlap + 2
        what, layer, values, _, _ = _path(transform, direction, rows, columns)

        def on_tile(tile: np.ndarray, layer: keras.layers.Layer = layer) -> np.ndarray:
            return np.asarray(tf.cast(layer(tile[None])[0], tf.float32))

        values = np.asarray(tf.cast(values[0], tf.float32))
        _require_near_to_scale(
            f"the {what} of {rows}x{columns} positions, as a whole and in tiles of {step} with tile_multiple={unit} "
            f"and tile_overlap={overlap} (None if layers see the whole image)",
            in_tiles(on_tile, values, transform, direction, step * transform.downscale),
            on_tile(values),
            transform,
        )


def _path(transform: Transform, direction: Direction, rows: int, columns: int) -> tuple:
    """Returns words, the analysis or the synthesis, its input, and the scales of input and output."""
    images = _images(transform, rows, columns)
    if direction == "analysis":
        return "latent of an image", transform.analysis, images, transform.downscale, 1
    return "image of a latent", transform.synthesis, transform.analysis(images), 1, transform.downscale


def _framed(values: tf.Tensor, frame: int) -> tf.Tensor:
    """Returns values of which a frame of rows and columns is one colour, that of the mean."""
    inside = values[:, frame:-frame, frame:-frame]
    colour = tf.reduce_mean(inside, (1, 2), keepdims=True)
    return colour + tf.pad(inside - colour, [(0, 0), (frame, frame), (frame, frame), (0, 0)])


def _require_near_to_scale(what: str, first: tf.Tensor, second: tf.Tensor, transform: Transform) -> None:
    """Requires two arrays to be near, relative to the largest number, since fresh weights may make small ones."""
    first, second = (np.asarray(tf.cast(values, tf.float32), np.float64) for values in (first, second))
    scale = max(np.abs(second).max(initial=0.0), 1e-6)
    require_near(what, first / scale, second / scale, tolerance_of(transform, 1e-3))


def gradients_reach_every_variable(transform: Transform) -> None:
    """The decoded image depends on every trainable variable."""
    images = tf.concat([_images(transform, 3, 2, seed) for seed in range(2)], 0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.cast(transform(images), tf.float32)))
    require_gradients(tape, loss, transform)


@keeps_weights
def flat_images_give_finite_numbers(transform: Transform) -> None:
    """Latents, decoded images and gradients of black, white and half-black images are finite.

    The weights are as they are, since a bias that is not zero yet hides a division by zero.
    """
    image = _images(transform, 4, 4)
    left = tf.cast(tf.range(image.shape[2]) < image.shape[2] // 2, image.dtype)[:, None]
    with tf.GradientTape() as tape:
        latents = transform.analysis(tf.concat([tf.zeros_like(image), tf.fill(image.shape, 255.0), image * left], 0))
        decoded = transform.synthesis(latents)
        loss = tf.reduce_mean(tf.square(tf.cast(decoded, tf.float32)))
    for what, latent, pixels in zip(("black", "white", "half-black"), latents, decoded):
        require_finite(f"the latent of a {what} image", latent)
        require_finite(f"what is decoded of a {what} image", pixels)
    variables = transform.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        if gradient is not None:
            require_finite(f"the gradient of {getattr(variable, 'path', variable.name)!r} for flat images", gradient)


def a_call_changes_no_variable(transform: Transform) -> None:
    """A call, in training or not, leaves variables as they are and makes none."""
    before = get_tensors(transform)
    for training in (False, True):
        latent = transform.analysis(_images(transform, 2, 3), training=training)
        transform.synthesis(latent, training=training)
        require_same_variables(f"a call with training={training}", transform, before, statistics=training)


def the_same_image_gives_the_same_every_time(transform: Transform) -> None:
    """Latents and decoded images are not random, and do not depend on the images before."""
    images = _images(transform, 3, 2)
    latent = transform.analysis(images)
    decoded = transform.synthesis(latent)
    transform(_images(transform, 5, 7, seed=1))
    require_same("the latent of one image, twice", latent, transform.analysis(images))
    require_same("the image of one latent, twice", decoded, transform.synthesis(latent))


def images_of_a_batch_do_not_mix(transform: Transform) -> None:
    """The latent and the decoded image of an image do not depend on the others in its batch."""
    images, tolerance = [_images(transform, 3, 2, seed) for seed in range(3)], tolerance_of(transform, 1e-5)
    together = transform.analysis(tf.concat(images, 0))
    decoded = transform.synthesis(together)
    for number, image in enumerate(images):
        alone = transform.analysis(image)
        require_near(f"the latent of image {number} of 3 and alone", together[number], alone[0], tolerance)
        synthesised = transform.synthesis(alone)[0]
        require_near(f"decoded image {number} of 3 and alone", decoded[number], synthesised, tolerance)


def one_graph_serves_all_sizes(transform: Transform) -> None:
    """One graph of each layer, traced for unknown sizes, computes the same as the layer outside a graph."""
    analysis = tf.function(transform.analysis, [tf.TensorSpec((1, None, None, transform.channels))], autograph=False)
    latents = tf.TensorSpec((1, None, None, transform.depth))
    synthesis = tf.function(lambda latent: tf.cast(transform.synthesis(latent), tf.float32), [latents], autograph=False)
    tolerance = tolerance_of(transform, 1e-4)
    for where, grid in each(GRIDS):
        images = _images(transform, *grid)
        latent = transform.analysis(images)
        require_near(f"{where} of the latent, analysis in a graph and eagerly", analysis(images), latent, tolerance)
        latent = tf.cast(latent, tf.float32)
        decoded = transform.synthesis(latent)
        require_near(f"{where} of the latent, synthesis in a graph and eagerly", synthesis(latent), decoded, tolerance)


def configuration_and_weights_make_it_anew(transform: Transform) -> None:
    """The configuration and the weights make a copy that computes the same."""
    again, images, tolerance = fresh(transform), _images(transform, 3, 2), tolerance_of(transform, 1e-6)
    again(images)
    require(again.get_config() == transform.get_config(), f"{again.get_config()} from {transform.get_config()}")
    set_tensors(again, get_tensors(transform))
    latent = transform.analysis(images)
    require_near("the latent of a copy", again.analysis(images), latent, tolerance)
    require_near("the image of a copy", again.synthesis(latent), transform.synthesis(latent), tolerance)


LAWS: tuple[Law, ...] = (
    downscale_and_depth_are_as_declared,
    moving_the_image_moves_the_latent,
    tiles_give_what_the_whole_image_gives,
    gradients_reach_every_variable,
    flat_images_give_finite_numbers,
    a_call_changes_no_variable,
    the_same_image_gives_the_same_every_time,
    images_of_a_batch_do_not_mix,
    one_graph_serves_all_sizes,
)


class _Declared(Transform):
    """Two layers as a transform, whose depth and downscale are measured on one image."""

    def __init__(
        self,
        analysis: keras.layers.Layer,
        synthesis: keras.layers.Layer,
        multiple: int,
        overlap: int | tuple[int, int] | None,
        channels: int,
    ):
        side = 256
        _, rows, _, depth = analysis(tf.zeros((1, side, side, channels))).shape
        super().__init__(depth, max(side // max(rows, 1), 1))
        self.channels = channels
        self.analysis, self.synthesis = analysis, synthesis
        self.tile_multiple, self.tile_overlap = multiple, overlap


def _trial(transform: Transform, name: str, laws: tuple[Law, ...]) -> Trial:
    transform(_images(transform, 8, 8))
    return Trial(name, laws, transform, during=lambda: moved(transform))


def _images(transform: Transform, rows: int, columns: int, seed: int = 0) -> tf.Tensor:
    """Returns an image [1, height, width, channels] whose latent has as many rows and columns."""
    pixels = uneven_image(rows * transform.downscale, columns * transform.downscale, transform.channels, seed=seed)
    return tf.constant(pixels[None], tf.float32)
