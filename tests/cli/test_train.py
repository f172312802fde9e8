"""`lic train`: from a folder of photographs to a codec, also after kill -9."""

import dataclasses
import json
import signal
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

import lic
from lic.cli import app, main
from lic.training.settings import PRESETS, TrainingSettings
from tests.conftest import random_images
from tests.training.conftest import save

PARTS = ["--transform", "klt", "--entropy", "factorized", "--size", "width=8", "--size", "latent_depth=12"]
FEW = ["--steps", "60", "--interval", "20", "--batch", "1", "--crop", "32", "--learning-rate", "0.001"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(3):
        save(folder / f"{number}.png", 64, 80, seed=number)
    return folder


def command(folder, out, *options):
    return ["train", "--data", str(folder), "--out", str(out), *PARTS, *FEW, *options]


def start(*arguments):
    return subprocess.Popen([sys.executable, "-m", "lic", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process):
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text.decode()


def losses(out):
    rows = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    return [(row["step"], row["loss"]) for row in rows]


@pytest.mark.slow
def test_a_killed_training_goes_on_as_if_nothing_had_been(folder, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(*command(folder, whole)))
    process = start(*command(folder, killed))
    while not (killed / "checkpoints" / "step-0000020.npz").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finish(start(*command(folder, killed)))
    assert [step for step, _ in losses(killed)] == list(range(1, 61))
    assert losses(killed) == losses(whole)
    assert lic.load(killed / "final.codec").fingerprint == lic.load(whole / "final.codec").fingerprint


def test_several_lmbda_make_a_codec_of_several_qualities(folder, tmp_path):
    further = ["--steps", "1", "--average", "0.9", "--clip", "0", "--trim", "5", "--no-start-scales"]
    options = command(folder, tmp_path, "--lmbda", "0.002,0.02", *further)
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "final.codec") in result.output
    codec = lic.load(tmp_path / "final.codec")
    assert list(codec.qualities) == [1, 2]
    assert codec.decompress(codec.compress(random_images(20, 30, 3), quality=2)).shape == (20, 30, 3)
    settings = json.loads((tmp_path / "run.json").read_text())["config"]["settings"]
    assert (settings["average"], settings["clip"], settings["crop"]) == (0.9, None, 32)
    assert (settings["trim"], settings["start_scales"]) == (5, False)


def test_help_shows_the_default_of_each_setting_and_those_of_presets():
    parameters = {each.name: each for each in typer.main.get_command(app).commands["train"].params}
    for name, value in dataclasses.asdict(TrainingSettings()).items():
        others = {preset: each.settings.get(name, value) for preset, each in PRESETS.items()}
        changed = ", ".join(f"{preset} {shown(other)}" for preset, other in others.items() if other != value)
        wanted = f"[default: {shown(value)}{changed and f'; presets: {changed}'}]"
        assert parameters[name].help.endswith(wanted), f"{name}: {wanted}"


def shown(value):
    if value is None or isinstance(value, bool):
        return {None: "0", True: "on", False: "off"}[value]
    if isinstance(value, tuple):
        return ",".join(f"{step}:{size}" for step, size in value) or "none"
    return str(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name what to train"),
        (["--transform", "klt"], "name what to train"),
        (["--model", "zyc2022", "--lmbda", "much"], "expected a number"),
        (["--model", "zyc2022", "--size", "width"], "expected NAME=VALUE"),
        (
            ["--model", "zyc2022", "--lmbda", "0.01", "--size", "lmbda=0.5"],
            "expected a size of the parts. Give --lmbda",
        ),
        (["--model", "zyc2022", "--size", "name=ms2020"], "Give --model"),
        (["--model", "zyc2021"], "zyc2022"),
        (["--transform", "klt", "--entropy", "charm", "--likelihood", "laplac"], "Did you mean 'laplace'"),
        (["--from", "default", "--distortion", "mse"], "--lmbda or --distortion with it"),
        (["--from", "default", "--hyper", "conv"], "give no --model, parts, sizes, --lmbda or --distortion"),
        (["--from", "default", "--preset", "default", "--steps", "0"], "expected steps to be at least 1"),
        (["--preset", "nothing"], "no training preset"),
        (["--model", "zyc2022", "--decay", "slow"], "expected decay to be one of"),
        (["--model", "default", "--strategy", "all"], "--strategy all: expected none, mirrored or multi-worker"),
        (["--model", "default", "--crop", "0"], "expected crop to be at least 1"),
        (["--model", "default", "--later-crops", "9"], "--later-crops 9: expected STEP:PIXELS"),
        (["--model", "default", "--later-crops", "9:64,5:32"], "by rising steps"),
        (["--model", "default", "--optimizer", "sgd"], "expected optimizer to be one of"),
    ],
)
def test_wrong_options_are_named(folder, tmp_path, monkeypatch, capsys, options, message):
    arguments = ["lic", "train", "--data", str(folder), "--out", str(tmp_path / "run"), *options]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code
    printed = capsys.readouterr().err
    assert message in " ".join(printed.replace("│", " ").split())
    assert "Traceback" not in printed
