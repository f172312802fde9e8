"""`lic decompress`."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.images import read_image
from tests.conftest import DATA, random_images, tiny_model

ODD = DATA / "odd"
BROKEN = {"empty.jpg", "text-named.png", "truncated.jpg", "truncated.png"}
READABLE = sorted({path.name for path in ODD.iterdir()} - BROKEN)
TAKE_ALL = {"background": "white", "to_8_bit": True, "frame": 0}


@pytest.fixture
def decompress(codec, tmp_path, monkeypatch):
    """Runs the command in an empty folder; afterwards no partial file may be there."""
    monkeypatch.chdir(tmp_path)
    yield lambda *paths, **options: CliRunner().invoke(
        app, ["decompress", "--model", str(codec), *map(str, paths)], **options
    )
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture
def stream_at(codec, tmp_path):
    """Writes the stream of a random image to a path below the empty folder."""

    def make(name="photo.lic", shape=(20, 30, 3), seed=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = random_images(*shape[:2], 3, seed=seed)
        path.write_bytes(lic.load(str(codec)).compress(image if len(shape) == 3 else image[..., 0]))
        return path

    return make


def png_of(stream):
    return stream.with_name(f"{stream.name}.png")


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_png_is_put_beside_the_stream(decompress, stream_at):
    stream = stream_at()
    result = decompress(stream)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{stream} -> {png_of(stream)}\n"
    with Image.open(png_of(stream)) as image:
        assert (image.format, image.size) == ("PNG", (30, 20))


def test_png_has_the_pixels_that_the_library_gives(decompress, codec, stream_at):
    stream = stream_at()
    decompress(stream)
    expected = lic.load(str(codec)).decompress(stream.read_bytes())
    np.testing.assert_array_equal(read_image(png_of(stream)), expected)


@pytest.mark.parametrize("parts", [0, 1])
def test_the_first_parts_alone_are_a_preview(decompress, codec, stream_at, parts):
    stream = stream_at()
    assert decompress(stream, "--parts", parts).exit_code == 0
    expected = lic.load(str(codec)).decompress(stream.read_bytes(), parts=parts)
    np.testing.assert_array_equal(read_image(stream.with_name(f"photo.lic.parts{parts}.png")), expected)


@pytest.mark.parametrize("parts", ["-1", "two", "99"])
def test_a_wrong_number_of_parts_is_a_wrong_use(decompress, stream_at, parts):
    result = decompress(stream_at(), "--parts", parts)
    assert result.exit_code == 2
    assert "--parts" in result.stderr


@pytest.mark.parametrize(("ending", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("bmp", "BMP"), ("tiff", "TIFF")])
@pytest.mark.parametrize("option", [(), ("--out",)])
def test_the_ending_of_the_output_gives_the_format(decompress, stream_at, tmp_path, ending, kind, option):
    assert decompress(stream_at(), *option, tmp_path / "new" / f"out.{ending}").exit_code == 0
    with Image.open(tmp_path / "new" / f"out.{ending}") as image:
        assert (image.format, image.size) == (kind, (30, 20))


@pytest.mark.parametrize("name", ["out.xyz", "out.psd"])
def test_output_of_no_image_format_is_refused(decompress, stream_at, tmp_path, name):
    result = decompress(stream_at(), "--out", tmp_path / name)
    assert result.exit_code == 1
    assert name in result.stderr
    assert files_below(tmp_path) == ["photo.lic"]


@pytest.mark.parametrize("option", [(), ("--out",)])
def test_output_may_be_a_folder(decompress, stream_at, tmp_path, option):
    (tmp_path / "out").mkdir()
    assert decompress(stream_at(), *option, tmp_path / "out").exit_code == 0
    assert files_below(tmp_path) == ["out/photo.lic.png", "photo.lic"]


@pytest.mark.parametrize("option", [(), ("--out",)])
def test_folder_is_decoded_into_a_folder_of_the_same_structure(decompress, stream_at, tmp_path, option):
    stream_at("in/a.lic"), stream_at("in/deep/b.lic")
    (tmp_path / "in" / "photo.png").write_bytes(b"passed over")
    assert decompress(tmp_path / "in", *option, tmp_path / "out").exit_code == 0
    assert files_below(tmp_path / "out") == ["a.lic.png", "deep/b.lic.png"]


def test_several_streams_are_decoded(decompress, stream_at, tmp_path):
    streams = [stream_at(name, seed=seed) for seed, name in enumerate(["a.lic", "b.lic"])]
    assert decompress(*streams).exit_code == 0
    assert files_below(tmp_path) == ["a.lic", "a.lic.png", "b.lic", "b.lic.png"]


def test_names_from_a_collision_are_kept_apart(decompress, stream_at, tmp_path):
    streams = [stream_at(name) for name in ("rgb.bmp.lic", "rgb.tiff.lic")]
    assert decompress(*streams, "--out", tmp_path / "out").exit_code == 0
    assert files_below(tmp_path / "out") == ["rgb.bmp.lic.png", "rgb.tiff.lic.png"]


def test_image_that_exists_is_kept_without_force(decompress, stream_at, tmp_path):
    (tmp_path / "photo.lic.png").write_bytes(b"old")
    result = decompress(stream_at())
    assert result.exit_code == 1
    assert "photo.lic.png" in result.stderr
    assert "--force" in result.stderr
    assert (tmp_path / "photo.lic.png").read_bytes() == b"old"


def test_image_that_exists_is_replaced_with_force(decompress, stream_at, tmp_path):
    (tmp_path / "photo.lic.png").write_bytes(b"old")
    assert decompress(stream_at(), "--force").exit_code == 0
    assert read_image(tmp_path / "photo.lic.png").shape == (20, 30, 3)


def test_stream_of_another_model_is_refused(decompress, codec, stream_at, tmp_path):
    other = lic.Codec(tiny_model("klt", "hyperprior", lmbda=0.02))
    path = tmp_path / "other.lic"
    path.write_bytes(other.compress(random_images(20, 30, 3)))
    result = decompress(path)
    assert result.exit_code == 1
    for part in ("other.lic", other.fingerprint.hex(), lic.load(str(codec)).fingerprint.hex()):
        assert part in result.stderr
    assert files_below(tmp_path) == ["other.lic"]


def damage_middle(data):
    return data[:20] + bytes([data[20] ^ 1]) + data[21:]


@pytest.mark.parametrize(
    "damage", [damage_middle, lambda data: data[:-3], lambda data: data[:7], lambda data: b"", lambda data: b"text"]
)
def test_damaged_stream_is_refused(decompress, stream_at, tmp_path, damage):
    stream = stream_at()
    stream.write_bytes(damage(stream.read_bytes()))
    result = decompress(stream)
    assert result.exit_code == 1
    assert "photo.lic" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert files_below(tmp_path) == ["photo.lic"]


def test_one_damaged_stream_stops_no_other(decompress, stream_at, tmp_path):
    streams = [stream_at(name) for name in ("a.lic", "bad.lic", "c.lic")]
    streams[1].write_bytes(damage_middle(streams[1].read_bytes()))
    result = decompress(*streams)
    assert result.exit_code == 1
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a.lic.png", "c.lic.png"]
    assert "bad.lic" in result.stderr


def test_a_missing_stream_is_an_error(decompress, tmp_path):
    result = decompress(tmp_path / "absent.lic")
    assert result.exit_code == 1
    assert "absent.lic" in result.stderr


def test_folder_without_streams_is_a_wrong_use(decompress, tmp_path):
    (tmp_path / "in").mkdir()
    assert decompress(tmp_path / "in").exit_code == 2


def test_no_paths_are_a_wrong_use(decompress):
    assert decompress().exit_code == 2


@pytest.mark.parametrize(("shape", "grey"), [((20, 30, 3), False), ((20, 30), True)])
def test_json_holds_the_shape(decompress, stream_at, shape, grey):
    stream = stream_at(shape=shape)
    (report,) = json.loads(decompress(stream, "--json").stdout)
    target = str(png_of(stream))
    assert report == {"input": str(stream), "output": target, "height": 20, "width": 30, "grey": grey}


def test_verbose_prints_bpp_and_seconds(decompress, stream_at):
    stream = stream_at()
    printed = decompress(stream, "--verbose").stdout
    assert f"  {8 * stream.stat().st_size / 600:.4f} bpp, " in printed
    assert re.search(r", \d+\.\d\d s$", printed.rstrip())


def test_grey_stays_grey_in_a_format_with_colour(decompress, stream_at, tmp_path):
    assert decompress(stream_at(shape=(20, 30)), tmp_path / "out.jpg").exit_code == 0
    assert read_image(tmp_path / "out.jpg").shape == (20, 30)


def test_the_original_is_never_in_the_way(decompress, stream_at, tmp_path):
    for name in ("photo.png", "out/photo.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"the original")
    stream = stream_at()
    for arguments in ((), (tmp_path / "out",), ("--parts", 1), ("--parts", 0), ("--force",)):
        assert decompress(stream, *arguments).exit_code == 0
    for name in ("photo.png", "out/photo.png"):
        assert (tmp_path / name).read_bytes() == b"the original"


def test_standard_input_goes_to_standard_output(decompress, codec, stream_at):
    stream = stream_at()
    for arguments in (("-",), ("-", "-"), (stream, "-")):
        result = decompress(*arguments, input=stream.read_bytes())
        assert (result.exit_code, result.stderr) == (0, "")
        with Image.open(io.BytesIO(result.stdout_bytes)) as image:
            expected = lic.load(str(codec)).decompress(stream.read_bytes())
            np.testing.assert_array_equal(np.asarray(image), expected)


def test_standard_input_goes_to_a_file(decompress, stream_at, tmp_path):
    assert decompress("-", tmp_path / "new" / "a.tiff", input=stream_at().read_bytes()).exit_code == 0
    assert read_image(tmp_path / "new" / "a.tiff").shape == (20, 30, 3)


@pytest.mark.parametrize("data", [b"", b"text", b"\x93LIC"])
def test_standard_input_without_a_stream_is_an_error(decompress, tmp_path, data):
    result = decompress("-", tmp_path / "a.png", input=data)
    assert result.exit_code == 1
    assert "the standard input" in result.stderr.lower()
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("options", [(), ("--force",), ("--skip-existing",)])
def test_an_image_is_no_stream(decompress, tmp_path, options):
    Image.fromarray(random_images(9, 9, 3)).save(tmp_path / "photo.png")
    result = decompress(tmp_path / "photo.png", *options)
    assert result.exit_code == 1
    assert "photo.png: Not a stream of lic" in result.stderr
    assert files_below(tmp_path) == ["photo.png"]


@pytest.mark.parametrize("name", ["x.ico", "x.icns", "x.gif", "x.pdf", "x.pgm", "x.eps", "x.pcx", "x", "x.heic"])
def test_a_format_that_does_not_hold_the_picture_is_refused(decompress, stream_at, tmp_path, name):
    result = decompress(stream_at(), tmp_path / name)
    assert result.exit_code == 1
    assert name in result.stderr
    assert files_below(tmp_path) == ["photo.lic"]


def test_a_grey_picture_goes_where_a_colour_one_does_not(decompress, codec, stream_at, tmp_path):
    stream = stream_at(shape=(20, 30))
    assert decompress(stream, tmp_path / "out.pgm").exit_code == 0
    expected = lic.load(str(codec)).decompress(stream.read_bytes())
    np.testing.assert_array_equal(read_image(tmp_path / "out.pgm"), expected)


def test_jpeg_has_the_quality_that_is_asked_for(decompress, stream_at, tmp_path):
    stream, sizes = stream_at(shape=(64, 64, 3)), []
    for quality in (50, 95, 100):
        assert decompress(stream, tmp_path / f"{quality}.jpg", "--jpeg-quality", quality).exit_code == 0
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes == sorted(sizes)
    decompress(stream, tmp_path / "default.jpg")
    assert (tmp_path / "default.jpg").read_bytes() == (tmp_path / "95.jpg").read_bytes()
    for quality in ("0", "101", "best"):
        assert decompress(stream, tmp_path / "wrong.jpg", "--jpeg-quality", quality).exit_code == 2


def test_the_same_folder_once_more_skips_what_is_done(decompress, stream_at, tmp_path):
    stream_at("in/a.lic"), stream_at("in/B.LIC")
    assert decompress(tmp_path / "in", tmp_path / "out").exit_code == 0
    assert files_below(tmp_path / "out") == ["B.LIC.png", "a.lic.png"]
    assert decompress(tmp_path / "in", tmp_path / "out").exit_code == 1
    result = decompress(tmp_path / "in", tmp_path / "out", "--skip-existing")
    assert (result.exit_code, result.stdout.count("skipped, since it exists")) == (0, 2)


@pytest.fixture(scope="module")
def there_and_back(codec, tmp_path_factory):
    """The folder of odd files, compressed and decoded at once."""
    folder = tmp_path_factory.mktemp("there-and-back")
    options = ["--background", "white", "--to-8-bit", "--frame", "0"]
    there = ["compress", str(ODD), str(folder / "streams"), "--model", str(codec), *options]
    assert CliRunner().invoke(app, there).exit_code == 1  # For the broken files.
    back = ["decompress", str(folder / "streams"), str(folder / "images"), "--model", str(codec)]
    assert CliRunner().invoke(app, back).exit_code == 0
    return folder / "images"


def decoded_name(name):
    return f"{name}.lic.png" if name.startswith(("rgb.", "truncated.")) else f"{name.rsplit('.', 1)[0]}.lic.png"


def test_only_readable_files_come_back(there_and_back):
    assert files_below(there_and_back) == sorted(map(decoded_name, READABLE))


@pytest.mark.parametrize("name", READABLE)
def test_file_comes_back_in_its_shape(there_and_back, name):
    source = read_image(ODD / name, **TAKE_ALL)
    decoded = read_image(there_and_back / decoded_name(name))
    assert decoded.shape == source.shape
    # The untrained block transform is a poor codec but no noise.
    assert np.abs(decoded.astype(float) - source).mean() < 40
