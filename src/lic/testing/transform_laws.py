"""The laws of transforms."""

from __future__ import annotations

from lic.environment import keras, tf
from lic.testing.copies import fresh, moved, require_same_variables
from lic.testing.hyper_laws import trial_of_hyper_transform
from lic.testing.images import random_images
from lic.testing.laws import Law, Trial, each, require, require_gradients, require_near, require_same
from lic.transforms.base import HyperTransform, Transform
from lic.weights import get_tensors, set_tensors

# Positions of the latent. Odd numbers do not fill windows of any size.
GRIDS = ((1, 1), (3, 2), (5, 7), (23, 1), (2, 25))


def check_transform(
    analysis: Transform | keras.layers.Layer,
    synthesis: keras.layers.Layer | None = None,
    *,
    multiple: int = 1,
    quick: bool = False,
) -> None:
    """Checks that a transform, or a pair of layers, keeps every law of its kind; weights stay as they are.

    Args:
      analysis: A `lic.Transform` or `lic.HyperTransform`; or the layer from images to latents.
      synthesis: With a layer, the one from latents to images.
      multiple: With layers, the latent moves along with an image that moves by multiples of this number of positions,
        such as the size of attention windows; transforms declare it as `tile_multiple`.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: The arguments are neither a transform nor two layers.
    """
    trial_of_transform(analysis, synthesis, multiple).check(quick=quick)


def trial_of_transform(
    analysis: Transform | keras.layers.Layer, synthesis: keras.layers.Layer | None = None, multiple: int = 1
) -> Trial:
    """Returns the laws of a transform or a pair of layers; see `check_transform`."""
    if isinstance(analysis, HyperTransform):
        return trial_of_hyper_transform(analysis)
    if isinstance(analysis, Transform):
        return _trial(analysis, type(analysis).__name__, (*LAWS, configuration_and_weights_make_it_anew))
    if callable(analysis) and callable(synthesis):
        names = " and ".join(type(layer).__name__ for layer in (analysis, synthesis))
        return _trial(_Declared(analysis, synthesis, multiple), names, LAWS)
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
    # The latent's numbers within the overlap of a border see the border, which moves too.
    step, margin, scale = transform.tile_multiple, 2 * transform.tile_overlap, transform.downscale
    long, short = 2 * margin + step + 4, 2 * margin + 4
    for axis, direction, grid in ((1, "down", (long, short)), (2, "right", (short, long))):
        images = _images(transform, *grid)
        latent = transform.analysis(images)
        require_near(
            f"the latent of an image moved {direction} by {step * scale} pixels",
            _inside(transform.analysis(_from(images, step * scale, axis)), margin),
            _inside(_from(latent, step, axis), margin),
            1e-3,
        )
        require_near(
            f"the image of a latent moved {direction} by {step} positions",
            _inside(transform.synthesis(_from(latent, step, axis)), margin * scale),
            _inside(_from(transform.synthesis(latent), step * scale, axis), margin * scale),
            1e-3,
        )


def _from(values: tf.Tensor, start: int, axis: int) -> tf.Tensor:
    """Returns values without their first rows (axis 1) or columns (axis 2)."""
    return values[:, start:] if axis == 1 else values[:, :, start:]


def _inside(values: tf.Tensor, margin: int) -> tf.Tensor:
    return values[:, margin:-margin, margin:-margin]


def gradients_reach_every_variable(transform: Transform) -> None:
    """The decoded image depends on every trainable variable."""
    images = tf.concat([_images(transform, 3, 2, seed) for seed in range(2)], 0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.cast(transform(images), tf.float32)))
    require_gradients(tape, loss, transform)


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
    images = [_images(transform, 3, 2, seed) for seed in range(3)]
    together = transform.analysis(tf.concat(images, 0))
    decoded = transform.synthesis(together)
    for number, image in enumerate(images):
        alone = transform.analysis(image)
        require_near(f"the latent of image {number} of 3 and alone", together[number], alone[0], 1e-5)
        require_near(f"decoded image {number} of 3 and alone", decoded[number], transform.synthesis(alone)[0], 1e-5)


def one_graph_serves_all_sizes(transform: Transform) -> None:
    """One graph of each layer, traced for unknown sizes, computes the same as the layer outside a graph."""
    analysis = tf.function(transform.analysis, [tf.TensorSpec((1, None, None, 3))], autograph=False)
    latents = tf.TensorSpec((1, None, None, transform.depth))
    synthesis = tf.function(lambda latent: tf.cast(transform.synthesis(latent), tf.float32), [latents], autograph=False)
    for where, grid in each(GRIDS):
        images = _images(transform, *grid)
        latent = transform.analysis(images)
        require_near(f"{where} of the latent, analysis in a graph and eagerly", analysis(images), latent, 1e-4)
        decoded = transform.synthesis(latent)
        require_near(f"{where} of the latent, synthesis in a graph and eagerly", synthesis(latent), decoded, 1e-4)


def configuration_and_weights_make_it_anew(transform: Transform) -> None:
    """The configuration and the weights make a copy that computes the same."""
    again, images = fresh(transform), _images(transform, 3, 2)
    again(images)
    require(again.get_config() == transform.get_config(), f"{again.get_config()} from {transform.get_config()}")
    set_tensors(again, get_tensors(transform))
    latent = transform.analysis(images)
    require_near("the latent of a copy", again.analysis(images), latent, 1e-6)
    require_near("the image of a copy", again.synthesis(latent), transform.synthesis(latent), 1e-6)


LAWS: tuple[Law, ...] = (
    downscale_and_depth_are_as_declared,
    moving_the_image_moves_the_latent,
    gradients_reach_every_variable,
    a_call_changes_no_variable,
    the_same_image_gives_the_same_every_time,
    images_of_a_batch_do_not_mix,
    one_graph_serves_all_sizes,
)


class _Declared(Transform):
    """Two layers as a transform, whose depth and downscale are measured on one image."""

    def __init__(self, analysis: keras.layers.Layer, synthesis: keras.layers.Layer, multiple: int):
        side = 256
        _, rows, _, depth = analysis(tf.zeros((1, side, side, 3))).shape
        super().__init__(depth, max(side // max(rows, 1), 1))
        self.analysis, self.synthesis = analysis, synthesis
        self.tile_multiple, self.tile_overlap = multiple, max(self.tile_overlap, multiple)


def _trial(transform: Transform, name: str, laws: tuple[Law, ...]) -> Trial:
    transform(_images(transform, 1, 1))
    return Trial(name, laws, transform, during=lambda: moved(transform))


def _images(transform: Transform, rows: int, columns: int, seed: int = 0) -> tf.Tensor:
    """Returns an image [1, height, width, 3] whose latent has as many rows and columns."""
    pixels = random_images(rows * transform.downscale, columns * transform.downscale, 3, seed=seed)
    return tf.constant(pixels[None], tf.float32)
