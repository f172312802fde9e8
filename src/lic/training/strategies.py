"""Training on more than one device or machine, by TensorFlow's distribution strategies."""

from __future__ import annotations

import contextlib
from typing import Literal

from lic.environment import tf

STRATEGIES = ("none", "mirrored", "multi-worker")
Strategy = Literal["none", "mirrored", "multi-worker"]


def make_strategy(name: Strategy) -> tf.distribute.Strategy:
    """Returns a distribution strategy.

    Args:
      name: "none"; "mirrored" for all devices of this machine, which are its GPUs or where it has none its logical
        processors; "multi-worker" for the machines that the environment variable TF_CONFIG lists.

    Raises:
      ValueError: The name is unknown.
    """
    if name not in STRATEGIES:
        raise ValueError(f"make_strategy: expected one of {STRATEGIES}. Received: {name!r}.")
    if name == "multi-worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "none":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def scope_of(name: Strategy) -> contextlib.AbstractContextManager:
    """Returns the scope in which models are to be made and trained under a strategy of this name."""
    return contextlib.nullcontext() if name == "none" else make_strategy(name).scope()
