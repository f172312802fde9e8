"""The noise that replaces rounding in training. With a seed, each step draws the same noise in every run."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
from collections.abc import Iterator

from lic import replicas
from lic.environment import tf

_seeds: contextvars.ContextVar[Iterator[tf.Tensor] | None] = contextvars.ContextVar("seeds", default=None)


def uniform(shape: tf.Tensor, lowest: float = -0.5, highest: float = 0.5) -> tf.Tensor:
    """Returns uniform noise [batch, ...], drawn from the seed of `drawn_from` or else by TensorFlow's generator."""
    seeds = _seeds.get()
    if seeds is None:
        return tf.random.uniform(shape, lowest, highest)
    shape = tf.convert_to_tensor(shape)
    # Each replica draws for the whole batch and takes its share, so that noise does not depend on their number.
    whole = tf.concat([shape[:1] * replicas.count(), shape[1:]], 0)
    return tf.random.stateless_uniform(whole, next(seeds), lowest, highest)[replicas.index() * shape[0] :][: shape[0]]


@contextlib.contextmanager
def drawn_from(seed: int, step: tf.Tensor) -> Iterator[None]:
    """Makes noise depend on a seed and the number of the step, so that a resumed training draws the same noise.

    Args:
      seed: The seed of the run.
      step: Number of the step, an integer.
    """
    token = _seeds.set(_numbered(tf.stack([tf.constant(seed, "int32"), tf.cast(step, "int32")])))
    try:
        yield
    finally:
        _seeds.reset(token)


def _numbered(seed: tf.Tensor) -> Iterator[tf.Tensor]:
    """Yields the seeds [2] of the draws of one step."""
    for number in itertools.count():
        yield tf.random.experimental.stateless_fold_in(seed, number)
