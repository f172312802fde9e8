"""`lic eval`."""

import os

import pytest
from PIL import Image
from typer.testing import CliRunner

from lic.cli import app
from lic.errors import EvaluationError
from lic.evaluation.run.results import Results
from tests.cli.conftest import ODD_NAMES
from tests.conftest import random_images


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "ab":
        Image.fromarray(random_images(64, 72, 3)).save(folder / f"{name}.png")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["eval", *map(str, arguments)], catch_exceptions=False)


def test_models_and_codecs_are_measured_and_shown(codec, folder, tmp_path):
    result = run(folder, "--model", codec, "--codec", "jpeg=50", "webp=30,60", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["codec", "quality", "bpp"]
    assert [line.split()[:2] for line in lines[1:5]] == [["tiny", "-"], ["jpeg", "50"], ["webp", "30"], ["webp", "60"]]
    assert "2 images" in lines[5]
    assert len(Results.read(tmp_path / "run").rows) == 8


def test_qualities_are_of_all_that_have_none_of_their_own(folder, tmp_path):
    run(folder, "--codec", "jpeg", "webp=30", "--quality", "20", "40", "--out", tmp_path / "run")
    rows = Results.read(tmp_path / "run").rows
    assert {(row.codec, row.quality) for row in rows} == {("jpeg", 20), ("jpeg", 40), ("webp", 30)}


def test_a_broken_image_is_named_and_the_exit_code_is_1(folder, tmp_path):
    (folder / "broken.png").write_text("nothing")
    result = run(folder, "--codec", "jpeg=50", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert result.stderr.count("broken.png") == 1
    assert "2 images" in result.stdout


def test_names_of_any_bytes_are_measured_and_named(folder, tmp_path):
    names = [f"{os.fsdecode(name)[:240]}.png" for name in ODD_NAMES]
    for name in names:
        (folder / "a.png").rename(folder / name)
        (folder / "a.png").write_bytes((folder / name).read_bytes())
    (folder / os.fsdecode(b"broken \xff\n.png")).write_text("nothing")
    odd = folder.rename(tmp_path / os.fsdecode(b"im\xe9ges"))
    result = run(odd, "--codec", "jpeg=50", "--out", tmp_path / os.fsdecode(b"r\xffn"))
    assert result.exit_code == 1
    assert "broken \\xff\\n.png" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    rows = Results.read(tmp_path / os.fsdecode(b"r\xffn")).rows
    assert {row.image for row in rows} == {*names, "a.png", "b.png"}
    for table in ("eval.csv", "means.csv"):
        (tmp_path / os.fsdecode(b"r\xffn") / table).read_text(encoding="utf-8")
    assert run(odd, "--codec", "jpeg=50", "--out", tmp_path / os.fsdecode(b"r\xffn")).exit_code == 1  # It goes on.


def test_results_of_other_images_are_refused_in_a_sentence(folder, tmp_path):
    run(folder, "--codec", "jpeg=50", "--out", tmp_path / "run")
    Image.fromarray(random_images(64, 72, 3)).save(folder / "c.png")
    with pytest.raises(EvaluationError, match="results of other images: 2 images in the folder 'images'. This evalu"):
        run(folder, "--codec", "jpeg=50", "--out", tmp_path / "run")


def test_a_failure_at_one_quality_names_the_codec(folder, tmp_path):
    Image.fromarray(random_images(8, 17000, 3)).save(folder / "wide.png")  # WebP takes 16383 at most.
    result = run(folder, "--codec", "jpeg=50", "webp=50", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "wide.png, webp" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--tile", "x"), "expected auto, none or a number"),
        (("--tile", "64"), "for learned codecs"),
        (("--deterministic",), "for learned codecs"),
        (("--jobs", "2", "--ray", "local"), "one of --jobs and --ray"),
    ],
)
def test_wrong_options_are_one_line(folder, tmp_path, options, message):
    result = run(folder, "--codec", "jpeg", *options, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "run").exists()
