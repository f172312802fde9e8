import re

import pytest
from PIL import Image

import lic
from tests.conftest import random_images, tiny_model


def test_both_rates_and_their_ratio_are_printed(load, tmp_path, capsys, monkeypatch):
    for number in range(2):
        Image.fromarray(random_images(80, 96, 3, seed=number)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr(lic, "create_model", lambda name: tiny_model("klt", "factorized"))
    load("bench_data").main(["--data", str(tmp_path), "--crop", "32", "--batch", "2", "--steps", "2"])
    given, taken, ratio = map(float, re.findall(r"[\d.]+(?= crops/s)|(?<=ratio )[\d.]+", capsys.readouterr().out))
    assert ratio == pytest.approx(given / taken, rel=0.1, abs=0.1)


def test_a_folder_without_photographs_is_one_line(load, tmp_path, capsys):
    with pytest.raises(SystemExit):
        load("bench_data").main(["--data", str(tmp_path)])
    assert "holds no images" in capsys.readouterr().err
