"""Reports of a training while it runs: lines of JSON, TensorBoard, and a progress bar."""

from __future__ import annotations

import json
import math
import pathlib
import time

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lic.atomic_write import atomic_write
from lic.environment import keras, tf
from lic.json_files import read_lines
from lic.training.checkpoints import step_of

FIRST = 100  # Each of the first steps has a line of its own, later lines are means.


class MetricsLog(keras.callbacks.Callback):
    """Appends lines of JSON to a file: step, seconds since the start, and means since the line before.

    A training that is resumed drops the lines after its checkpoint, so that no step is there twice.

    Args:
      path: The file.
      every: Steps from one line to the next, after the first 100 steps, which have a line each.
    """

    def __init__(self, path: pathlib.Path, every: int = 100):
        super().__init__()
        self.path, self.every, self._written = path, every, False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Drops the lines after the step that training starts from."""
        self._step = step_of(self.model)
        rows = [row for row in read_lines(self.path) if _is_row(row) and row["step"] <= self._step]
        with atomic_write(self.path) as file:
            file.write("".join(f"{json.dumps(row)}\n" for row in rows).encode())
        self._began = time.monotonic() - (rows[-1]["seconds"] if rows else 0)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Resets the means after a line, at the next step: an epoch that ends with the line reports its means."""
        if self._written:
            self.model.reset_metrics()
            self._written = False

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Writes a line if one is due."""
        self._step += 1
        if self._step <= FIRST or self._step % self.every == 0:
            self._write(logs or {})
            self._written = True

    def add(self, **values: object) -> None:
        """Appends a line of other values, such as a validation."""
        row = {"step": self._step, "seconds": round(time.monotonic() - self._began, 1)} | values
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _write(self, logs: dict) -> None:
        values = {name: float(value) for name, value in logs.items()}
        self.add(**{name: round(value, 5) if math.isfinite(value) else str(value) for name, value in values.items()})


def _is_row(row: dict) -> bool:
    """Returns whether a line has a step and seconds, as all lines of a training do."""
    return isinstance(row.get("step"), int) and isinstance(row.get("seconds"), (int, float))


class Summaries(keras.callbacks.Callback):
    """Writes scalars and, at the end of each epoch, images beside their reconstructions, for TensorBoard.

    Args:
      folder: The folder of the event files.
      images: Crops to show, [batch, height, width, channels] on 0..255.
      every: Steps from one scalar to the next.
    """

    def __init__(self, folder: pathlib.Path, images: np.ndarray, every: int = 100):
        super().__init__()
        self._images, self._every = images.astype(np.float32), every
        self._writer = tf.summary.create_file_writer(str(folder))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Writes scalars if they are due."""
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


class ProgressBar(keras.callbacks.Callback):
    """Shows a training's progress with loss, bits per pixel, PSNR, speed and remaining time.

    It is a context, too, at whose end the bar ends. Where the console is no terminal, a line is printed for each epoch.

    Args:
      steps: Steps of the whole training.
      console: The console; default: standard error.
    """

    def __init__(self, steps: int, console: Console | None = None):
        super().__init__()
        self._steps, self._console = steps, console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[values]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=self._console,
            speed_estimate_period=120,
        )

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the bar at the step that training starts from."""
        done = step_of(self.model)
        self._task = self._bar.add_task("Training", total=self._steps, completed=done, values="", speed="")
        if done:
            self._console.print(f"Training goes on from step {done}.")
        if self._console.is_terminal:
            self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Advances the bar."""
        speed = self._bar.tasks[0].speed
        shown = {"values": _text(logs or {}), "speed": f"{speed:.2f} steps/s" if speed else ""}
        self._bar.update(self._task, advance=1, **shown)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints the results of a validation, and a line for each epoch if the console is no terminal."""
        logs = logs or {}
        validated = _text({name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")})
        if not self._console.is_terminal:
            self._console.print(f"step {step_of(self.model)}/{self._steps}: {_text(logs)}")
        if validated:
            self._console.print(f"step {step_of(self.model)}/{self._steps}, validation: {validated}")

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the bar, after an interrupt too, where Keras calls no method."""
        if self._console.is_terminal:
            self._bar.stop()


def _text(logs: dict) -> str:
    formats = {"loss": "loss {:.4f}", "bpp": "{:.4f} bpp", "psnr": "{:.2f} dB"}
    return "  ".join(form.format(float(logs[name])) for name, form in formats.items() if name in logs)
