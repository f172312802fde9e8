"""`lic eval`."""

import pytest
from PIL import Image
from typer.testing import CliRunner

from lic.cli import app
from lic.evaluation.run.results import Results
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


def test_a_failure_at_one_quality_names_the_codec(folder, tmp_path):
    Image.fromarray(random_images(8, 17000, 3)).save(folder / "wide.png")  # WebP takes 16383 at most.
    result = run(folder, "--codec", "jpeg=50", "webp=50", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "wide.png, webp" in result.stderr


def test_wrong_options_are_one_line(folder, tmp_path):
    result = run(folder, "--codec", "jpeg", "--tile", "x", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "expected auto, none or a number" in result.stderr
