import pytest
from PIL import Image

import lic
from tests.conftest import random_images, tiny_model


def test_a_row_for_each_limit(load, tmp_path, capsys):
    Image.fromarray(random_images(48, 64, 3)).save(tmp_path / "0.png")
    lic.Codec(tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02))).save(tmp_path / "mine.codec")
    options = {"images": tmp_path, "model": tmp_path / "mine.codec", "quality": 1.5, "skip-below": 100.0, "repeats": 1}
    load("bench_skipping").main([word for name, value in options.items() for word in (f"--{name}", str(value))])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1:3] for row in rows] == [["none", "100.0"], ["100", "0.0"]]
    assert float(rows[0][3]) > float(rows[1][3])
    assert float(rows[1][4]) == pytest.approx(float(rows[0][4]), abs=10)
