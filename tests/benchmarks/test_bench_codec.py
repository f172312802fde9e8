import numpy as np
import pytest
from PIL import Image

import lic
from tests.benchmarks.conftest import QUICK, rows_in, run
from tests.conftest import random_images, tiny_model

CODEC = ["build", "first compress", "first decompress", "compress", "decompress", "encoded size", "codec peak memory"]
ONE = ("--model", "default", "--size", "64x48", *QUICK)
TRAINING = ["first training step", "training step", "training peak memory"]


def options_of(script, *arguments):
    return script.command_line().parse_args(["--model", "default", *arguments])


@pytest.mark.slow
def test_a_codec_is_measured_from_end_to_end(tmp_path):
    out = tmp_path / "results" / "codec.csv"
    ended = run("bench_codec", *ONE, "--out", out)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert_measured(rows_in(out), ended.stdout, ended.stderr)


def test_a_codec_is_measured_in_this_process_too(load, here, tmp_path, capsys, monkeypatch):
    script, tasks = load("bench_codec"), load("tasks")
    here(load("measuring"))
    monkeypatch.setattr(tasks.Task, "make_model", lambda task: tiny_model("conv", "factorized"))
    script.main([*ONE, "--out", str(tmp_path / "results" / "codec.csv")])
    assert_measured(rows_in(tmp_path / "results" / "codec.csv"), *capsys.readouterr())


def test_the_script_calls_its_functions_in_a_fresh_process():
    ended = run("bench_codec", "--model", "conv+chram")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("bench_codec: There is no entropy model named 'chram'. Did you mean 'charm'? ")
    assert ended.stderr.count("\n") == 1


def assert_measured(rows, stdout, stderr):
    assert [row["quantity"] for row in rows] == CODEC
    assert [row["quantity"] in stdout for row in rows] == [True] * len(CODEC)
    for row in rows:
        assert (row["model"], row["weights"], row["size"], row["precision"]) == ("default", "fresh", "64x48", "float32")
        assert 0 < float(row["least"]) <= float(row["median"]) <= float(row["most"])
        assert float(row["rate_before"]) > 0
        assert (row["lic"], row["repeats"]) == (lic.__version__, "1")
        assert all(row[name] for name in row if name not in ("tile", "commit"))
    units = {row["quantity"]: row["unit"] for row in rows}
    assert (units["build"], units["encoded size"], units["codec peak memory"]) == ("s", "bytes", "GiB")
    assert "Fresh weights" in stdout
    assert "calibration: " in stderr


def test_training_steps_are_measured(load, monkeypatch):
    script, tasks = load("bench_codec"), load("tasks")
    monkeypatch.setattr(tasks.Task, "make_model", lambda task: tiny_model("conv", "factorized"))
    quantities = script.measure_training(tasks.Task("default", 64, 64, batch=2, repeats=1))
    assert [quantity.name for quantity in quantities] == TRAINING
    assert all(len(quantity.values) == 1 and quantity.values[0] > 0 for quantity in quantities)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["measure_codec None"]),
        (["--training"], ["measure_codec None", "measure_training None"]),
        (["--training", "--no-codec"], ["measure_training None"]),
        (["--precision", "float32", "bfloat16"], ["measure_codec float32", "measure_codec bfloat16"]),
        (["--training", "--precision", "mixed_bfloat16"], ["measure_training mixed_bfloat16"]),
    ],
)
def test_each_precision_is_used_if_it_applies(load, arguments, expected):
    script = load("bench_codec")
    jobs = script.jobs_of(options_of(script, *arguments))
    assert [f"{function.__name__} {task.precision}" for function, task in jobs] == expected


def test_training_is_of_square_patches_and_without_tiles(load):
    script = load("bench_codec")
    jobs = script.jobs_of(options_of(script, "--size", "96x32", "--training", "--tile", "64"))
    (_, codec), (_, training) = jobs
    assert (codec.size, codec.tile) == ("96x32", 64)
    assert (training.size, training.tile) == ("8x256x256", None)


def test_every_size_is_measured_with_every_tile_and_training_once(load):
    script = load("bench_codec")
    arguments = ["--size", "64x64", "96x96", "--tile", "none", "auto", "48", "--training"]
    jobs = script.jobs_of(options_of(script, *arguments))
    codecs = [(task.size, task.tile) for measure, task in jobs if measure is script.measure_codec]
    assert codecs == [(size, tile) for size in ("64x64", "96x96") for tile in (None, "auto", 48)]
    assert [task.size for measure, task in jobs if measure is script.measure_training] == ["8x256x256"]


def test_a_mix_of_parts_is_a_model_with_its_sizes(load):
    task = load("tasks").Task("conv+hyperprior", 64, 64, sizes={"width": 8, "latent_depth": 12, "hyper_width": 8})
    model = task.make_model()
    assert [type(part).__name__ for part in (model.transform, model.entropy)] == ["ConvTransform", "Hyperprior"]
    assert model.transform.depth == 12


def test_an_image_is_taken_in_its_own_size(load, tmp_path):
    Image.fromarray(image := random_images(40, 56, 3)).save(tmp_path / "x.png")
    script = load("bench_codec")
    ((_, task),) = script.jobs_of(options_of(script, "--image", str(tmp_path / "x.png")))
    assert task.size == "56x40"
    assert np.array_equal(task.pixels()[0], image)


def test_noise_is_smooth_and_the_same_each_time(load):
    tasks = load("tasks")
    noise = tasks.smooth_noise(70, 50).astype(float)
    assert noise.shape == (50, 70, 3)
    assert np.array_equal(noise, tasks.smooth_noise(70, 50))
    assert np.abs(np.diff(noise, axis=1)).mean() < noise.std() / 3


def test_options_that_were_given_are_handed_to_the_codec(load):
    script, tasks = load("bench_codec"), load("tasks")
    assert script.codec_options(tasks.Task("default", 64, 64)) == {"tile": None}
    halved = script.codec_options(tasks.Task("default", 64, 64, precision="bfloat16"))
    assert halved == {"tile": None, "precision": "bfloat16"}
    assert script.codec_options(tasks.Task("default", 64, 64, tile=64)) == {"tile": 64}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "defualt"], "'default'"),
        (["--model", "default", "--size", "768"], "768x512"),
        (["--model", "default", "--tile", "large"], "'large'"),
        (["--model", "default", "--repeats", "0"], "over 0"),
        (["--model", "default", "--image", "no.png"], "no file 'no.png'"),
        (["--model", "default", "--size", "8x8", "--image", "no.png"], "not both"),
        (["--model", "default", "ms2020", "--checkpoint", "x"], "one --model"),
        (["--model", "default", "--checkpoint", "x", "--shipped"], "not both"),
        (["--model", "default", "--precision", "mixed_bfloat16"], "Nothing to measure"),
        (["--model", "default", "--out", __file__], "other columns"),
    ],
)
def test_wrong_input_is_one_line(load, capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        load("bench_codec").main(arguments)
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert captured.out == ""
    assert line.startswith("bench_codec: ")
    assert message in line
