"""Reports of a training: lines of JSON, TensorBoard, the progress bar."""

import io
import json
import types

import numpy as np
import pytest
from rich.console import Console

import lic
from lic.environment import tf
from lic.training.reports import FIRST, MetricsLog, ProgressBar, Summaries
from tests.conftest import random_images, tiny_model

LOGS = {"loss": 1.25, "bpp": 0.5, "mse": 20.0, "psnr": 35.117}


class Model:
    """Stands in for a model: the step, and how often its means were reset."""

    def __init__(self, step=0):
        self.optimizer, self.resets = types.SimpleNamespace(iterations=step), 0

    def reset_metrics(self):
        self.resets += 1


@pytest.fixture
def log(tmp_path):
    return MetricsLog(tmp_path / "metrics.jsonl", every=10)


def run_log(log, start, stop):
    log.set_model(Model(start))
    log.on_train_begin()
    for step in range(start, stop):
        log.on_train_batch_begin(step)
        log.on_train_batch_end(step, {"loss": step + 0.5})


def rows(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_first_steps_singly_then_means(log):
    run_log(log, 0, FIRST + 25)
    assert [row["step"] for row in rows(log)] == [*range(1, FIRST + 1), FIRST + 10, FIRST + 20]
    assert rows(log)[0]["loss"] == 0.5
    assert log.model.resets == FIRST + 2


def test_training_that_goes_on_has_each_step_once(log):
    run_log(log, 0, 8)
    with log.path.open("a") as file:
        file.write('{"step": 9, "lo')  # The process died here.
    run_log(log, 5, 8)
    assert [row["step"] for row in rows(log)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_seconds_go_on(log):
    run_log(log, 0, 3)
    text = log.path.read_text().replace('"seconds": 0.0', '"seconds": 50.0')
    log.path.write_text(text)
    run_log(log, 3, 5)
    assert rows(log)[-1]["seconds"] >= 50


def test_other_things_are_lines_too(log):
    run_log(log, 0, 2)
    log.add(validation={"psnr": 30.0})
    assert rows(log)[-1].items() >= {"step": 2, "validation": {"psnr": 30.0}}.items()


def test_numbers_that_are_not_finite_become_text(log):
    run_log(log, 0, 0)
    log.on_train_batch_end(0, {"loss": float("nan")})
    assert rows(log)[-1]["loss"] == "nan"


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Tag -> steps, of six steps of training with scalars each two."""
    folder = tmp_path_factory.mktemp("events")
    model = tiny_model("klt", "factorized")
    model.compile(lic.Adam(), seed=0)
    images = random_images(2, 32, 48, 3)
    summaries = Summaries(folder, images[:1], every=2)
    data = tf.data.Dataset.from_tensors(images.astype(np.float32)).repeat(6)
    model.fit(data, verbose=0, callbacks=[summaries])
    found = {}
    for file in folder.glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value
    return found


def test_scalars_at_their_steps(events):
    for name in ("loss", "bpp", "mse", "psnr"):
        assert sorted(events[name]) == [2, 4, 6]


def test_originals_lie_beside_reconstructions(events):
    value = events["original and decoded"][6]
    width, height, png = value.tensor.string_val[:3]
    assert (width, height) == (b"96", b"32")
    decoded = tf.io.decode_png(png).numpy()
    assert np.array_equal(decoded[:, :48], random_images(2, 32, 48, 3)[0])


def shown_on(terminal, start=0, steps=3):
    text = io.StringIO()
    bar = ProgressBar(4, Console(file=text, force_terminal=terminal, width=140))
    bar.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(iterations=start)))
    with bar:
        bar.on_train_begin()
        for step in range(steps):
            bar.model.optimizer.iterations += 1
            bar.on_train_batch_end(step, LOGS)
        bar.on_epoch_end(0, LOGS)
    return text.getvalue()


def test_a_terminal_shows_steps_values_speed_and_time():
    text = shown_on(True)
    for shown in ("3/4", "loss 1.2500", "0.5000 bpp", "35.12 dB", "steps/s"):
        assert shown in text


def test_an_interrupt_leaves_the_terminal_with_a_cursor():
    text = io.StringIO()
    bar = ProgressBar(4, Console(file=text, force_terminal=True, width=140))
    bar.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(iterations=0)))
    with pytest.raises(KeyboardInterrupt), bar:
        bar.on_train_begin()
        raise KeyboardInterrupt
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert text.getvalue().count(hidden) == text.getvalue().count(shown) == 1


def test_a_resumed_training_begins_at_its_step():
    assert "3/4" in shown_on(True, start=2, steps=1)


def test_without_a_terminal_each_interval_is_a_line():
    assert shown_on(False) == "step 3/4: loss 1.2500  0.5000 bpp  35.12 dB\n"
