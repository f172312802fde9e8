"""The replicas of a TensorFlow distribution strategy; without a strategy there is one replica."""

from __future__ import annotations

from typing import Any

from lic.environment import tf


def index() -> tf.Tensor | int:
    """Returns the index of the replica that runs the caller."""
    context = tf.distribute.get_replica_context()
    return context.replica_id_in_sync_group if context else 0


def count() -> int:
    """Returns the number of replicas, or one in the cross-replica context, which sees them all as one."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def summed(values: Any) -> Any:
    """Returns the sum over all replicas of each value.

    Args:
      values: Tensors, or None where there is no value, in a list or dictionary.
    """
    if count() == 1:
        return values
    tensors = [value for value in tf.nest.flatten(values) if value is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce("sum", tensors))
    return tf.nest.map_structure(lambda value: None if value is None else next(sums), values)
