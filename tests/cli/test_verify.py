"""`lic verify`, and `--verify` of `lic compress`."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.codec.bitstream import Stream
from tests.conftest import random_images, tiny_model


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def streams(codec, tmp_path):
    """Two whole streams, one that is damaged and one of another codec, below a folder."""
    folder, ours = tmp_path / "streams", lic.load(str(codec))
    folder.mkdir()
    stream = ours.compress(random_images(20, 30, 3))
    (folder / "one.lic").write_bytes(stream)
    (folder / "two.lic").write_bytes(ours.compress(random_images(9, 30, 3)))
    (folder / "damaged.lic").write_bytes(stream[:-1] + bytes([stream[-1] ^ 1]))
    other = lic.Codec(tiny_model("conv", "factorized"))
    (folder / "other.lic").write_bytes(other.compress(random_images(9, 30, 3)))
    return folder


def test_whole_streams_are_verified_and_nothing_is_written(codec, streams):
    before = sorted(streams.iterdir())
    result = invoke("verify", "--model", codec, streams / "one.lic", streams / "two.lic")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [str(streams / "one.lic"), str(streams / "two.lic")]
    assert all(line.split("  ")[1].startswith("verified, ") for line in lines)
    assert sorted(streams.iterdir()) == before


def test_each_bad_one_is_named_and_the_others_go_on(codec, streams):
    result = invoke("verify", "--model", codec, streams)
    assert result.exit_code == 1
    assert result.stdout.count("verified") == 2
    damaged, other = sorted(line for line in result.stderr.splitlines() if line.startswith("lic:"))
    assert "damaged.lic: The stream is damaged or cut off" in damaged
    assert "other.lic: The stream was made by the codec" in other


def test_a_stream_that_decodes_to_other_symbols_is_named(codec, streams):
    stream = Stream.parse((streams / "one.lic").read_bytes())
    (streams / "one.lic").write_bytes(stream._replace(symbols_crc=stream.symbols_crc ^ 1).pack())
    result = invoke("verify", "--model", codec, streams / "one.lic")
    assert result.exit_code == 1
    assert "one.lic: The decoded symbols differ" in result.stderr


def test_report_as_json(codec, streams):
    result = invoke("verify", "--model", codec, "--json", streams / "one.lic", streams / "missing.lic")
    good, bad = json.loads(result.stdout)
    assert good == {
        "input": str(streams / "one.lic"),
        "verified": True,
        "bytes": (streams / "one.lic").stat().st_size,
    }
    assert "There is no file" in bad["error"]


def test_no_inputs_are_an_error(tmp_path):
    result = invoke("verify", tmp_path)
    assert result.exit_code == 2
    assert "no inputs found" in result.stderr


@pytest.fixture
def verified(monkeypatch):
    """A list of one value for each stream that was made: whether it was verified."""
    asked = []
    compress = lic.Codec.compress
    monkeypatch.setattr(
        lic.Codec,
        "compress",
        lambda self, image, **options: asked.append(options["verify"]) or compress(self, image, **options),
    )
    return asked


@pytest.mark.parametrize(
    ("count", "options", "expected"),
    [(1, [], False), (2, [], True), (1, ["--verify"], True), (2, ["--no-verify"], False)],
)
def test_many_files_are_verified_by_default(codec, tmp_path, verified, count, options, expected):
    for number in range(count):
        Image.fromarray(np.full((9, 9, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    result = invoke("compress", "--model", codec, *options, tmp_path, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert verified == [expected] * count
