"""What TensorBoard shows of a training: its metrics, and reconstructions of a few crops."""

from __future__ import annotations

import pathlib

import numpy as np

from lic.environment import keras, tf
from lic.training.state import step_of


class Summaries(keras.callbacks.Callback):
    """Writes scalars each so many steps, and images beside their reconstructions at the end of each epoch.

    Args:
      folder: Where the event files go.
      images: Crops [batch, height, width, 3] on 0..255 that are shown.
      every: Steps from one scalar to the next.
    """

    def __init__(self, folder: pathlib.Path, images: np.ndarray, every: int = 100):
        super().__init__()
        self._images, self._every = images.astype(np.float32), every
        self._writer = tf.summary.create_file_writer(str(folder))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Writes scalars where they are due."""
        step = step_of(self.model)
        if step % self._every == 0:
            with self._writer.as_default(step):
                for name, value in (logs or {}).items():
                    tf.summary.scalar(name, float(value))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes originals and reconstructions, side by side."""
        pairs = tf.concat([self._images, self.model(self._images).x_hat], 2) / 255
        with self._writer.as_default(step_of(self.model)):
            tf.summary.image("original and decoded", tf.clip_by_value(pairs, 0.0, 1.0), max_outputs=len(self._images))
        self._writer.flush()
