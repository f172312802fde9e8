"""`lic info`."""

import json
import os
import re
import threading
import zipfile

import pytest
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.cli.standard_streams import printable
from lic.codec.bitstream import Flag, Stream
from lic.codec.shipped import codec_path
from lic.errors import BitstreamError, CheckpointError, LicError
from tests.cli.conftest import ODD_NAMES
from tests.conftest import DATA, random_images, tiny_model


@pytest.fixture(scope="module")
def tiny():
    return lic.Codec(tiny_model("klt", "hyperprior", lmbda=0.03), stored="float16")


@pytest.fixture(scope="module")
def codec_file(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "tiny.codec"
    tiny.save(path)
    return path


def info(*arguments):
    """Runs the command; the errors of `lic` pass through the app, and `main` prints them."""
    return CliRunner().invoke(app, ["info", *map(str, arguments)], catch_exceptions=False)


def facts(path):
    return json.loads(info(path, "--json").stdout)


def test_stream_is_described(stream_file):
    size = stream_file.stat().st_size
    assert facts(stream_file) == {
        "kind": "stream",
        "version": 1,
        "codec": "01020304",
        "height": 300,
        "width": 20,
        "grey": False,
        "deterministic": False,
        "quality": None,
        "quality map": None,
        "bytes": size,
        "bpp": round(8 * size / 6000, 4),
    }


def test_stream_of_a_codec_is_described(tiny, tmp_path):
    (tmp_path / "grey.lic").write_bytes(tiny.compress(random_images(20, 30, 3)[..., 0]))
    found = facts(tmp_path / "grey.lic")
    shape = (found["height"], found["width"], found["grey"])
    assert (found["codec"], shape) == (tiny.fingerprint.hex(), (20, 30, True))


def test_grey_is_one_flag_of_several(tmp_path):
    stream = Stream(b"\1\2\3\4", 3, 2, b"", 5, Flag.GREY | Flag.DETERMINISTIC, quality=0.5)
    (tmp_path / "grey.lic").write_bytes(stream.pack())
    found = facts(tmp_path / "grey.lic")
    assert (found["grey"], found["deterministic"], found["quality"]) == (True, True, 0.5)


def test_codec_of_several_rates_lists_their_lmbda(tmp_path):
    lic.Codec(tiny_model("klt", "factorized", lmbda=(0.01, 0.03))).save(tmp_path / "rates.codec")
    assert facts(tmp_path / "rates.codec")["lmbda"] == [0.01, 0.03]


def test_codec_file_is_described(tiny, codec_file):
    assert facts(codec_file) == {
        "kind": "codec",
        "fingerprint": tiny.fingerprint.hex(),
        "stored": "float16",
        "transform": "klt",
        "entropy model": "hyperprior",
        "likelihood": "normal",
        "channels": 3,
        "deterministic": False,
        "skip below": None,
        "bits": 8,
        "lmbda": 0.03,
        "made by": f"lic {lic.__version__}",
        "bytes": codec_file.stat().st_size,
    }


def test_what_a_codec_skips_and_whether_it_is_deterministic_is_listed(tmp_path):
    lic.Codec(tiny_model("klt", "hyperprior"), skip_below=0.2).save(tmp_path / "skips.codec")
    assert facts(tmp_path / "skips.codec")["skip below"] == 0.2
    assert facts(codec_path("default"))["deterministic"] is True


def test_table_has_one_line_for_each_fact(stream_file):
    lines = [re.split(" {2,}", line, maxsplit=1) for line in info(stream_file).stdout.splitlines()]
    assert lines == [[name, str(value)] for name, value in facts(stream_file).items()]


def test_name_does_not_matter(stream_file, codec_file, tmp_path):
    (tmp_path / "a.png").write_bytes(stream_file.read_bytes())
    (tmp_path / "b.lic").write_bytes(codec_file.read_bytes())
    assert facts(tmp_path / "a.png")["kind"] == "stream"
    assert facts(tmp_path / "b.lic")["kind"] == "codec"


@pytest.mark.parametrize("name", ["grey.png", "text-named.png", "empty.jpg"])
def test_other_file_is_refused(name):
    with pytest.raises(LicError, match=name):
        info(DATA / "odd" / name)


@pytest.mark.parametrize("name", ["absent.lic", "folder"])
def test_unreadable_files_are_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(LicError, match=name):
        info(tmp_path / name)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:8], lambda data: data + b"x"])
def test_damaged_stream_is_refused(stream_file, damage):
    stream_file.write_bytes(damage(stream_file.read_bytes()))
    with pytest.raises(BitstreamError):
        info(stream_file)


def test_damaged_codec_file_is_refused(codec_file, tmp_path):
    (tmp_path / "half.codec").write_bytes(codec_file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"half\.codec"):
        info(tmp_path / "half.codec")


@pytest.mark.parametrize(
    "damage",
    [
        {"config": {}},
        {"config": {"transform": "klt", "entropy": {}, "lmbda": 1}},
        {"config": {"transform": {"name": 3, "config": {}}, "entropy": {"name": "x", "config": {}}, "lmbda": 1}},
        {"fingerprint": 0},
        {"fingerprint": "no digits"},
    ],
)
def test_codec_file_whose_text_is_damaged_is_refused(codec_file, tmp_path, damage):
    with zipfile.ZipFile(codec_file) as archive, zipfile.ZipFile(tmp_path / "damaged.codec", "w") as damaged:
        for name in archive.namelist():
            content = archive.read(name)
            damaged.writestr(name, json.dumps(json.loads(content) | damage) if name == "codec.json" else content)
    with pytest.raises(CheckpointError, match="damaged codec file"):
        info(tmp_path / "damaged.codec")
    with pytest.raises(CheckpointError):
        lic.load(tmp_path / "damaged.codec")


@pytest.mark.parametrize(
    "text", ["{}", "[]", "no JSON", '{"format": 1}', '{"format": 1, "config": {}}', '{"format": 99}']
)
def test_zip_that_is_no_codec_file_is_refused(tmp_path, text):
    with zipfile.ZipFile(tmp_path / "strange.codec", "w") as archive:
        archive.writestr("codec.json", text)
    with pytest.raises(CheckpointError, match=r"strange\.codec"):
        info(tmp_path / "strange.codec")


def test_zip_of_other_things_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "strange.codec", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"strange\.codec"):
        info(tmp_path / "strange.codec")


def test_no_file_is_a_wrong_use():
    assert info().exit_code == 2


def test_standard_input_and_pipes_are_described(stream_file, codec_file, tmp_path):
    for path, kind in ((stream_file, "stream"), (codec_file, "codec")):
        result = CliRunner().invoke(app, ["info", "-", "--json"], input=path.read_bytes())
        assert json.loads(result.stdout) == facts(path)
        assert facts(path)["kind"] == kind
        pipe = tmp_path / f"{kind}-pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(path.read_bytes(),))
        writer.start()
        assert facts(pipe) == facts(path)
        writer.join()


@pytest.mark.parametrize("data", [b"", b"text"])
def test_standard_input_that_is_neither_is_named(data):
    with pytest.raises(LicError, match="[Tt]he standard input"):
        CliRunner().invoke(app, ["info", "-"], input=data, catch_exceptions=False)


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_names_of_any_bytes_are_described_and_named(stream_file, tmp_path, monkeypatch, run, name):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(stream_file.read_bytes())
    code, out, err = run("info", path)
    assert (code, err) == (0, "")
    path.write_bytes(b"text")
    code, out, err = run("info", path)
    assert (code, out) == (1, "")
    assert err == f"lic: {printable(str(path))} is neither a .lic stream nor a .codec file.\n"
    code, out, err = run("info", tmp_path)
    assert code == 1
    assert err.endswith("Is a directory.\n")
