"""Trains the weights of the model `default` on a folder of photographs.

    python training/default/train.py --data PHOTOGRAPHS --out RUN --steps 14000

Run again with the same arguments, it goes on from the last checkpoint. At the end RUN/weights.npz holds the averaged
weights by name. `training/default/ship.py` makes the codec file from them.
"""

import argparse
import json
import math
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

from lic.environment import keras, tf
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.tensors import get_tensors
from lic.transforms.klt import klt

LEARNING_RATE, WARM_UP, AVERAGE = 1e-3, 200, 0.998


class Photographs:
    """All photographs of a folder, also at 3/4 and 1/2 of their size, and random crops from them."""

    def __init__(self, folder: pathlib.Path, crop: int):
        self.crop, self.pictures = crop, []
        for file in sorted(folder.glob("*.jpg")):
            picture = Image.open(file).convert("RGB")
            for scale in (1, 0.75, 0.5):
                size = (round(picture.width * scale), round(picture.height * scale))
                if min(size) >= crop:
                    self.pictures.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
        areas = np.array([picture.shape[0] * picture.shape[1] for picture in self.pictures], float)
        self.chance = areas / areas.sum()

    def batch(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Returns crops [count, crop, crop, 3], mirrored and turned at random."""
        return np.stack(
            [self._crop(random, chosen) for chosen in random.choice(len(self.chance), count, p=self.chance)]
        )

    def _crop(self, random: np.random.Generator, chosen: int) -> np.ndarray:
        picture = self.pictures[chosen]
        top, left = (random.integers(size - self.crop + 1) for size in picture.shape[:2])
        crop = picture[top : top + self.crop, left : left + self.crop]
        crop = crop.transpose(1, 0, 2) if random.random() < 0.5 else crop
        return crop[:, ::-1] if random.random() < 0.5 else crop


def learning_rate(step: int, steps: int) -> float:
    """Warm-up, then constant, then half a cosine over the second half."""
    decay = max(0.0, step / steps - 0.5) * 2
    return LEARNING_RATE * min(1.0, (step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * decay)))


def start_at_klt(model: CompressionModel) -> None:
    """Starts the scales at half the deviation that the KLT's coefficients have."""
    depth, step = model.transform.depth, model.transform.analysis.step
    deviations = 0.5 * np.sqrt(klt()[1][:depth]) / step
    head = model.entropy.parameters.layers[-1]
    indexes = [model.entropy.scales.index(deviation) for deviation in deviations]
    head.bias.assign(np.concatenate([np.zeros(depth), np.maximum(indexes, 0)]).astype(np.float32))
    head.kernel.assign(head.kernel * 0.1)


def train(data: pathlib.Path, out: pathlib.Path, steps: int, batch: int, crop: int, lmbda: float) -> None:
    """Trains, and writes checkpoints, a log and the averaged weights to `out`."""
    keras.utils.set_random_seed(0)
    model = create_model("default", lmbda=lmbda)
    model(np.zeros((1, crop, crop, 3), np.float32))
    start_at_klt(model)
    optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    average = [tf.Variable(variable, trainable=False) for variable in model.trainable_variables]
    done, seconds = tf.Variable(0, dtype="int64"), tf.Variable(0.0)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, average=average, done=done, seconds=seconds)
    manager = tf.train.CheckpointManager(checkpoint, str(out / "checkpoints"), max_to_keep=2)
    if manager.restore_or_initialize():
        print(f"going on from step {int(done)}")

    @tf.function
    def step(images: tf.Tensor, decay: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            values = model.losses_of(images, training=True)
        gradients = tape.gradient(values["loss"], model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        for mean, variable in zip(average, model.trainable_variables):
            mean.assign(decay * mean + (1 - decay) * variable)
        return values

    photographs = Photographs(data, crop)
    began, sums, count = time.time() - float(seconds), {}, 0
    for number in range(int(done), steps):
        optimizer.learning_rate.assign(learning_rate(number, steps))
        images = photographs.batch(np.random.default_rng((1, number)), batch)
        values = step(images, tf.constant(min(AVERAGE, (1 + number) / (10 + number)), "float32"))
        sums, count = (
            {name: sums.get(name, 0) + float(value) for name, value in values.items()},
            count + 1,
        )
        if (number + 1) % 100 == 0:
            row = {"step": number + 1, "seconds": round(time.time() - began, 1)}
            row |= {name: round(total / count, 4) for name, total in sums.items()}
            with open(out / "log.jsonl", "a") as file:
                file.write(json.dumps(row) + "\n")
            print(row, flush=True)
            sums, count = {}, 0
        if (number + 1) % 1000 == 0 or number + 1 == steps:
            done.assign(number + 1)
            seconds.assign(time.time() - began)
            manager.save()
            save_average(model, average, out / "weights.npz")


def save_average(model: CompressionModel, average: list[tf.Variable], path: pathlib.Path) -> None:
    """Writes the averaged weights by name."""
    kept = [np.array(variable) for variable in model.trainable_variables]
    for variable, mean in zip(model.trainable_variables, average):
        variable.assign(mean)
    np.savez(path, **get_tensors(model))
    for variable, values in zip(model.trainable_variables, kept):
        variable.assign(values)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--lmbda", type=float, default=0.01)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    train(**vars(arguments))


if __name__ == "__main__":
    main()
