import json
import sys

import pytest

from tests.benchmarks.conftest import rows_in
from tests.conftest import tiny_model

REQUIRED = ["--python", "python"]


@pytest.fixture
def runner(load):
    return load("peers.run")


def options_of(runner, *arguments):
    return runner.command_line().parse_args([*REQUIRED, *arguments])


def stand_in(tmp_path, printed):
    """Returns a program in place of the other environment's Python."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\necho noise\necho '{json.dumps(printed)}'\n")
    path.chmod(0o755)
    return str(path)


def test_both_are_measured_on_the_same_images_with_the_same_weights(runner, tmp_path):
    options = options_of(runner, "--size", "64x128", "--batch", "2", "--patch", "64", "--repeats", "3")
    options.source = {"stf": str(tmp_path)}
    (pair,) = (pair for pair in runner.PAIRS if pair.peer == "mbt2018-mean")
    jobs = runner.jobs_of(pair, options, "w.npz")
    tasks = [task for _, task in jobs]
    assert [task.size for task in tasks] == ["64x128", "64x128", "2x64x64", "2x64x64"]
    assert [task.model for task in tasks] == ["compressai-mbt2018-mean", "mbt2018-mean"] * 2
    assert [task.checkpoint for task in tasks] == ["w.npz", None] * 2
    assert [function.args[1:] for function, _ in jobs[1::2]] == [(None, "w.npz", "codec"), (None, "w.npz", "training")]
    assert {task.repeats for task in tasks} == {3}
    (other,) = (pair for pair in runner.PAIRS if pair.peer == "stf")
    _, (function, _) = runner.jobs_of(other, options, "w.npz")  # No training of code beside CompressAI's.
    assert function.args[1:] == (str(tmp_path), "w.npz", "codec")


def test_starting_is_import_build_and_first_compress(runner, load, monkeypatch):
    tasks = load("tasks")
    monkeypatch.setattr(tasks.Task, "make_model", lambda task: tiny_model("conv", "hyperprior"))
    found = {each.name: each.values[0] for each in runner.measure_ours(tasks.Task("x", 64, 64, repeats=1))}
    assert found["start-up"] == pytest.approx(found["import"] + found["build"] + found["first compress"])
    assert {"compress", "decompress", "codec peak memory"} <= set(found)


def test_theirs_is_read_from_the_other_environment(runner, load, tmp_path):
    python = stand_in(tmp_path, [["compress", "s", [1.5, 2.5]]])
    quantities = runner.measure_theirs(python, None, "w.npz", "codec", load("tasks").Task("mbt2018-mean", 64, 64))
    assert quantities == [load("measuring").Quantity("compress", "s", [1.5, 2.5])]


def test_an_environment_without_compressai_is_an_error(runner, tmp_path):
    with pytest.raises(ChildProcessError, match="run_pytorch --versions ended with 1.*compressai"):
        runner.called(sys.executable, "--versions")
    with pytest.raises(ChildProcessError, match="make peers"):
        runner.called(str(tmp_path / "none"))


def test_rows_name_the_code(runner, load, monkeypatch, tmp_path, capsys):
    measuring = load("measuring")
    rates = measuring.Calibration(100, 200, 100, 10)

    def measured(jobs, repeats):
        for number, (_, task) in enumerate(jobs):
            yield measuring.Measured(task, [measuring.Quantity("compress", "s", [number + 1.0])], rates, rates)

    monkeypatch.setattr(runner, "measured", measured)
    python = stand_in(tmp_path, {"compressai": "1.2.8", "torch": "2.9"})
    out = tmp_path / "peers.csv"
    runner.main(["--python", python, "--model", "mbt2018-mean", "--no-training", "--out", str(out)])
    ours, theirs = rows_in(out)
    assert (ours["code"][:3], ours["peer"], ours["median"]) == ("lic", "mbt2018-mean", "1")
    assert (theirs["code"], theirs["tensorflow"], theirs["median"]) == ("CompressAI 1.2.8, PyTorch 2.9", "", "2")
    assert "2.00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "100x64"], "multiples of 64"),
        (["--model", "elic"], "invalid choice"),
        (["--model", "stf"], "--model stf needs --source stf=FOLDER"),
        (["--source", "mbt2018=."], "expected NAME=FOLDER, NAME one of wacnn, stf, "),
        (["--source", "stf=nowhere"], "expected NAME=FOLDER, "),
    ],
)
def test_wrong_input_is_one_line(runner, capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        runner.main([*REQUIRED, *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("peers: ")
    assert message in line
