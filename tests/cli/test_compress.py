"""`lic compress`."""

import io
import json
import os
import re
import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.codec.bitstream import MAGIC, Stream
from lic.evaluation.run.metrics import psnr
from lic.images import read_samples, sample_image, write_image
from tests.cli.conftest import ODD_NAMES
from tests.conftest import DATA, random_images, tiny_model

ODD = DATA / "odd"


@pytest.fixture
def compress(codec, tmp_path, monkeypatch):
    """Runs the command in an empty folder; afterwards no partial file may be there."""
    monkeypatch.chdir(tmp_path)
    yield lambda *paths, **options: CliRunner().invoke(
        app, ["compress", "--model", str(codec), *map(str, paths)], **options
    )
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture
def photo(tmp_path):
    return photo_at(tmp_path / "photo.png")


def photo_at(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random_images(20, 30, 3, seed=seed)).save(path)
    return path


def is_stream(path):
    return path.is_file() and path.read_bytes()[:4] == MAGIC


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def flat(text):
    """Returns a message without the box and the lines that it stands in."""
    return re.sub(r"[\s│]+", " ", text)


def test_stream_is_put_beside_the_image(compress, photo):
    result = compress(photo)
    assert (result.exit_code, result.stderr) == (0, "")
    assert is_stream(photo.with_suffix(".lic"))
    assert result.stdout.startswith(f"{photo} -> {photo.with_suffix('.lic')}")
    assert len(result.stdout.splitlines()) == 1


def test_the_stream_equals_that_of_the_library(compress, codec, photo):
    compress(photo)
    assert photo.with_suffix(".lic").read_bytes() == lic.load(str(codec)).compress(np.asarray(Image.open(photo)))


def test_second_path_is_the_output(compress, photo, tmp_path):
    assert compress(photo, tmp_path / "new" / "small.lic").exit_code == 0
    assert files_below(tmp_path) == ["new/small.lic", "photo.png"]


@pytest.mark.parametrize("option", ["--out", "-o"])
def test_output_may_be_an_option(compress, photo, tmp_path, option):
    assert compress(photo, option, tmp_path / "small.lic").exit_code == 0
    assert is_stream(tmp_path / "small.lic")


def test_output_may_be_a_folder(compress, photo, tmp_path):
    (tmp_path / "out").mkdir()
    assert compress(photo, "--out", tmp_path / "out").exit_code == 0
    assert files_below(tmp_path) == ["out/photo.lic", "photo.png"]


def test_second_path_may_be_a_folder_that_is_there(compress, photo, tmp_path):
    (tmp_path / "out").mkdir()
    assert compress(photo, tmp_path / "out").exit_code == 0
    assert files_below(tmp_path) == ["out/photo.lic", "photo.png"]


@pytest.mark.parametrize("option", [(), ("--out",)])
def test_folder_is_compressed_into_a_folder_of_the_same_structure(compress, tmp_path, option):
    photo_at(tmp_path / "in" / "a.png")
    photo_at(tmp_path / "in" / "deep" / "b.jpg")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    assert compress(tmp_path / "in", *option, tmp_path / "out").exit_code == 0
    assert files_below(tmp_path / "out") == ["a.lic", "deep/b.lic"]


def test_folder_alone_is_compressed_in_place(compress, tmp_path):
    photo_at(tmp_path / "in" / "deep" / "b.png")
    assert compress(tmp_path / "in").exit_code == 0
    assert files_below(tmp_path) == ["in/deep/b.lic", "in/deep/b.png"]


def test_several_images_go_into_a_folder(compress, tmp_path):
    photos = [photo_at(tmp_path / name, seed) for seed, name in enumerate(["a.png", "b.png", "c.png"])]
    result = compress(*photos, "--out", tmp_path / "new")
    assert result.exit_code == 0
    assert files_below(tmp_path / "new") == ["a.lic", "b.lic", "c.lic"]
    assert len(result.stdout.splitlines()) == 3


def test_two_images_are_two_inputs(compress, tmp_path):
    photos = [photo_at(tmp_path / name) for name in ("a.png", "b.png")]
    assert compress(*photos).exit_code == 0
    assert files_below(tmp_path) == ["a.lic", "a.png", "b.lic", "b.png"]


def test_names_that_would_collide_keep_their_endings(compress, tmp_path):
    for name in ("rgb.bmp", "rgb.tiff"):
        shutil.copy(ODD / name, tmp_path)
    assert compress(tmp_path / "rgb.bmp", tmp_path / "rgb.tiff").exit_code == 0
    assert files_below(tmp_path) == ["rgb.bmp", "rgb.bmp.lic", "rgb.tiff", "rgb.tiff.lic"]


def test_no_image_overwrites_the_stream_of_another(compress, tmp_path):
    photos = [photo_at(tmp_path / folder / "photo.png", seed) for seed, folder in enumerate("ab")]
    result = compress(*photos, "--out", tmp_path / "out", "--force")
    assert result.exit_code != 0 or len(files_below(tmp_path / "out")) == 2


def test_stream_that_exists_is_kept_without_force(compress, photo, tmp_path):
    (tmp_path / "photo.lic").write_bytes(b"old")
    result = compress(photo)
    assert result.exit_code == 1
    assert "photo.lic" in result.stderr
    assert "--force" in result.stderr
    assert (tmp_path / "photo.lic").read_bytes() == b"old"


@pytest.mark.parametrize("option", ["--force", "-f"])
def test_stream_that_exists_is_replaced_with_force(compress, photo, tmp_path, option):
    (tmp_path / "photo.lic").write_bytes(b"old")
    assert compress(photo, option).exit_code == 0
    assert is_stream(tmp_path / "photo.lic")


def test_one_bad_image_stops_no_other(compress, tmp_path):
    for name in ("rgb.bmp", "truncated.jpg", "grey.png", "text-named.png"):
        shutil.copy(ODD / name, tmp_path)
    result = compress(*(tmp_path / name for name in ("truncated.jpg", "rgb.bmp", "text-named.png", "grey.png")))
    assert result.exit_code == 1
    assert sorted(path.name for path in tmp_path.glob("*.lic")) == ["grey.lic", "rgb.lic"]
    first, second = result.stderr.splitlines()
    assert "truncated.jpg" in first
    assert "text-named.png" in second


def test_a_missing_image_is_an_error(compress, tmp_path):
    result = compress(tmp_path / "absent.png")
    assert result.exit_code == 1
    assert "absent.png" in result.stderr
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("out", [("small.png",), ("--out", "small.jpg"), ("new-folder",)])
def test_output_with_another_ending_is_a_wrong_use(compress, photo, tmp_path, out):
    result = compress(photo, *out)
    assert result.exit_code == 2
    assert ".lic" in result.stderr
    assert files_below(tmp_path) == ["photo.png"]


def test_folder_without_images_is_a_wrong_use(compress, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    assert compress(tmp_path / "in").exit_code == 2


def test_several_images_into_one_file_are_a_wrong_use(compress, tmp_path):
    photos = [photo_at(tmp_path / name) for name in ("a.png", "b.png")]
    (tmp_path / "old.lic").write_bytes(b"old")
    assert compress(*photos, "--out", tmp_path / "old.lic", "--force").exit_code == 2
    assert (tmp_path / "old.lic").read_bytes() == b"old"


def test_no_paths_are_a_wrong_use(compress):
    assert compress().exit_code == 2


@pytest.mark.parametrize("options", [("--frame", "first"), ("--no-such-option",)])
def test_unknown_options_are_a_wrong_use(compress, photo, options):
    assert compress(photo, *options).exit_code == 2


def test_json_has_bytes_and_bpp(compress, photo):
    result = compress(photo, "--json")
    (report,) = strict_json(result.stdout)
    size = photo.with_suffix(".lic").stat().st_size
    assert report == {
        "input": str(photo),
        "output": str(photo.with_suffix(".lic")),
        "bytes": size,
        "bpp": pytest.approx(8 * size / (20 * 30)),
    }


def test_json_holds_failures(compress, photo):
    result = compress(photo, ODD / "truncated.png", "--json", "--out", "out")
    good, bad = strict_json(result.stdout)
    assert result.exit_code == 1
    assert good["bytes"] > 0
    assert (bad["input"], "truncated.png" in bad["error"]) == (str(ODD / "truncated.png"), True)


def test_verbose_json_has_psnr_and_seconds(compress, codec, photo):
    (report,) = strict_json(compress(photo, "--json", "--verbose").stdout)
    pixels = np.asarray(Image.open(photo)).astype(np.float64)
    decoded = lic.load(str(codec)).decompress(photo.with_suffix(".lic").read_bytes())
    assert report["psnr"] == pytest.approx(10 * np.log10(255**2 / np.mean((pixels - decoded) ** 2)))
    assert report["seconds"] > 0


def test_verbose_json_of_an_image_without_loss_is_still_json(compress, photo, monkeypatch):
    pixels = np.asarray(Image.open(photo))
    monkeypatch.setattr(lic.Codec, "decompress", lambda self, stream: pixels)
    assert len(strict_json(compress(photo, "--json", "--verbose").stdout)) == 1


@pytest.mark.parametrize("option", ["--verbose", "-v"])
def test_verbose_prints_bpp_psnr_and_seconds(compress, photo, option):
    figures = r"  [\d,]+ bytes, \d+\.\d{4} bpp, \d+\.\d\d dB, \d+\.\d\d s$"
    assert re.search(figures, compress(photo, option).stdout.rstrip())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rgba.png", ["--background", "white"]),
        ("palette-transparent.png", ["--background", "#ff8000"]),
        ("grey-16bit.png", ["--to-8-bit"]),
        ("animated.gif", ["--frame", "1"]),
    ],
)
def test_option_that_the_refusal_names_helps(compress, tmp_path, name, options):
    refused = compress(ODD / name, tmp_path / "small.lic")
    assert refused.exit_code == 1
    assert options[0] in refused.stderr
    assert files_below(tmp_path) == []
    assert compress(ODD / name, tmp_path / "small.lic", *options).exit_code == 0
    assert is_stream(tmp_path / "small.lic")


def test_turned_photograph_is_coded_upright(compress, tmp_path):
    compress(ODD / "orientation-6.jpg", tmp_path / "small.lic")
    stream = Stream.parse((tmp_path / "small.lic").read_bytes())
    assert (stream.height, stream.width) == (128, 192)


def test_nothing_is_left_if_coding_fails(compress, photo, tmp_path, monkeypatch):
    def fail(self, image, **options):
        raise lic.LicError("The model gave no numbers.")

    monkeypatch.setattr(lic.Codec, "compress", fail)
    assert compress(photo).exit_code == 1
    assert files_below(tmp_path) == ["photo.png"]


def test_nothing_is_left_if_writing_fails(compress, photo, tmp_path):
    # A folder cannot be replaced by a file, --force or not.
    (tmp_path / "photo.lic").mkdir()
    result = compress(photo, "--force")
    assert result.exit_code == 1
    assert "photo.lic" in result.stderr
    assert files_below(tmp_path) == ["photo.png"]


def test_a_folder_that_does_not_exist_is_an_error(compress, tmp_path):
    result = compress(tmp_path / "absent", "--out", tmp_path / "out.lic")
    assert result.exit_code == 1
    assert "absent" in result.stderr


@pytest.fixture(scope="module")
def variable_rate(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "rates.codec"
    lic.Codec(tiny_model("klt", "factorized", lmbda=(0.001, 0.01, 0.1))).save(path)
    return path


@pytest.fixture
def at(compress, variable_rate, photo):
    """Runs the command with a codec of several rates, and returns how it ended and the stream."""

    def run(*options):
        result = compress("--model", variable_rate, photo, "--force", *options)
        return result, photo.with_suffix(".lic").read_bytes() if result.exit_code == 0 else b""

    return run


@pytest.mark.parametrize("option", ["--quality", "-q"])
def test_the_given_quality_is_used(at, option):
    for quality in ("1", "2.5", "3"):
        assert Stream.parse(at(option, quality)[1]).quality == float(quality)


def test_number_of_bytes_is_met_and_not_exceeded(at, variable_rate, photo):
    least, most = (len(at("-q", quality)[1]) for quality in "13")
    codec, pixels = lic.load(str(variable_rate)), np.asarray(Image.open(photo))
    for limit in (least, (least + most) // 2):
        assert at("--bytes", limit)[1] == codec.compress_to(pixels, limit)
    result, _ = at("--bytes", least - 1)
    assert result.exit_code == 1
    assert f"takes {least} bytes at the lowest quality, more than the {least - 1}" in result.stderr


def test_bits_per_pixel_are_met_and_not_exceeded(at):
    least, most = (len(at("-q", quality)[1]) for quality in "13")
    bpp = 4 * (least + most) / (20 * 30)
    stream = at("--bpp", bpp)[1]
    assert 8 * len(stream) / (20 * 30) <= bpp
    assert stream == at("--bytes", (least + most) // 2)[1]
    result, _ = at("--bpp", bpp / 1000)
    assert result.exit_code == 1
    assert "at the lowest quality" in result.stderr


def test_effort_gives_the_stream_of_the_library(at, variable_rate, photo):
    codec, pixels = lic.load(str(variable_rate)), np.asarray(Image.open(photo))
    assert at("--effort", "1")[1] == codec.compress(pixels, effort=1)
    assert at("--effort", "0")[1] == codec.compress(pixels)
    assert at("--effort", "1", "-q", "3")[1] == codec.compress(pixels, quality=3, effort=1)
    limit = len(codec.compress(pixels, quality=2))
    assert at("--effort", "1", "--bytes", limit)[1] == codec.compress_to(pixels, limit, effort=1)


def test_effort_draws_no_bar_into_a_pipe(at):
    assert at("--effort", "1")[0].stderr == ""


def test_a_region_has_a_quality_of_its_own(at, variable_rate, photo, tmp_path):
    codec, pixels = lic.load(str(variable_rate)), np.asarray(Image.open(photo))
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2:4], mask[0, 0] = 255, 51
    Image.fromarray(mask).save(tmp_path / "mask.png")
    region = ("--roi", tmp_path / "mask.png", "--roi-quality", "3")
    expected = codec.compress(pixels, quality=1 + mask / 255 * 2)
    assert at("-q", "1", *region)[1] == expected
    assert at(*region)[1] == codec.compress(pixels, quality=2 + mask / 255)
    found = at("-q", "1", "--bytes", len(expected), *region)[1]
    assert found == codec.compress_to(pixels, len(expected), quality=1 + mask / 255 * 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--roi", "mask.png"), "--roi and --roi-quality belong together"),
        (("--roi-quality", "3"), "--roi and --roi-quality belong together"),
        (("-q", "2", "--bpp", "1"), "give one of --quality, --bpp and --bytes"),
        (("--bpp", "1", "--bytes", "99"), "give one of --quality, --bpp and --bytes"),
        (("-q", "4"), "expected quality from 1 to 3"),
        (("-q", "0"), "--quality 0: expected quality from 1 to 3"),
        (("-q", "nan"), "--quality nan: expected quality from 1 to 3"),
        (("--bpp", "-1"), "--bpp -1: expected a number over 0"),
        (("--bpp", "inf"), "--bpp inf: expected a number over 0"),
        (("--bytes", "-5"), "--bytes -5: expected a number over 0"),
        (("--bytes", "many"), "--bytes"),
        (("--effort", "10"), "--effort"),
        (("--effort", "-1"), "--effort"),
    ],
)
def test_wrong_targets_and_efforts_are_a_wrong_use(at, options, message):
    result, _ = at(*options)
    assert result.exit_code == 2
    assert message in flat(result.stderr)


def test_a_quality_of_a_region_that_the_codec_lacks_is_a_wrong_use(compress, variable_rate, photo):
    for codec, words in ((variable_rate, "--roi-quality 4: expected quality from 1 to 3"), (None, "a single rate")):
        model = ("--model", codec) if codec else ()
        result = compress(*model, photo, "--roi", photo, "--roi-quality", "4")
        assert result.exit_code == 2
        assert words in flat(result.stderr)


def test_an_image_that_is_too_small_to_refine_stops_no_other(compress, tmp_path, monkeypatch):
    def refuse_low(self, image, **options):
        if len(image) < 20:
            raise ValueError("expected larger images")
        return b"stream"

    monkeypatch.setattr(lic.Codec, "compress", refuse_low)
    (tmp_path / "in").mkdir()
    for name, height in (("a", 20), ("low", 19), ("z", 20)):
        write_image(tmp_path / "in" / f"{name}.png", random_images(height, 30, 3))
    result = compress(tmp_path / "in", tmp_path / "out", "--effort", "1")
    assert result.exit_code == 1
    assert f"lic: {tmp_path}/in/low.png: expected larger images" in result.stderr
    assert files_below(tmp_path / "out") == ["a.lic", "z.lic"]


def test_targets_need_a_codec_of_several_rates(compress, photo):
    result = compress(photo, "--quality", "3")
    assert result.exit_code == 2
    assert "single rate" in flat(result.stderr)
    result = compress(photo, "--bytes", "1000")
    assert result.exit_code == 1
    assert "single rate" in result.stderr


def test_standard_input_goes_to_standard_output(compress, photo):
    compress(photo)
    for arguments in (("-",), ("-", "-"), ("-", "-o", "-"), (photo, "-")):
        result = compress(*arguments, input=photo.read_bytes())
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout_bytes == photo.with_suffix(".lic").read_bytes()


def test_the_report_of_standard_output_is_on_standard_error(compress, photo):
    result = compress("-", "-", "--json", input=photo.read_bytes())
    assert Stream.parse(result.stdout_bytes)
    assert strict_json(result.stderr)[0]["bytes"] == len(result.stdout_bytes)


def test_verbose_reports_go_to_standard_error_where_standard_output_is_the_stream(compress, photo):
    quiet, verbose = (compress("-", "-", *options, input=photo.read_bytes()) for options in ((), ("-v",)))
    assert verbose.stdout_bytes == quiet.stdout_bytes
    assert (quiet.stderr, bool(re.search(r"bpp, \d+\.\d\d dB, \d+\.\d\d s", verbose.stderr))) == ("", True)


def test_workers_of_ray_have_no_standard_streams(compress, photo):
    for arguments in (("-", "a.lic"), (photo, "-")):
        result = compress(*arguments, "--ray", "local", input=photo.read_bytes())
        assert result.exit_code == 2
        assert "--ray" in result.stderr


def test_standard_input_goes_to_a_file(compress, photo, tmp_path):
    assert compress("-", tmp_path / "new" / "a.lic", input=photo.read_bytes()).exit_code == 0
    assert is_stream(tmp_path / "new" / "a.lic")


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n"])
def test_standard_input_without_an_image_is_an_error(compress, tmp_path, data):
    result = compress("-", tmp_path / "a.lic", input=data)
    assert result.exit_code == 1
    assert "the standard input" in result.stderr.lower()
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("paths", [("NEW/",), ("-o", "NEW/"), ("NEW/deep/",)])
def test_a_folder_is_made_if_its_name_ends_in_a_slash(compress, photo, tmp_path, paths):
    assert compress(photo, *paths).exit_code == 0
    assert files_below(tmp_path) == sorted([f"{paths[-1]}photo.lic", "photo.png"])


def test_the_same_folder_once_more_skips_what_is_done(compress, tmp_path):
    for name in ("a.png", "deep/b.png"):
        photo_at(tmp_path / "in" / name)
    assert compress(tmp_path / "in", tmp_path / "out").exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.lic")}
    photo_at(tmp_path / "in" / "c.png")
    result = compress(tmp_path / "in", tmp_path / "out", "--skip-existing", "--json")
    assert result.exit_code == 0
    assert [report.get("skipped", False) for report in strict_json(result.stdout)] == [True, False, True]
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert files_below(tmp_path / "out") == ["a.lic", "c.lic", "deep/b.lic"]


def test_a_folder_that_was_decoded_in_place_has_no_more_inputs_than_before(compress, codec, tmp_path):
    photo_at(tmp_path / "a.png")
    compress(tmp_path)
    assert CliRunner().invoke(app, ["decompress", "--model", str(codec), str(tmp_path)]).exit_code == 0
    assert compress(tmp_path, "--skip-existing").exit_code == 0
    assert files_below(tmp_path) == ["a.lic", "a.lic.png", "a.png"]


def test_odd_names_are_compressed_like_others(compress, codec, tmp_path):
    names = [os.fsdecode(name) for name in ODD_NAMES]
    for number, name in enumerate(names):
        photo_at(tmp_path / "in" / f"{number}.png").rename(tmp_path / "in" / f"{name[:240]}.png")
    result = compress(tmp_path / "in", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == len(names)
    back = CliRunner().invoke(app, ["decompress", "--model", str(codec), str(tmp_path / "out"), str(tmp_path / "back")])
    assert (back.exit_code, back.stderr) == (0, "")
    assert files_below(tmp_path / "back") == sorted(
        f"{os.path.splitext(f'{name[:240]}.png')[0]}.lic.png" for name in names
    )


def test_a_stream_is_no_image(compress, photo, tmp_path):
    compress(photo)
    result = compress(photo.with_suffix(".lic"), tmp_path / "again.lic")
    assert result.exit_code == 1
    assert "is not an image, but a stream of lic already" in result.stderr


def test_a_link_is_written_through_and_kept(compress, photo, tmp_path):
    (tmp_path / "photo.lic").symlink_to("far.lic")
    assert compress(photo).exit_code == 0
    assert (tmp_path / "photo.lic").is_symlink()
    assert is_stream(tmp_path / "far.lic")
    assert compress(photo).exit_code == 1  # The file that it leads to exists now.
    assert compress(photo, "--force").exit_code == 0
    assert (tmp_path / "photo.lic").is_symlink()


def test_a_stream_that_has_come_into_being_in_the_meantime_is_kept(compress, photo, tmp_path, monkeypatch):
    compressed = lic.Codec.compress

    def compress_while_another_writes(self, image, **options):
        (tmp_path / "photo.lic").write_bytes(b"first")
        return compressed(self, image, **options)

    monkeypatch.setattr(lic.Codec, "compress", compress_while_another_writes)
    result = compress(photo)
    assert result.exit_code == 1
    assert "photo.lic has come into being in the meantime" in result.stderr
    assert (tmp_path / "photo.lic").read_bytes() == b"first"
    assert "skipped" in compress(photo, "--skip-existing").stdout
    assert compress(photo, "--force").exit_code == 0
    assert is_stream(tmp_path / "photo.lic")


def test_an_output_that_is_an_input_is_a_wrong_use(compress, photo, tmp_path):
    photo.rename(tmp_path / "photo.lic")
    before = (tmp_path / "photo.lic").read_bytes()
    for arguments in ((), ("photo.lic", "--force"), ("./photo.lic", "-f")):
        assert compress(tmp_path / "photo.lic", *arguments).exit_code == 2
    assert (tmp_path / "photo.lic").read_bytes() == before


def test_what_is_no_picture_is_passed_over_in_a_folder(compress, tmp_path):
    photo_at(tmp_path / "in" / "a.PNG")
    for name in ("notes.pdf", "w.txt", "m.mov", "._a.png", ".hidden/b.png", "old.lic", "no-ending", "Thumbs.db"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    result = compress(tmp_path / "in", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert files_below(tmp_path / "out") == ["a.lic"]


def test_pictures_that_nobody_reads_are_passed_over_with_a_word(compress, tmp_path, caplog):
    photo_at(tmp_path / "in" / "a.png")
    for name in ("1.NEF", "2.nef", "deep/3.cr2"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    assert compress(tmp_path / "in", tmp_path / "out").exit_code == 0
    assert "files that end in .nef, and passes 2 over" in caplog.text
    assert "files that end in .cr2, and passes 1 over" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "library"),
    [
        ("IMG.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "pillow_heif"),
        ("x.jxl", b"\xff\x0a\0\0", "imagecodecs"),
    ],
)
def test_pictures_for_which_a_library_is_missing_are_named_with_it(
    compress, tmp_path, monkeypatch, name, content, library
):
    monkeypatch.setitem(sys.modules, library, None)  # Its import fails.
    photo_at(tmp_path / "in" / "a.png")
    (tmp_path / "in" / name).write_bytes(content)
    result = compress(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    assert name in result.stderr
    assert "keras-lic[formats]" in result.stderr
    assert files_below(tmp_path / "out") == ["a.lic"]


@pytest.fixture(scope="module")
def deep_codec(tmp_path_factory, loads_once):
    """A codec of 5 channels of 12 bits."""
    path = tmp_path_factory.mktemp("deep") / "deep.codec"
    lic.Codec(tiny_model("klt", "factorized", channels=5, latent_depth=40), bit_depth=12).save(path)
    return path


def test_many_channels_of_many_bits_go_there_and_back(compress, deep_codec, tmp_path):
    pixels = sample_image(5, 12)[:40, :50]
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.tif", pixels)
    write_image(tmp_path / "in" / "b.npy", pixels)
    result = compress("in", "streams", "--model", deep_codec, "--json", "-v")
    assert (result.exit_code, result.stderr) == (0, "")
    reports, codec = strict_json(result.stdout), lic.load(str(deep_codec))
    decoded = codec.decompress(codec.compress(pixels))
    assert {report["psnr"] for report in reports} == {psnr(pixels, decoded, 12)}
    result = CliRunner().invoke(app, ["decompress", "streams", "out", "--model", str(deep_codec)])
    assert result.exit_code == 0
    assert files_below(tmp_path / "out") == ["a.lic.tif", "b.lic.tif"]
    read = {"channels": 5, "bit_depth": 12}
    np.testing.assert_array_equal(read_samples(tmp_path / "out" / "a.lic.tif", **read), decoded)
    for name in ("named.npy", "-"):
        result = CliRunner().invoke(app, ["decompress", "streams/a.lic", name, "--model", str(deep_codec)])
        found = io.BytesIO(result.stdout_bytes) if name == "-" else tmp_path / name
        np.testing.assert_array_equal(read_samples(found, **read), decoded)


def test_what_a_codec_of_many_channels_does_not_take_is_refused(compress, deep_codec, photo, tmp_path):
    result = compress(photo, "--model", deep_codec)
    assert result.exit_code == 1
    assert "photo.png: the codec takes 5 channels, which TIFF and .npy files hold" in result.stderr
    write_image(tmp_path / "a.tif", sample_image(5, 12)[:9, :9])
    result = compress(tmp_path / "a.tif")
    assert result.exit_code == 1
    assert "it has 5 channels, none of them colours. Convert it" in result.stderr
    assert compress(tmp_path / "a.tif", "--model", deep_codec).exit_code == 0
    result = CliRunner().invoke(app, ["decompress", str(tmp_path / "a.lic"), "a.png", "--model", str(deep_codec)])
    assert result.exit_code == 1
    assert "a.png: the picture has 5 channels, PNG holds grey and colour" in result.stderr
    assert not (tmp_path / "a.png").exists()
