"""The laws of hyper transforms."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable

import numpy as np

from lic.environment import policy, tf
from lic.errors import check_kind
from lic.testing.copies import computes_in_16_bits, fresh, moved, require_same_variables, tolerance_of
from lic.testing.laws import Law, Trial, each, require, require_gradients, require_near, require_same
from lic.transforms.base import HyperTransform
from lic.weights import get_tensors, set_tensors

SIZES = ((1, 1), (1, 9), (6, 5), (8, 8))
Latents = Callable[..., tf.Tensor]  # Called with height, width and a seed.


def check_hyper_transform(hyper: HyperTransform, latent_depth: int | None = None, *, quick: bool = False) -> None:
    """Checks that a hyper transform keeps every law of its kind; its weights stay as they are.

    Args:
      hyper: The hyper transform.
      latent_depth: Channels of the latent; default: the argument of this name of the hyper transform's constructor.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: The constructor has no argument `latent_depth`, and none was given here.
    """
    trial_of_hyper_transform(hyper, latent_depth).check(quick=quick)


def trial_of_hyper_transform(hyper: HyperTransform, latent_depth: int | None = None) -> Trial:
    """Returns the laws of a hyper transform; see `check_hyper_transform`."""
    expected = "a lic.HyperTransform, such as lic.transforms.ConvHyperTransform(8, 12)"
    check_kind("check_hyper_transform", "hyper", hyper, HyperTransform, expected)
    if latent_depth is None:
        parameter = inspect.signature(type(hyper)).parameters.get("latent_depth")
        latent_depth = hyper.configuration().get("latent_depth", parameter and parameter.default)
    if not isinstance(latent_depth, int):
        raise ValueError(
            f"check_hyper_transform: expected latent_depth, since {type(hyper).__name__} was made without one. "
            "Pass the channels of the latents that it takes."
        )
    latents = functools.partial(_latents, latent_depth)
    hyper.synthesis(hyper.analysis(latents(4, 4)))
    return Trial(type(hyper).__name__, LAWS, hyper, latents, during=lambda: moved(hyper))


def it_takes_every_size(hyper: HyperTransform, latents: Latents) -> None:
    """Side information and features have the declared shapes, and features are at least as large as the latent."""
    for where, (height, width) in each(SIZES):
        side = hyper.analysis(latents(height, width))
        expected = (1, -(-height // hyper.downscale), -(-width // hyper.downscale), hyper.depth)
        require(
            side.shape == expected,
            f"{where} of the latent: side information has shape {tuple(side.shape)}, expected {expected} from "
            f"downscale={hyper.downscale} and depth={hyper.depth}",
        )
        features = hyper.synthesis(side)
        covered = features.shape[1] >= height and features.shape[2] >= width
        require(
            covered and features.shape[3] == hyper.features,
            f"{where} of the latent: features have shape {tuple(features.shape)}, expected at least "
            f"{(1, height, width)} with {hyper.features} channels",
        )


def gradients_reach_every_variable(hyper: HyperTransform, latents: Latents) -> None:
    """Features depend on every trainable variable."""
    latent = tf.concat([latents(8, 6, seed) for seed in range(2)], 0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.cast(hyper.synthesis(hyper.analysis(latent)), tf.float32)))
    require_gradients(tape, loss, hyper)


def a_call_changes_no_variable(hyper: HyperTransform, latents: Latents) -> None:
    """A call leaves variables as they are and makes none."""
    before = get_tensors(hyper)
    hyper.synthesis(hyper.analysis(latents(3, 5)))
    require_same_variables("a call", hyper, before)


def the_same_latent_gives_the_same_every_time(hyper: HyperTransform, latents: Latents) -> None:
    """The features of a latent are not random, and do not depend on the latents before it."""
    first = hyper.synthesis(hyper.analysis(latents(6, 5)))
    hyper.synthesis(hyper.analysis(latents(3, 7, seed=1)))
    require_same("the features of one latent, twice", first, hyper.synthesis(hyper.analysis(latents(6, 5))))


def images_of_a_batch_do_not_mix(hyper: HyperTransform, latents: Latents) -> None:
    """The features of a latent do not depend on the others in its batch."""
    batch = [latents(6, 5, seed) for seed in range(3)]
    together, tolerance = hyper.synthesis(hyper.analysis(tf.concat(batch, 0))), tolerance_of(hyper, 1e-5)
    for number, latent in enumerate(batch):
        alone = hyper.synthesis(hyper.analysis(latent))
        require_near(f"the features of latent {number} of 3 and alone", together[number], alone[0], tolerance)


def configuration_and_weights_make_it_anew(hyper: HyperTransform, latents: Latents) -> None:
    """The configuration and the weights make a copy that computes the same."""
    latent = latents(6, 5)
    # Inside an entropy model it computes in float32, whatever the policy is.
    with contextlib.nullcontext() if computes_in_16_bits(hyper) else policy("float32"):
        again = fresh(hyper)
        again.synthesis(again.analysis(latent))
    require(again.get_config() == hyper.get_config(), f"{again.get_config()} from {hyper.get_config()}")
    set_tensors(again, get_tensors(hyper))
    features = hyper.synthesis(hyper.analysis(latent))
    tolerance = tolerance_of(hyper, 1e-6)
    require_near("the features of a copy", again.synthesis(again.analysis(latent)), features, tolerance)


LAWS: tuple[Law, ...] = (
    it_takes_every_size,
    gradients_reach_every_variable,
    a_call_changes_no_variable,
    the_same_latent_gives_the_same_every_time,
    images_of_a_batch_do_not_mix,
    configuration_and_weights_make_it_anew,
)


def _latents(depth: int, height: int, width: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(0, 3.0, (1, height, width, depth)), tf.float32)
