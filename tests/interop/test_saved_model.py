"""A codec as a SavedModel: its streams and images are the codec's, in this process and where `lic` is not."""

import subprocess
import sys

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Flag, Stream
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.interop import saved_model
from lic.interop.saved_model import export_saved_model
from tests.conftest import random_images, tiny_model
from tests.interop.test_stream import resealed

pytestmark = pytest.mark.skipif(coder_name() == "numba", reason="numba's coder cannot be served")
SIZES = [(1, 1), (17, 33)]
CODECS = {
    "deterministic": (
        "klt",
        "checkerboard",
        {"lmbda": (0.002, 0.02)},
        {"deterministic": True, "calibration": [random_images(48, 48, 3)]},
    ),
    "one rate": ("conv", "charm", {"num_slices": 2}, {}),
}
SERVE = """
import importlib, pathlib, sys
sys.modules["lic"] = None  # So that importing it fails.
import numpy as np
importlib.import_module(sys.argv[1])
import tensorflow as tf
for folder in map(pathlib.Path, sys.argv[2:]):
    served = tf.saved_model.load(folder / "served").signatures
    answers = {}
    for name, image in np.load(folder / "images.npz").items():
        quality = {"quality": tf.constant(1.5)} if (folder / "qualities").exists() else {}
        stream = served["compress"](image=tf.constant(image), **quality)["stream"]
        answers[f"{name} stream"] = np.frombuffer(stream.numpy(), np.uint8)
    for name, stream in np.load(folder / "streams.npz").items():
        answers[f"{name} image"] = served["decompress"](stream=tf.constant(stream.tobytes()))["image"].numpy()
    try:
        served["decompress"](stream=tf.constant(b"text"))
        raise AssertionError
    except tf.errors.InvalidArgumentError as error:
        assert "Not a stream of lic" in str(error)
    np.savez(folder / "answers.npz", **answers)
"""


def images():
    """An image of each size in colour and in grey, by name."""
    coloured = {f"{size} colour": random_images(*size, 3) for size in SIZES}
    return coloured | {f"{size} grey": random_images(*size, 1) for size in SIZES}


def codec_of(name):
    transform, entropy, sizes, options = CODECS[name]
    model = tiny_model(transform, entropy, **sizes)
    model.make_variables()
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(variable + random.normal(0, 0.05, variable.shape))
    return lic.Codec(model, **options)


def streams_of(codec):
    quality = {"quality": 1.5} if codec.qualities else {}
    return {
        key: codec.compress(image if image.shape[2] == 3 else image[..., 0], **quality)
        for key, image in images().items()
    }


def test_another_process_makes_and_reads_the_same_streams(tmp_path):
    codecs = {tmp_path / name: codec_of(name) for name in CODECS}
    streams = {folder: streams_of(codec) for folder, codec in codecs.items()}
    assert Stream.parse(streams[tmp_path / "deterministic"]["(1, 1) grey"]).flags == Flag(7)
    for folder, codec in codecs.items():
        export_saved_model(codec, folder / "served")
        np.savez(folder / "images.npz", **images())
        np.savez(folder / "streams.npz", **{k: np.frombuffer(v, np.uint8) for k, v in streams[folder].items()})
        if codec.qualities:
            (folder / "qualities").touch()
    arguments = [sys.executable, "-c", SERVE, coder_name(), *codecs]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    for folder, codec in codecs.items():
        answers = np.load(folder / "answers.npz")
        for key, stream in streams[folder].items():
            assert answers[f"{key} stream"].tobytes() == stream, (folder, key)
            expected = codec.decompress(stream)
            expected = expected if expected.ndim == 3 else expected[..., None]
            np.testing.assert_array_equal(answers[f"{key} image"], expected, err_msg=f"{folder} {key}")


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "factorized", lmbda=(0.002, 0.02)))


@pytest.fixture(scope="module")
def served(codec):
    """The codec as graphs, of this process."""
    return saved_model.Served(codec)


def compress(served, image, quality):
    return served.compress(tf.constant(image), tf.constant(quality, tf.float32))["stream"].numpy()


def decompress(served, stream):
    return served.decompress(tf.constant(stream))["image"].numpy()


def test_qualities_are_rounded_as_streams_carry_them(codec, served):
    image = random_images(20, 30, 3)
    for quality in (1, 1.1234, 2):
        stream = compress(served, image, quality)
        assert stream == codec.compress(image, quality=quality)
        np.testing.assert_array_equal(decompress(served, stream), codec.decompress(stream))


@pytest.mark.parametrize("quality", [0.9, 2.1, float("nan")])
def test_other_qualities_are_refused(served, quality):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected quality from 1 to 2. Received: "):
        compress(served, np.zeros((8, 8, 3), np.uint8), quality)


@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 0, 1), (8, 8, 4), (8, 8, 2)])
def test_what_is_no_image_is_refused(served, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected an image as uint8 .height, width, 3."):
        compress(served, np.zeros(shape, np.uint8), 1)


def test_damaged_and_foreign_streams_are_refused(codec, served):
    image = random_images(20, 30, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged or cut off"):
        decompress(served, codec.compress(image)[:-1])
    other = lic.Codec(tiny_model("klt", "factorized", lmbda=(0.002, 0.02)))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"by the codec {other.fingerprint.hex()}, this is"):
        decompress(served, other.compress(image))


def test_symbols_that_differ_are_refused_in_the_same_words(codec, served):
    stream = codec.compress(random_images(20, 30, 3))
    other = resealed(stream[:-8] + bytes([stream[-8] ^ 1]) + stream[-7:])
    with pytest.raises(lic.DesyncError) as expected:
        codec.decompress(other)
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        decompress(served, other)
    assert str(expected.value) in str(found.value).replace("\\'", "'")


@pytest.mark.parametrize("length", [0, 1, 7, 500])
def test_a_made_up_payload_is_refused(codec, served, length):
    head = codec.compress(random_images(20, 30, 3))[:14]
    with pytest.raises(tf.errors.InvalidArgumentError, match="decoded symbols differ"):
        decompress(served, resealed(head + np.random.default_rng(0).bytes(length) + bytes(8)))


def test_weights_that_diverged_are_refused():
    codec = lic.Codec(tiny_model("klt", "factorized"))
    for variable in codec.model.transform.analysis.trainable_variables:
        variable.assign(variable + float("inf"))
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not finite"):
        saved_model.Served(codec).compress(tf.zeros((8, 8, 3), tf.uint8))


def test_numba_cannot_be_served(codec, monkeypatch, tmp_path):
    monkeypatch.setattr(saved_model, "coder_name", lambda: "numba")
    with pytest.raises(lic.LicError, match="Export it on Python 3.10, 3.11 or 3.12"):
        export_saved_model(codec, tmp_path / "served")
    assert not (tmp_path / "served").exists()
