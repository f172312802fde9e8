"""Metrics as lines of JSON."""

import json
import types

import pytest

from lic.training.metrics_log import FIRST, MetricsLog


class Model:
    """Stands in for a model: the step, and how often its means were reset."""

    def __init__(self, step=0):
        self.optimizer, self.resets = types.SimpleNamespace(iterations=step), 0

    def reset_metrics(self):
        self.resets += 1


@pytest.fixture
def log(tmp_path):
    return MetricsLog(tmp_path / "metrics.jsonl", every=10)


def run(log, start, stop):
    log.set_model(Model(start))
    log.on_train_begin()
    for step in range(start, stop):
        log.on_train_batch_begin(step)
        log.on_train_batch_end(step, {"loss": step + 0.5})


def rows(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_first_steps_singly_then_means(log):
    run(log, 0, FIRST + 25)
    assert [row["step"] for row in rows(log)] == [*range(1, FIRST + 1), FIRST + 10, FIRST + 20]
    assert rows(log)[0]["loss"] == 0.5
    assert log.model.resets == FIRST + 2


def test_training_that_goes_on_has_each_step_once(log):
    run(log, 0, 8)
    with log.path.open("a") as file:
        file.write('{"step": 9, "lo')  # The process died here.
    run(log, 5, 8)
    assert [row["step"] for row in rows(log)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_seconds_go_on(log):
    run(log, 0, 3)
    text = log.path.read_text().replace('"seconds": 0.0', '"seconds": 50.0')
    log.path.write_text(text)
    run(log, 3, 5)
    assert rows(log)[-1]["seconds"] >= 50


def test_other_things_are_lines_too(log):
    run(log, 0, 2)
    log.add(validation={"psnr": 30.0})
    assert rows(log)[-1].items() >= {"step": 2, "validation": {"psnr": 30.0}}.items()


def test_what_is_not_finite_is_text(log):
    run(log, 0, 0)
    log.on_train_batch_end(0, {"loss": float("nan")})
    assert rows(log)[-1]["loss"] == "nan"
