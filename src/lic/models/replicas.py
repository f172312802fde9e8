"""What the replicas of a distribution strategy have in common; without a strategy there is one."""

from __future__ import annotations

from typing import Any

from lic.environment import tf


def count() -> int:
    """Returns how many replicas there are."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def summed(values: Any) -> Any:
    """Returns sums over the replicas of values, which are tensors or None, in a list or dictionary."""
    context = tf.distribute.get_replica_context()
    if context is None or count() == 1:
        return values
    tensors = [value for value in tf.nest.flatten(values) if value is not None]
    sums = iter(context.all_reduce("sum", tensors))
    return tf.nest.map_structure(lambda value: None if value is None else next(sums), values)
