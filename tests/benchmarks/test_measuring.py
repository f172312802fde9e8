import os

import pytest


def test_warm_ups_are_called_and_not_counted(load):
    calls = []
    assert len(load("measuring").times(lambda: calls.append(1), 3, warm_ups=2)) == 3
    assert len(calls) == 5


def test_a_fresh_process_is_another_and_passes_errors_on(load):
    measuring = load("measuring")
    assert measuring.in_fresh_process(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="invalid literal"):
        measuring.in_fresh_process(int, "x")


def test_a_process_that_died_is_an_error(load):
    with pytest.raises(ChildProcessError, match="of _exit died"):
        load("measuring").in_fresh_process(os._exit, 1)


def test_if_a_process_dies_the_others_are_done_first(load, monkeypatch):
    measuring = load("measuring")
    monkeypatch.setattr(measuring, "_calibrated", lambda repeats: repeats)

    def in_fresh_process(function, task):
        if task == "large":
            raise ChildProcessError("died")
        return [function(task)]

    monkeypatch.setattr(measuring, "in_fresh_process", in_fresh_process)
    done = measuring.measured([(str, "small"), (str, "large"), (str, "smaller")], 3)
    assert [next(done).task, next(done).task] == ["small", "smaller"]
    with pytest.raises(ChildProcessError, match="1 of 3 processes died.*large"):
        next(done)
