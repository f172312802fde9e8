"""A codec as a SavedModel: its streams and images are the codec's, in this process and where `lic` is not."""

import subprocess
import sys

import numpy as np
import pytest

import lic
from lic.codec.stream import Flag, Stream
from lic.entropy.range_coder import coder_name
from lic.environment import tf
from lic.export import saved_model
from lic.export.saved_model import export_saved_model
from tests.conftest import random_images, tiny_model
from tests.export.test_stream import resealed

pytestmark = pytest.mark.skipif(coder_name() == "numba", reason="numba's coder cannot be served")
SIZES = [(1, 1), (17, 33), (64, 80)]
CODECS = {
    "checkerboard": ("klt", "checkerboard", {"lmbda": (0.002, 0.02)}, {}),
    "deterministic": (
        "klt",
        "checkerboard",
        {"lmbda": (0.002, 0.02)},
        {"deterministic": True, "calibration": [random_images(48, 48, 3)]},
    ),
    "charm": ("conv", "charm", {"num_slices": 2}, {}),
    "swin": ("swin", "hyperprior", {"depths": (2, 1, 1, 1), "hyper_depths": (1, 1)}, {}),
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
    np.savez(folder / "answers.npz", **answers)
"""


def images():
    """An image of each size in colour and in grey, by name."""
    coloured = {f"{size} colour": random_images(*size, 3) for size in SIZES}
    return coloured | {f"{size} grey": random_images(*size, 1) for size in SIZES}


@pytest.fixture(scope="module")
def codecs():
    made = {}
    for name, (transform, entropy, sizes, options) in CODECS.items():
        model = tiny_model(transform, entropy, **sizes)
        model.make_variables()
        random = np.random.default_rng(0)
        for variable in model.trainable_variables:
            variable.assign(variable + random.normal(0, 0.05, variable.shape))
        made[name] = lic.Codec(model, **options)
    return made


@pytest.fixture(scope="module")
def folders(codecs, tmp_path_factory):
    """For each codec a folder with it as a SavedModel."""
    top = tmp_path_factory.mktemp("served")
    for name, codec in codecs.items():
        export_saved_model(codec, top / name / "served")
    return {name: top / name for name in codecs}


@pytest.fixture(scope="module")
def served(folders):
    return tf.saved_model.load(folders["checkerboard"] / "served").signatures


def decompress(served, stream):
    return served["decompress"](stream=tf.constant(stream))["image"].numpy()


def test_another_process_makes_and_reads_the_same_streams(codecs, folders):
    streams = {}
    for name, codec in codecs.items():
        quality = {"quality": 1.5} if codec.qualities else {}
        streams[name] = {
            key: codec.compress(image if image.shape[2] == 3 else image[..., 0], **quality)
            for key, image in images().items()
        }
        np.savez(folders[name] / "images.npz", **images())
        np.savez(folders[name] / "streams.npz", **{k: np.frombuffer(v, np.uint8) for k, v in streams[name].items()})
        if codec.qualities:
            (folders[name] / "qualities").touch()
    arguments = [sys.executable, "-c", SERVE, coder_name(), *folders.values()]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-3000:]
    for name, codec in codecs.items():
        answers = np.load(folders[name] / "answers.npz")
        for key, stream in streams[name].items():
            assert answers[f"{key} stream"].tobytes() == stream, (name, key)
            expected = codec.decompress(stream)
            expected = expected if expected.ndim == 3 else expected[..., None]
            np.testing.assert_array_equal(answers[f"{key} image"], expected, err_msg=f"{name} {key}")


def test_flags_are_the_codecs(codecs, folders):
    stream = np.load(folders["deterministic"] / "streams.npz")["(17, 33) grey"].tobytes()
    assert Stream.parse(stream).flags == Flag.GREY | Flag.DETERMINISTIC | Flag.QUALITY


def test_qualities_are_rounded_as_streams_carry_them(codecs, served):
    image = random_images(20, 30, 3)
    for quality in (1, 1.1234, 2):
        stream = served["compress"](image=tf.constant(image), quality=tf.constant(quality, tf.float32))["stream"]
        assert stream.numpy() == codecs["checkerboard"].compress(image, quality=quality)


@pytest.mark.parametrize("quality", [0.9, 2.1, float("nan")])
def test_other_qualities_are_refused(served, quality):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected quality from 1 to 2. Received: "):
        served["compress"](image=tf.zeros((8, 8, 3), tf.uint8), quality=tf.constant(quality))


@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 0, 1), (8, 8, 4), (8, 8, 2)])
def test_what_is_no_image_is_refused(served, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected an image as uint8 .height, width, 3."):
        served["compress"](image=tf.zeros(shape, tf.uint8), quality=tf.constant(1.0))


def test_damaged_and_foreign_streams_are_refused(codecs, served):
    image = random_images(20, 30, 3)
    stream = codecs["checkerboard"].compress(image)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged or cut off"):
        decompress(served, stream[:-1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="made by the codec .* this is "):
        decompress(served, codecs["charm"].compress(image))
    with pytest.raises(tf.errors.InvalidArgumentError, match="made by the codec .* this is "):
        decompress(served, codecs["deterministic"].compress(image))


def test_symbols_that_differ_are_refused_in_the_same_words(codecs, served):
    stream = codecs["checkerboard"].compress(random_images(20, 30, 3))
    other = resealed(stream[:-8] + bytes([stream[-8] ^ 1]) + stream[-7:])
    with pytest.raises(lic.DesyncError) as expected:
        codecs["checkerboard"].decompress(other)
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        decompress(served, other)
    assert str(expected.value) in str(found.value).replace("\\'", "'")


def test_a_made_up_payload_is_refused(codecs, served):
    stream = codecs["checkerboard"].compress(random_images(20, 30, 3))
    random = np.random.default_rng(0)
    for length in (0, 1, 7, 500):
        with pytest.raises(tf.errors.InvalidArgumentError, match="decoded symbols differ"):
            decompress(served, resealed(stream[:14] + random.bytes(length) + bytes(8)))


def test_weights_that_diverged_are_refused(codecs, monkeypatch):
    monkeypatch.setattr(saved_model, "crc32_of_integers", lambda symbols: tf.constant(0))  # Traced faster.
    codec = lic.Codec(codecs["charm"].model)
    bias = codec.model.transform.analysis.layers[-1].bias
    bias.assign(bias + float("inf"))
    served = saved_model.Served(codec)
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not finite"):
        served.compress(tf.zeros((8, 8, 3), tf.uint8))


def test_numba_cannot_be_served(codecs, monkeypatch, tmp_path):
    monkeypatch.setattr(saved_model, "coder_name", lambda: "numba")
    with pytest.raises(lic.LicError, match="Export it on Python 3.10, 3.11 or 3.12"):
        export_saved_model(codecs["charm"], tmp_path / "served")
    assert not (tmp_path / "served").exists()
