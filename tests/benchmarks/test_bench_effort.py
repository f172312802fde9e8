import functools

import pytest
from PIL import Image

import lic
from tests.benchmarks.conftest import rows_in
from tests.conftest import random_images, tiny_model


@pytest.fixture
def effort(load):
    return load("bench_effort")


@pytest.fixture
def arguments(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(2):
        Image.fromarray(random_images(48, 64, 3, seed=number)).save(images / f"{number}.png")
    model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.005, 0.01, 0.02))
    lic.Codec(model).save(tmp_path / "mine.codec")
    out = tmp_path / "effort.csv"
    options = ["--model", tmp_path / "mine.codec", "--images", images, "--quality", "2", "--out", out]
    return out, list(map(str, options))


def test_rows_are_appended_once(effort, arguments, capsys, monkeypatch):
    out, options = arguments
    monkeypatch.setattr(lic, "load", functools.cache(lic.load))  # The second run traces nothing anew.
    effort.main([*options, "--effort", "1"])
    effort.main([*options, "--effort", "1", "2"])
    rows = rows_in(out)
    assert [(row["image"], row["effort"]) for row in rows] == [(f"{n}.png", e) for e in "12" for n in range(2)]
    for row in rows:
        saved = 1 - int(row["bytes"]) / float(row["bytes_at_equal_psnr"])
        assert float(row["saved"]) == pytest.approx(saved, abs=1e-3)
    assert [line["images"] for line in effort.means(rows)] == ["2", "2"]
    assert "effort" in capsys.readouterr().out


def test_bytes_are_interpolated_by_their_logarithm_and_never_beyond(effort):
    points = [(100, 30.0), (400, 32.0)]
    assert effort.bytes_at(points, 31.0) == pytest.approx(200)
    with pytest.raises(ValueError, match="lies beyond"):
        effort.bytes_at(points, 32.5)
