"""The metrics of a training as lines of JSON."""

from __future__ import annotations

import json
import math
import pathlib
import time

from lic.environment import keras
from lic.training.state import step_of

FIRST = 100  # So many steps are logged one by one, later ones as means.


class MetricsLog(keras.callbacks.Callback):
    """Appends a line of JSON each so many steps: step, seconds since the start, and means since the line before.

    A training that goes on drops lines that are past its checkpoint, so that each step is there once.

    Args:
      path: The file.
      every: Steps to a line after the first 100, each of which has one.
    """

    def __init__(self, path: pathlib.Path, every: int = 100):
        super().__init__()
        self.path, self.every, self._written = path, every, False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Keeps the lines up to the step that training goes on from."""
        self._step = step_of(self.model)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        rows = [row for line in lines if (row := _row(line)) and row["step"] <= self._step]
        self.path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        self._began = time.monotonic() - (rows[-1]["seconds"] if rows else 0)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Begins new means after a line; not before, since an epoch that ends there reports those of the line."""
        if self._written:
            self.model.reset_metrics()
            self._written = False

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Writes a line where one is due."""
        self._step += 1
        if self._step <= FIRST or self._step % self.every == 0:
            self._write(logs or {})
            self._written = True

    def add(self, **values: object) -> None:
        """Appends a line of something else, such as a validation."""
        row = {"step": self._step, "seconds": round(time.monotonic() - self._began, 1)} | values
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _write(self, logs: dict) -> None:
        values = {name: float(value) for name, value in logs.items()}
        self.add(**{name: round(value, 5) if math.isfinite(value) else str(value) for name, value in values.items()})


def _row(line: str) -> dict | None:
    """A line that was cut off when the process died is none."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
