import numpy as np
from PIL import Image

import lic
from tests.conftest import tiny_model


def test_a_row_and_a_figure_of_the_sample(load, tmp_path, capsys):
    lic.Codec(tiny_model("klt", "hyperprior", lmbda=(0.002, 0.01, 0.05))).save(tmp_path / "mine.codec")
    options = {"model": tmp_path / "mine.codec", "background": 1, "quality": 3, "figure": tmp_path / "figure.png"}
    load("bench_regions").main([word for name, value in options.items() for word in (f"--{name}", str(value))])
    (row,) = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert row[0] == "the sample"
    assert float(row[5]) > float(row[6])  # The region is better than with one quality, and the rest is worse.
    assert float(row[7]) < float(row[8])
    assert np.asarray(Image.open(tmp_path / "figure.png").convert("L")).std() > 20
