"""One process of a training under a distribution strategy, for test_strategies.py.

python -m tests.training.worker STRATEGY ENTROPY_MODEL PHOTOGRAPHS OUT [ALONE]
"""

import sys

import numpy as np

import lic
from lic.environment import keras, tf
from lic.training.settings import TrainingSettings
from lic.training.strategies import scope_of
from lic.weights import get_tensors, set_tensors
from tests.conftest import random_images, tiny_model

SETTINGS = TrainingSettings(steps=3, batch=4, crop=64, learning_rate=1e-3, warm_up=0, decay="none", average=0.5)


def main(name: str, entropy: str, photographs: str, out: str, alone: str = "") -> None:
    """Trains, to the folder `alone` without the strategy.

    If all replicas are in this process, compares gradients of a divided batch with those of the whole.
    """
    if name == "mirrored":
        cpus = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], cpus)
    if alone:
        lic.train(make(entropy), photographs, alone, SETTINGS)
    with scope_of(name):
        strategy = tf.distribute.get_strategy()
    if name == "mirrored":
        np.savez(f"{out}.npz", **gradients(strategy, entropy))
    with strategy.scope():
        lic.train(make(entropy), photographs, out, SETTINGS)


def make(entropy: str) -> lic.CompressionModel:
    """Returns the model, with fresh weights."""
    keras.utils.set_random_seed(SETTINGS.seed)
    return tiny_model("klt", entropy, lmbda=(0.001, 0.01, 0.1))


def gradients(strategy: tf.distribute.Strategy, entropy: str) -> dict[str, np.ndarray]:
    """Returns the largest difference between both gradients of each weight, beside the largest gradient.

    It also returns what both models measure over five images in batches of four, the last of which has no image for the
    second replica.
    """
    images = random_images(4, 64, 64, 3).astype(np.float32)
    with strategy.scope():
        model = make(entropy)
        model.compile(lic.Adam(), seed=SETTINGS.seed)

    def of_replica(context: tf.distribute.ReplicaContext) -> tf.Tensor:
        number = context.replica_id_in_sync_group
        return images[2 * number : 2 * number + 2]

    shares = strategy.experimental_distribute_values_from_function(of_replica)
    divided = tf.function(lambda: strategy.run(lambda share: model.gradients_of(share)[1], args=(shares,)))()
    summed = [strategy.reduce("SUM", gradient, axis=None) for gradient in divided]
    with strategy.scope():
        weights = get_tensors(model)
    alone = make(entropy)
    alone.compile(lic.Adam(), seed=SETTINGS.seed)
    set_tensors(alone, weights)
    whole = alone.gradients_of(images)[1]
    differences = [np.abs(one - other).max() for one, other in zip(summed, whole, strict=True)]
    five = random_images(5, 64, 64, 3).astype(np.float32)
    measured = [np.array(each.evaluate(five, batch_size=4, verbose=0)) for each in (model, alone)]
    largest = np.array([np.abs(each).max() for each in whole])
    return {"differences": np.array(differences), "largest": largest, "measured": np.stack(measured)}


if __name__ == "__main__":
    main(*sys.argv[1:])
