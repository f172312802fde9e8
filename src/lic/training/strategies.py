"""Training on several devices or machines, by TensorFlow's distribution strategies."""

from __future__ import annotations

import contextlib
from typing import Literal

from lic.argument_types import check_argument
from lic.environment import tf

Strategy = Literal["none", "mirrored", "multi-worker"]


def make_strategy(name: Strategy) -> tf.distribute.Strategy:
    """Returns a distribution strategy.

    Args:
      name: "none"; "mirrored" for all GPUs of this machine or, if it has none, its logical processors; "multi-worker"
        for the machines that the environment variable TF_CONFIG lists.

    Raises:
      ValueError: The name is unknown.
    """
    check_argument("make_strategy", "name", name, Strategy)
    if name == "multi-worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "none":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def scope_of(name: Strategy) -> contextlib.AbstractContextManager:
    """Returns the context in which a model must be made and trained under a strategy."""
    return contextlib.nullcontext() if name == "none" else make_strategy(name).scope()
