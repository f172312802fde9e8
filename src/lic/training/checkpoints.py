"""Checkpoints of a training: written aside and renamed, the last few kept."""

from __future__ import annotations

import pathlib
import zipfile
import zlib

import numpy as np

from lic.atomic_write import atomic_write
from lic.environment import keras
from lic.errors import CheckpointError
from lic.training.state import restore_state, state_of, step_of

KEPT = 3


class Checkpoints(keras.callbacks.Callback):
    """Writes a checkpoint at the end of each epoch.

    Args:
      folder: Where they lie, as step-0001000.npz.
    """

    def __init__(self, folder: pathlib.Path):
        super().__init__()
        self.folder = folder

    @property
    def latest(self) -> pathlib.Path | None:
        """The file of the last step, or None."""
        return max(self._files(), default=None)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes one and removes the oldest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        step = step_of(self.model)
        with atomic_write(self.folder / f"step-{step:07d}.npz") as file:
            np.savez(file, **state_of(self.model))
        for old in self._files()[:-KEPT]:
            old.unlink()

    def restore(self, model: keras.Model) -> int:
        """Restores the latest checkpoint into a compiled model, and returns its step; 0 where there is none.

        Raises:
          CheckpointError: It is damaged, or of another model.
        """
        latest = self.latest
        if not latest:
            return 0
        try:
            with latest.open("rb") as file, np.load(file) as arrays:
                state = dict(arrays)
        except (EOFError, OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise CheckpointError(f"{latest} is damaged ({error}). Remove it to go on from the one before.") from error
        restore_state(model, state)
        return step_of(model)

    def _files(self) -> list[pathlib.Path]:
        return sorted(self.folder.glob("step-*.npz"))
