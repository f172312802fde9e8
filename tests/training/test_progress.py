"""The bar of progress."""

import io
import types

from rich.console import Console

from lic.training.progress import ProgressBar

LOGS = {"loss": 1.25, "bpp": 0.5, "mse": 20.0, "psnr": 35.117}


def run(terminal, start=0, steps=3):
    text = io.StringIO()
    bar = ProgressBar(4, Console(file=text, force_terminal=terminal, width=140))
    bar.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(iterations=start)))
    bar.on_train_begin()
    for step in range(steps):
        bar.model.optimizer.iterations += 1
        bar.on_train_batch_end(step, LOGS)
    bar.on_epoch_end(0, LOGS)
    bar.on_train_end()
    return text.getvalue()


def test_a_terminal_shows_steps_values_speed_and_time():
    text = run(True)
    for shown in ("3/4", "loss 1.2500", "0.5000 bpp", "35.12 dB", "steps/s"):
        assert shown in text


def test_training_that_goes_on_begins_where_it_was():
    assert "3/4" in run(True, start=2, steps=1)


def test_without_a_terminal_each_interval_is_a_line():
    assert run(False) == "step 3/4: loss 1.2500  0.5000 bpp  35.12 dB\n"
