import pytest

from lic.evaluation.run import Results, Row


def row(codec, bpp, psnr, quality=None, image="a.png"):
    figures = dict.fromkeys(Row._fields) | {"notes": "", "height": 8, "width": 8, "bytes": round(8 * bpp)}
    seconds = {"encode_seconds": 0.5, "decode_seconds": 0.25}
    return Row(**figures | seconds | {"codec": codec, "image": image, "quality": quality, "bpp": bpp, "psnr": psnr})


def evaluation(folder, points):
    """Returns an evaluation of a codec with these points and of JPEG, with 10 dB more for each doubling of the rate."""
    jpeg = [row("jpeg", 2.0**power, 30.0 + 10 * power, power) for power in (-2, -1, 0, 1)]
    learned = [row("default", bpp, psnr, number) for number, (bpp, psnr) in enumerate(points)]
    folder.mkdir(exist_ok=True)
    codecs = {"default": {"fingerprint": "00000000"}, "jpeg": {"settings": ""}}
    Results(learned + jpeg, facts={"codecs": codecs, "images": {"folder": "kodak"}}).write(folder)
    return folder


def cells(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| default")]


def test_without_an_evaluation_there_is_nothing(load, tmp_path):
    assert load("rates").section(tmp_path / "kodak") == []


def test_a_curve_is_compared_by_bd_rate(load, tmp_path):
    points = [(2.0**power / 2, 30.0 + 10 * power) for power in (-2, -1, 0, 1)]
    first, second = load("rates").section(evaluation(tmp_path, points))
    assert first.startswith("**Rate and distortion**, means over 1 image of kodak:")
    assert cells(first)[0] == ["default", "0", "0.1250", "10.000", "0.50", "0.25"]
    jpeg, *published = cells(second)
    assert jpeg[:2] == ["default", "jpeg"]
    assert float(jpeg[2]) == pytest.approx(-50, abs=0.1)
    assert float(jpeg[3].split()[0]) == pytest.approx(10, abs=0.01)
    assert [name for _, name, *_ in published] == ["BPG 4:4:4", "VTM 4:4:4 (VVC intra)"]


def test_a_single_point_is_compared_at_its_rate(load, tmp_path):
    _, second = load("rates").section(evaluation(tmp_path, [(2.0**-0.5, 27.0)]))
    assert "BD-rate, %" not in second
    assert cells(second)[0] == ["default", "jpeg", "+2.00"]


def test_a_single_point_outside_a_curve_is_not_compared(load, tmp_path):
    _, second = load("rates").section(evaluation(tmp_path, [(0.1, 27.0)]))
    assert cells(second)[0][2:] in ([], [""])
