"""Portable codecs: what the folder's own reader decodes, against what lic decodes."""

import decimal
import importlib.util
import io
import os
import pathlib
import shutil
import subprocess
import sys
import venv
import zlib

import numpy as np
import pytest
from PIL import Image

import lic
from lic.codec.bitstream import MAX_PIXELS, Flag, Stream
from lic.environment import KERAS_3
from lic.interop.portable import export_portable
from lic.training import start_scales
from tests.conftest import random_images, slow_but, tiny_model

if KERAS_3:
    pytest.skip("tf2onnx supports TensorFlow 2.14 only", allow_module_level=True)
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
from lic.interop.portable import decode

TWO_RATES = {"lmbda": (0.002, 0.02)}
CODECS = {
    "klt+checkerboard": lambda: tiny_model("klt", "checkerboard", **TWO_RATES),
    "depthwise klt+checkerboard": lambda: tiny_model("klt", "checkerboard", block="depthwise", **TWO_RATES),
    "conv+charm": lambda: tiny_model("conv", "charm", **TWO_RATES),
    "conv+quadtree": lambda: tiny_model("conv", "quadtree"),
    "klt+dual": lambda: tiny_model("klt", "dual", likelihood="logistic"),
    "conv+factorized": lambda: tiny_model("conv", "factorized", **TWO_RATES),
    "klt+hyperprior": lambda: tiny_model("klt", "hyperprior", likelihood="laplace"),
    "predicted scales": lambda: tiny_model("klt", "hyperprior", predicted_scale=True),
    "residual+space-channel": lambda: tiny_model("residual", "space-channel", hyper="conv"),
}
SIZES = [(1, 1), (50, 70), (64, 33)]


@pytest.fixture(scope="module", params=slow_but(CODECS, "klt+checkerboard"))
def both(request, tmp_path_factory):
    """A deterministic codec, and the module decode.py and its codec from the folder that it was exported to."""
    codec = lic.Codec(CODECS[request.param](), deterministic=True)
    export_portable(codec, folder := tmp_path_factory.mktemp("portable"))
    reader = _reader(folder)
    return codec, reader, reader.Codec(folder)


def _reader(folder):
    spec = importlib.util.spec_from_file_location("decode_of_folder", folder / "decode.py")
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    return reader


def _streams(codec):
    qualities = (1, 1.5, 2) if codec.qualities else (None,)
    for size in SIZES:
        for image in (random_images(*size, 3), random_images(*size, 1)[..., 0]):
            yield from (codec.compress(image, quality=quality) for quality in qualities)
            if codec.qualities:
                yield codec.compress(image, quality=[[1, 1.5], [2, 1]])


def test_it_decodes_the_same_symbols_and_pixels(both):
    codec, _, portable = both
    for stream in _streams(codec):
        decoded, expected = portable.decode(stream), codec.decompress(stream)  # Both check the symbols.
        assert (decoded.dtype, decoded.shape) == (np.uint8, expected.shape)
        assert np.abs(decoded.astype(int) - expected).max() <= 1


def test_what_is_no_stream_of_it_is_refused(both):
    codec, reader, portable = both
    stream = codec.compress(random_images(50, 70, 3))
    ordinary = lic.Codec(codec.model).compress(random_images(50, 70, 3))
    parsed = Stream.parse(stream)
    cases = [
        (b"no stream of lic at all", reader.StreamError, "Not a stream"),
        (stream[:12], reader.StreamError, "cut off"),
        (stream[:-1], reader.StreamError, "its checksum does not fit"),
        (stream[:30] + bytes([stream[30] ^ 1]) + stream[31:], reader.StreamError, "its checksum does not fit"),
        (ordinary, reader.StreamError, "ordinary stream. Only those of `lic compress --deterministic`"),
        (parsed._replace(fingerprint=b"abcd").pack(), reader.WrongModelError, "the codec 61626364, this is"),
        (parsed._replace(height=MAX_PIXELS, width=2).pack(), reader.StreamError, f"over {MAX_PIXELS}"),
        (parsed._replace(height=9000, width=9000).pack(), reader.StreamError, "too short for the size"),
        (parsed._replace(symbols_crc=1).pack(), reader.DesyncError, "differ from those that were coded"),
        (parsed._replace(quality=None if parsed.quality else 1.0).pack(), reader.StreamError, "never writes"),
        (parsed._replace(quality_map=b"").pack(), reader.StreamError, "quality map|never writes"),
        (parsed._replace(quality_map=b"\xff" * 9).pack(), reader.StreamError, "quality map|never writes"),
        (_with(stream, 5, 64), reader.StreamError, "unknown flags"),
        (_with(stream, 4, 9), reader.StreamError, "format version 9"),
    ]
    for data, kind, words in cases:
        with pytest.raises(kind, match=words):
            portable.decode(data)


def _with(stream, place, byte):
    changed = bytearray(stream)
    changed[place] |= byte
    changed[place] = byte if place == 4 else changed[place]
    return bytes(changed[:-4]) + zlib.crc32(bytes(changed[:-4])).to_bytes(4, "little")


def test_damaged_symbols_are_an_error_of_the_reader(both):
    codec, reader, portable = both
    parsed, random = Stream.parse(codec.compress(random_images(50, 70, 3))), np.random.default_rng(0)
    for _ in range(20):
        payload = bytearray(parsed.payload)
        for place in random.integers(0, len(payload), 3):
            payload[place] ^= int(random.integers(1, 256))
        with pytest.raises(reader.DesyncError):
            portable.decode(parsed._replace(payload=bytes(payload)).pack())


def test_skipped_numbers_are_read_as_they_were_written(tmp_path):
    model, image = tiny_model("klt", "checkerboard"), random_images(40, 60, 3)
    start_scales(model, image[None])  # So that channels have scales of their own.
    scales = lic.inspect(lic.Codec(model), image)["anchors"].scales
    limit = float(np.median(scales[scales > 0]))
    codec = lic.Codec(model, deterministic=True, skip_below=limit)
    assert np.mean(scales[scales > 0] < limit) > 0.2
    export_portable(codec, tmp_path)
    stream = codec.compress(image)
    decoded = _reader(tmp_path).Codec(tmp_path).decode(stream)
    assert np.abs(decoded.astype(int) - codec.decompress(stream)).max() <= 1


def test_the_command_writes_a_png_without_tensorflow(both, tmp_path):
    codec, reader, _ = both
    folder = pathlib.Path(reader.__file__).parent
    for name, image in (("colour", random_images(37, 50, 3)), ("grey", random_images(37, 50, 1)[..., 0])):
        stream = codec.compress(image)
        (tmp_path / f"{name}.lic").write_bytes(stream)
        arguments = [str(tmp_path / f"{name}.lic"), str(tmp_path / f"{name}.png")]
        run = f"import runpy, sys; sys.modules.update(tensorflow=None, lic=None); sys.argv[1:] = {arguments}; "
        run += f"runpy.run_path({str(folder / 'decode.py')!r}, run_name='__main__')"
        subprocess.run([sys.executable, "-I", "-c", run], check=True)
        again = subprocess.run([sys.executable, "-I", "-c", run], capture_output=True, text=True)
        assert (again.returncode, again.stderr.strip()) == (1, f"decode.py: {tmp_path / name}.png: File exists")
        with Image.open(tmp_path / f"{name}.png") as written:
            assert written.mode == ("L" if name == "grey" else "RGB")
            assert np.abs(np.asarray(written).astype(int) - codec.decompress(stream)).max() <= 1


@pytest.mark.parametrize(("shape", "mode"), [((5, 7), "L"), ((5, 7, 1), "L"), ((5, 7, 3), "RGB"), ((3, 3), "L")])
def test_pictures_of_every_shape_are_whole_png_files(shape, mode):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with Image.open(io.BytesIO(decode.png(image))) as written:
        assert written.mode == mode
        np.testing.assert_array_equal(np.asarray(written), image.squeeze())


def test_gains_do_not_depend_on_how_a_program_sets_up_decimals(monkeypatch):
    logs = np.random.default_rng(0).normal(0, 0.3, (3, 2, 5)).tolist()
    expected = decode.exact_gains(logs, 1.25)
    monkeypatch.setitem(decimal.DefaultContext.traps, decimal.Inexact, True)
    np.testing.assert_array_equal(decode.exact_gains(logs, 1.25), expected)


@pytest.mark.slow
def test_it_needs_numpy_and_onnxruntime_only(tmp_path):
    codec = lic.load("default", deterministic=True)
    export_portable(codec, tmp_path / "portable")
    (tmp_path / "photo.lic").write_bytes(stream := codec.compress(random_images(100, 120, 3), quality=3))
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "numpy", "onnxruntime"]
    subprocess.run(pip, check=True)
    command = [python, "portable/decode.py", "photo.lic", "photo.png"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    written = np.asarray(Image.open(tmp_path / "photo.png")).astype(int)
    assert np.abs(written - codec.decompress(stream)).max() <= 1
    failed = subprocess.run([*command[:2], "none.lic", "x.png"], cwd=tmp_path, env=environment, capture_output=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"decode.py: ")
    assert len(failed.stderr.splitlines()) == 1
    shutil.rmtree(tmp_path / "bare")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lic.Codec(tiny_model("klt", "hyperprior")), "deterministic=True"),
        (lambda: lic.Codec(tiny_model("conv", "factorized", channels=4), deterministic=True), "4 channels of 8 bits"),
        (
            lambda: lic.Codec(tiny_model("klt", "hyperprior", likelihood="normal-mixture"), deterministic=True),
            "NormalMixture .* makes mixtures",
        ),
        (
            lambda: lic.Codec(tiny_model("klt", "autoregressive"), deterministic=True),
            "in the order '.*', whose number of steps depends on the size of the image. Take another",
        ),
    ],
)
def test_other_codecs_are_refused_by_what_is_missing(make, words, tmp_path):
    with pytest.raises(lic.LicError, match=words):
        export_portable(make(), tmp_path)


def test_flags_are_those_of_streams(both):
    _, reader, _ = both
    assert (reader._GREY, reader._DETERMINISTIC, reader._QUALITY) == (Flag.GREY, Flag.DETERMINISTIC, Flag.QUALITY)
    assert sum(Flag) == reader._GREY | reader._DETERMINISTIC | reader._QUALITY | reader._QUALITY_MAP
