"""Mixes at equal training: what is trained, what is done again, and the table."""

import dataclasses

import pytest
from PIL import Image

import lic
from tests.benchmarks.conftest import rows_in, write_rows
from tests.conftest import random_images, tiny_model


@pytest.fixture
def mixes(load):
    return load("mixes")


def _rows(mixes, transform, factor, minutes=20):
    curve = [(0.2, 28.0), (0.4, 30.5), (0.7, 33.0), (1.1, 35.5), (1.7, 38.0)]
    common = {"transform": transform, "entropy": "charm", "likelihood": "normal", "minutes": str(minutes), "seed": "0"}
    common |= {"parameters": "1234567", "steps": "8000"}
    return [common | {"bpp": str(factor * bpp), "psnr": str(psnr)} for bpp, psnr in curve]


def test_lines_are_sorted_by_rate(mixes):
    lines = mixes.lines([*_rows(mixes, "conv", 1.0), *_rows(mixes, "klt", 0.5), *_rows(mixes, "conv", 0.8, 40)])
    assert [(line["transform"], line["minutes"]) for line in lines] == [("klt", "20"), ("conv", "40"), ("conv", "20")]
    rates = [1 + float(line["rate"]) / 100 for line in lines]
    assert rates[0] / rates[2] == pytest.approx(0.5, abs=0.01)
    assert (lines[0]["parameters"], lines[0]["bpp"]) == ("1,234,567", "0.10 to 0.85")


def test_a_mix_that_reaches_no_psnr_of_jpeg_comes_last(mixes):
    low = [row | {"psnr": str(float(row["psnr"]) / 4)} for row in _rows(mixes, "swin", 0.1)]
    lines = mixes.lines([*low, *_rows(mixes, "klt", 0.5)])
    assert [(line["transform"], line["psnr"]) for line in lines] == [("klt", "28.0 to 38.0"), ("swin", "7.0 to 9.5")]
    assert lines[1]["rate"] == "none"


def test_a_mix_that_diverged_has_no_figures(mixes):
    (row, *_) = _rows(mixes, "swin", 1.0)
    lines = mixes.lines([row | {"bpp": "", "psnr": ""}, *_rows(mixes, "klt", 0.5)])
    assert [(line["transform"], line["bpp"]) for line in lines] == [("klt", "0.10 to 0.85"), ("swin", "")]
    assert lines[1]["rate"] == "diverged"


def test_a_section_is_a_table_of_mixes(mixes, tmp_path):
    assert mixes.section(tmp_path) == []
    rows = [*_rows(mixes, "conv", 1.0), *_rows(mixes, "klt", 0.5, 11.4)]
    write_rows(tmp_path / "mixes" / "some.csv", rows, mixes.COLUMNS)
    (part,) = mixes.section(tmp_path)
    assert part.startswith("**Mixes at equal training**, 11.4 or 20 minutes of one processor each")
    assert "| conv | charm | normal | 1,234,567 | 20 | 8,000 |" in part


def test_steps_are_a_multiple_of_the_checkpoints(mixes):
    assert [mixes.settings_of(steps, 0).steps for steps in (1, 9, 19, 8123)] == [1, 9, 19, 8120]
    assert dataclasses.asdict(mixes.settings_of(8123, 3)).items() >= {**mixes.TRAINING, "seed": 3}.items()


def test_a_training_that_diverges_gives_no_codec(mixes, tmp_path, monkeypatch):
    def diverges(*arguments):
        raise lic.DivergenceError("Training diverged at step 3: the loss is not finite.")

    monkeypatch.setattr(mixes, "make_model", lambda mix: tiny_model("klt", "factorized"))
    monkeypatch.setattr(mixes, "_take_one_thread", lambda: None)
    monkeypatch.setattr(lic, "train", diverges)
    parameters, diverged = mixes.train(mixes.Mix("klt", "factorized", "normal"), "data", tmp_path, 10, 0)
    assert parameters > 0
    assert diverged
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_mix_is_trained_measured_and_not_done_again(mixes, tmp_path):
    for name, sizes in (("photographs", (270, 280)), ("images", (170, 180))):
        (tmp_path / name).mkdir()
        Image.fromarray(random_images(*sizes, 3)).save(tmp_path / name / "a.png")
    arguments = ["--data", str(tmp_path / "photographs"), "--images", str(tmp_path / "images"), "--minutes", "0.01"]
    arguments += ["--work", str(tmp_path / "work"), "--out", str(out := tmp_path / "mixes.csv")]
    arguments += ["--transform", "klt", "--entropy", "factorized"]
    options = mixes.command_line().parse_args(arguments)
    (new,) = mixes.record(options)
    rows = rows_in(out)
    assert rows == new
    assert [row["quality"] for row in rows] == list("12345")
    assert {row["transform"] for row in rows} == {"klt"}
    assert float(rows[0]["bpp"]) < float(rows[-1]["bpp"])
    assert list(mixes.record(options)) == []
