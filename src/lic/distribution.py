"""What the replicas of a distribution strategy have in common; without a strategy there is one."""

from __future__ import annotations

from typing import Any

from lic.environment import tf


def index() -> tf.Tensor | int:
    """Returns which of the replicas this one is."""
    context = tf.distribute.get_replica_context()
    return context.replica_id_in_sync_group if context else 0


def count() -> int:
    """Returns how many replicas run what runs here; outside of them, where they are looked at from above, one."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def summed(values: Any) -> Any:
    """Returns sums over the replicas of values, which are tensors or None, in a list or dictionary."""
    if count() == 1:
        return values
    tensors = [value for value in tf.nest.flatten(values) if value is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce("sum", tensors))
    return tf.nest.map_structure(lambda value: None if value is None else next(sums), values)
