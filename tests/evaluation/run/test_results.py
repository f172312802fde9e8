import csv
import json
import math

import pytest

from lic.errors import EvaluationError
from lic.evaluation.run.results import Failure, Results, Row
from tests.conftest import DAMAGED_JSON


def row(codec="a", image="1", quality=1.0, bpp=1.0, psnr=30.0, ms_ssim=0.9, memory=100):
    decibels = None if ms_ssim is None else -10 * math.log10(1 - ms_ssim)
    times = (0.5, 0.1, 0.25, None)
    return Row(codec, image, quality, 8, 10, int(10 * bpp), bpp, psnr, ms_ssim, decibels, *times, memory)


@pytest.fixture
def results():
    rows = [
        row(image="1"),
        row(image="2", bpp=3.0, psnr=40.0, ms_ssim=None, memory=300),
        *(row(image=image, quality=2.0, bpp=4.0, psnr=41.0) for image in "12"),
        *(row("b", image, None, 2.0, 33.0) for image in "123"),
    ]
    return Results(rows, [Failure("3", "a", 1.0, "too large")], {"codecs": {"a": {"settings": "fast"}}})


def test_means_are_over_the_images_that_every_codec_coded_at_every_quality(results):
    assert results.common == ["1", "2"]
    first, second, third = results.means()
    assert (first["codec"], first["quality"], first["images"]) == ("a", 1.0, 2)
    assert (first["bpp"], first["psnr"]) == (2.0, 35.0)
    assert (first["ms_ssim"], first["ms_ssim_images"]) == (pytest.approx(0.9), 1)
    assert first["ms_ssim_db"] == pytest.approx(10)
    assert (first["encode_seconds"], first["encode_networks_seconds"]) == (0.5, 0.4)
    assert (first["decode_coder_seconds"], first["peak_memory"]) == (None, 300)
    assert (second["quality"], third["codec"], third["images"]) == (2.0, "b", 2)


def test_a_mean_that_includes_an_image_without_loss_is_infinite():
    lossless = row(image="2", psnr=None)._replace(ms_ssim=1.0, ms_ssim_db=None)
    (mean,) = Results([row(), lossless], [], {"codecs": {"a": {}}}).means()
    assert mean["ms_ssim"] == pytest.approx(0.95)
    assert (mean["psnr"], mean["ms_ssim_db"], mean["ms_ssim_images"]) == (None, None, 2)


def test_a_lossless_image_leaves_no_mean():
    assert Results([row(psnr=None), row(image="2")]).means()[0]["psnr"] is None


def test_files_come_back_as_they_were(results, tmp_path):
    results.write(tmp_path)
    for path in (tmp_path, tmp_path / "eval.json"):
        again = Results.read(path)
        assert (again.rows, again.failures, again.facts) == (results.rows, results.failures, results.facts)


def test_files_hold_means_and_derived_figures(results, tmp_path):
    results.write(tmp_path)
    written = json.loads((tmp_path / "eval.json").read_text())
    assert "alike" in written["averaging"]
    assert written["images_in_means"] == 2
    assert written["means"] == results.means()
    assert written["rows"][0]["encode_networks_seconds"] == 0.4
    with open(tmp_path / "eval.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(each["codec"], each["image"], each["quality"]) for each in rows[:2]] == [
        ("a", "1", "1.0"),
        ("a", "2", "1.0"),
    ]
    assert rows[1]["ms_ssim"] == ""
    with open(tmp_path / "means.csv", newline="") as file:
        assert [float(each["bpp"]) for each in csv.DictReader(file)] == [2.0, 4.0, 2.0]


def test_no_rows_at_all_are_written_too(tmp_path):
    Results([], [Failure("1", None, None, "broken")]).write(tmp_path)
    assert Results.read(tmp_path).failures[0].error == "broken"


BAD = {
    "codec": 1,
    "image": None,
    "quality": "high",
    "height": 0,
    "width": -5,
    "bytes": 1.5,
    "bpp": float("nan"),
    "psnr": [30],
    "encode_seconds": float("inf"),
    "decode_seconds": None,
    "peak_memory": {},
    "notes": 7,
}


def _with(**values):
    return json.dumps({"rows": [row()._asdict() | values], "failures": [], "images": {}, "codecs": {}})


@pytest.mark.parametrize(
    "text",
    [
        *DAMAGED_JSON,
        '{"rows": [{"codec": 1}], "failures": []}',
        '{"rows": {"a": 1}, "failures": []}',
        '{"rows": [], "failures": [7]}',
        '{"rows": [], "failures": [], "images": 3}',
        '{"rows": [], "failures": [], "codecs": {"a": 3}}',
        _with()[:-40],
        *(_with(**{name: value}) for name, value in BAD.items()),
    ],
)
def test_files_without_the_columns_are_refused(tmp_path, text):
    (tmp_path / "eval.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(EvaluationError, match="is not a file that `lic eval` writes"):
        Results.read(tmp_path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(EvaluationError, match="no evaluation at"):
        Results.read(tmp_path / "run")


def test_networks_take_the_seconds_that_the_coder_does_not():
    measured = row()
    assert measured.encode_networks_seconds == pytest.approx(0.4)
    assert measured._replace(decode_coder_seconds=0.05).decode_networks_seconds == pytest.approx(0.2)


def test_a_codec_that_reports_no_share_of_the_coder_has_none_of_the_networks():
    assert row().decode_networks_seconds is None
    assert row()._replace(encode_coder_seconds=None).encode_networks_seconds is None


def test_a_row_that_stands_twice_counts_once():
    rows = [row(image=image) for image in "12"]
    results = Results([*rows, rows[0], row(image="2", bpp=2.0)])
    assert results.common == ["1", "2"]
    assert [(mean["images"], mean["bpp"]) for mean in results.means()] == [(2, 1.5)]
