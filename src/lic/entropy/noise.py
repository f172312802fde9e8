"""The noise that stands in for rounding in training: from a seed for each step where there is one."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from lic.environment import tf

_seeds: contextvars.ContextVar[Iterator[tf.Tensor] | None] = contextvars.ContextVar("seeds", default=None)


def uniform(shape: tf.Tensor, lowest: float = -0.5, highest: float = 0.5) -> tf.Tensor:
    """Returns uniform noise: within `drawn_from` what its seed says, otherwise TensorFlow's global generator."""
    seeds = _seeds.get()
    if seeds is None:
        return tf.random.uniform(shape, lowest, highest)
    return tf.random.stateless_uniform(shape, next(seeds), lowest, highest)


@contextlib.contextmanager
def drawn_from(seed: int, step: tf.Tensor) -> Iterator[None]:
    """Makes noise depend on a seed and the number of the step, so that training that was resumed draws the same.

    Args:
      seed: The seed of the run.
      step: Number of the step, an integer.
    """
    token = _seeds.set(_numbered(seed, tf.cast(step, "int32")))
    try:
        yield
    finally:
        _seeds.reset(token)


def _numbered(seed: int, step: tf.Tensor) -> Iterator[tf.Tensor]:
    """Seeds for one draw after the other, other ones in each replica of a distribution strategy."""
    context = tf.distribute.get_replica_context()
    replica = context.replica_id_in_sync_group if context else 0
    number = 0
    while True:
        first = tf.random.experimental.stateless_fold_in(tf.stack([tf.constant(seed, "int32"), step]), number)
        yield tf.random.experimental.stateless_fold_in(first, replica)
        number += 1
