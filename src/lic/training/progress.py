"""A bar of progress with loss, bits per pixel, PSNR, steps a second and the time that is left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lic.environment import keras
from lic.training.state import step_of


class ProgressBar(keras.callbacks.Callback):
    """Shows a training's progress on the standard error; where that is no terminal, a line for each epoch.

    Args:
      steps: Steps of the whole training.
      console: Where it is shown.
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
        """Starts the bar at the step that training goes on from."""
        done = step_of(self.model)
        self._task = self._bar.add_task("Training", total=self._steps, completed=done, values="", speed="")
        if self._console.is_terminal:
            self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Moves the bar."""
        speed = self._bar.tasks[0].speed
        shown = {"values": _text(logs or {}), "speed": f"{speed:.2f} steps/s" if speed else ""}
        self._bar.update(self._task, advance=1, **shown)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints a line where there is no terminal."""
        if not self._console.is_terminal:
            self._console.print(f"step {step_of(self.model)}/{self._steps}: {_text(logs or {})}")

    def on_train_end(self, logs: dict | None = None) -> None:
        """Ends the bar."""
        if self._console.is_terminal:
            self._bar.stop()


def _text(logs: dict) -> str:
    formats = {"loss": "loss {:.4f}", "bpp": "{:.4f} bpp", "psnr": "{:.2f} dB"}
    return "  ".join(form.format(float(logs[name])) for name, form in formats.items() if name in logs)
