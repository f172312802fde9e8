import pathlib

import numpy as np
import pytest

import lic

STEPS = ["Python", "import lic", "lic --help", "import lic, first use", "load", "load, first compress"]


def test_every_step_is_timed_as_often_as_asked(load, monkeypatch):
    script, ran = load("bench_start"), []
    monkeypatch.setattr(script, "run", lambda command: ran.append(command[1:]))
    quantities = script.measure_start(load("tasks").Task("default", 32, 32, shipped=True, repeats=2))
    assert [(quantity.name, quantity.unit, len(quantity.values)) for quantity in quantities] == [
        (name, "s", 2) for name in STEPS
    ]
    assert len(ran) == 3 * len(STEPS)
    assert ran[0] == ["-c", "pass"]


@pytest.mark.parametrize("step", ["import lic", "lic --help"])
def test_steps_run(load, step):
    script = load("bench_start")
    script.run([script.sys.executable, *script.steps("default", pathlib.Path("x"))[step]])


def test_the_last_step_compresses_the_image(load, tmp_path):
    np.save(image := tmp_path / "image.npy", np.zeros((16, 16, 3), np.uint8))
    option, code = load("bench_start").steps("default", image)["load, first compress"]
    assert option == "-c"
    exec(code, run := {})
    assert run["codec"].fingerprint == lic.load("default").fingerprint


def test_a_step_that_fails_is_an_error(load):
    script = load("bench_start")
    with pytest.raises(ValueError, match="no file"):
        script.run([script.sys.executable, "-c", "import sys; sys.exit('no file')"])


def test_start_is_of_weights_that_ship(load):
    script, tasks = load("bench_start"), load("tasks")
    options = tasks.parser_of("", "x", ()).parse_args(["--model", "default"])
    ((function, task),) = script.jobs_of(options)
    assert (function, task.shipped) == (script.measure_start, True)
    assert "default" in script.steps(task.model, pathlib.Path("x"))["load"][-1]
