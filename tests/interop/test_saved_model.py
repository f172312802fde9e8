"""A codec as a SavedModel: its streams and images are the codec's, in this process and where `lic` is not."""

import subprocess
import sys
import types

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Flag, Stream, StreamFormat
from lic.entropy.range_coding.range_coder import coder_name
from lic.environment import tf
from lic.interop import saved_model
from lic.interop.saved_model import CONTAINER, container_source, export_saved_model
from tests.codec.test_bitstream import DAMAGED, FOREIGN, FORMATS, SIZES, packed
from tests.conftest import random_images, slow_but, tiny_model

needs_operations = pytest.mark.skipif(coder_name() == "numba", reason="numba's coder cannot be served")
IMAGE_SIZES = [(1, 1), (17, 33)]
CODECS = {
    "deterministic": (
        "klt",
        "checkerboard",
        {"lmbda": (0.002, 0.02)},
        {"deterministic": True, "calibration": [random_images(48, 48, 3)]},
    ),
    "one rate": ("conv", "charm", {"num_slices": 2}, {}),
}
# A process that cannot import lic makes streams of images and images of streams; where the package of operations does
# not import Keras itself, the process cannot import that either.
SERVE = """
import importlib, pathlib, runpy, sys
sys.modules["lic"] = None
if sys.argv[1] == "tensorflow_compression_ops":
    sys.modules["keras"] = sys.modules["tf_keras"] = None
import numpy as np
importlib.import_module(sys.argv[1])
import tensorflow as tf
folder = pathlib.Path(sys.argv[2])
served = tf.saved_model.load(folder / "served").signatures
container = runpy.run_path(folder / "served" / "lic_stream.py")
codec = container["CODEC"]
answers = {}
for name, image in np.load(folder / "images.npz").items():
    quality = {"quality": tf.constant(1.5)} if codec.qualities else {}
    coded = {key: value.numpy() for key, value in served["encode"](image=tf.constant(image), **quality).items()}
    stream = codec.pack(**coded)
    answers[f"{name} stream"] = np.frombuffer(stream, np.uint8)
for name, stream in np.load(folder / "streams.npz").items():
    stream = codec.parse(stream.tobytes())
    quality = {"quality": tf.constant(stream.quality, tf.float32)} if codec.qualities else {}
    fields = {key: tf.constant(getattr(stream, key)) for key in ("payload", "height", "width", "channels")}
    decoded = served["decode"](**fields, **quality)
    stream.check_symbols(decoded["symbols"].numpy())
    answers[f"{name} image"] = decoded["image"].numpy()
np.savez(folder / "answers.npz", **answers)
"""


def images():
    """Returns an image of each size in colour and in grey, by name."""
    coloured = {f"{size} colour": random_images(*size, 3) for size in IMAGE_SIZES}
    return coloured | {f"{size} grey": random_images(*size, 1) for size in IMAGE_SIZES}


def codec_of(name):
    transform, entropy, sizes, options = CODECS[name]
    model = tiny_model(transform, entropy, **sizes)
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


@needs_operations
@pytest.mark.parametrize("name", slow_but(CODECS, "deterministic"))
def test_another_process_makes_and_reads_the_same_streams(name, tmp_path):
    codec = codec_of(name)
    streams = streams_of(codec)
    assert (Stream.parse(streams["(1, 1) grey"]).flags == Flag(7)) is (name == "deterministic")
    export_saved_model(codec, tmp_path / "served")
    np.savez(tmp_path / "images.npz", **images())
    np.savez(tmp_path / "streams.npz", **{k: np.frombuffer(v, np.uint8) for k, v in streams.items()})
    arguments = [sys.executable, "-c", SERVE, coder_name(), tmp_path]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    answers = np.load(tmp_path / "answers.npz")
    for key, stream in streams.items():
        assert answers[f"{key} stream"].tobytes() == stream, key
        expected = codec.decompress(stream)
        expected = expected if expected.ndim == 3 else expected[..., None]
        np.testing.assert_array_equal(answers[f"{key} image"], expected, err_msg=key)


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "factorized", lmbda=(0.002, 0.02)))


@pytest.fixture(scope="module")
def served(codec):
    """The codec as graphs, of this process."""
    return saved_model.ServedCodec(codec)


def container_of(streams):
    """Returns the module that is written beside a SavedModel; it cannot import anything of lic."""
    module = types.ModuleType("lic_stream")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "lic", None)
        patch.setitem(sys.modules, module.__name__, module)
        exec(container_source(streams), vars(module))
    return module


@pytest.fixture(scope="module")
def container(codec):
    return container_of(StreamFormat(codec.fingerprint, codec.deterministic, len(codec.qualities)))


def compress(served, container, image, quality):
    coded = served.encode(tf.constant(image), tf.constant(quality, tf.float32))
    return container.CODEC.pack(**{name: value.numpy() for name, value in coded.items()})


def decompress(served, container, data):
    stream = container.CODEC.parse(data)
    quality = tf.constant(stream.quality, tf.float32)
    fields = map(tf.constant, (stream.payload, stream.height, stream.width, stream.channels))
    decoded = served.decode(*fields, quality)
    stream.check_symbols(decoded["symbols"].numpy())
    return decoded["image"].numpy()


@needs_operations
@pytest.mark.parametrize("quality", [1, 1.1234, 1.0 + 0.5000000001 / 256, 2])
def test_qualities_are_rounded_as_streams_carry_them(codec, served, container, quality):
    image, rounded = random_images(20, 30, 3), round(float(np.float32(quality)) * 256) / 256
    stream = compress(served, container, image, quality)
    assert stream == codec.compress(image, quality=rounded)
    np.testing.assert_array_equal(decompress(served, container, stream), codec.decompress(stream))


@needs_operations
@pytest.mark.parametrize("quality", [0.9, 2.1, float("nan")])
def test_other_qualities_are_refused(served, quality):
    message = "Expected quality from 1 to 2. Received:"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.encode(tf.zeros((8, 8, 3), tf.uint8), tf.constant(quality))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.decode(tf.constant(b""), *map(tf.constant, (8, 8, 3)), tf.constant(quality))


@needs_operations
@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 0, 1), (8, 8, 4), (8, 8, 2)])
def test_other_arrays_than_images_are_refused(served, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected an image as uint8 .height, width, 3."):
        served.encode(tf.zeros(shape, tf.uint8), tf.constant(1.0))


@needs_operations
def test_damaged_and_foreign_streams_are_refused(codec, served, container):
    image = random_images(20, 30, 3)
    with pytest.raises(container.BitstreamError, match="damaged or cut off"):
        decompress(served, container, codec.compress(image)[:-1])
    other = lic.Codec(tiny_model("klt", "factorized", lmbda=(0.002, 0.02)))
    with pytest.raises(container.WrongModelError, match=f"by the codec {other.fingerprint.hex()}, this is"):
        decompress(served, container, other.compress(image))


@needs_operations
def test_symbols_that_differ_are_refused_in_the_same_words(codec, served, container):
    stream = Stream.parse(codec.compress(random_images(20, 30, 3)))
    other = stream._replace(symbols_crc=stream.symbols_crc ^ 1).pack()
    with pytest.raises(lic.DesyncError) as expected:
        codec.decompress(other)
    with pytest.raises(container.DesyncError) as found:
        decompress(served, container, other)
    assert str(expected.value) == str(found.value)


@needs_operations
@pytest.mark.parametrize("length", [0, 1, 7, 500])
def test_a_made_up_payload_is_refused(codec, served, container, length):
    stream = Stream.parse(codec.compress(random_images(20, 30, 3)))
    made_up = stream._replace(payload=np.random.default_rng(0).bytes(length), symbols_crc=0)
    with pytest.raises(container.DesyncError, match="decoded symbols differ"):
        decompress(served, container, made_up.pack())


@needs_operations
def test_weights_that_diverged_are_refused():
    codec = lic.Codec(tiny_model("klt", "factorized"))
    for variable in codec.model.transform.analysis.trainable_variables:
        variable.assign(variable + float("inf"))
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not finite"):
        saved_model.ServedCodec(codec).encode(tf.zeros((8, 8, 3), tf.uint8))


def test_numba_cannot_be_served(codec, monkeypatch, tmp_path):
    monkeypatch.setattr(saved_model, "coder_name", lambda: "numba")
    with pytest.raises(lic.LicError, match="Export it on Python 3.10, 3.11 or 3.12"):
        export_saved_model(codec, tmp_path / "served")
    assert not (tmp_path / "served").exists()


def test_mixtures_cannot_be_served(tmp_path):
    mixture = lic.Codec(tiny_model("klt", "hyperprior", likelihood="normal-mixture"))
    with pytest.raises(lic.LicError, match="makes mixtures, which no table can hold"):
        export_saved_model(mixture, tmp_path / "served")


# The container that is written beside a SavedModel, against the library's.


@pytest.fixture(scope="module")
def containers():
    return {name: container_of(streams) for name, streams in FORMATS.items()}


def test_the_container_is_named_as_documented():
    assert CONTAINER == "lic_stream.py"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_the_container_makes_and_parses_the_same_streams(containers, name, size, channels):
    quality, payload = (3.5 if FORMATS[name].qualities else None), b"\0pay\0load\xff\0"
    expected = FORMATS[name].pack(payload, b"symbols", *size, channels, quality)
    codec = containers[name].CODEC
    assert codec.pack(payload, b"symbols", *size, channels, quality) == expected
    assert tuple(codec.parse(expected)) == tuple(FORMATS[name].parse(expected))
    assert codec.parse(expected).channels == channels


@pytest.mark.parametrize("name", DAMAGED)
def test_the_container_refuses_damaged_streams_with_the_same_message(containers, name):
    with pytest.raises(lic.BitstreamError) as expected:
        FORMATS["plain"].parse(DAMAGED[name])
    with pytest.raises(containers["plain"].BitstreamError) as found:
        containers["plain"].CODEC.parse(DAMAGED[name])
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("case", FOREIGN)
def test_the_container_refuses_fields_that_the_codec_never_writes(containers, case):
    name, size, others, error, message = FOREIGN[case]
    with pytest.raises(getattr(containers[name], error.__name__), match=message):
        containers[name].CODEC.parse(packed(*size, **others))


@pytest.mark.parametrize(("channels", "bits"), [(1, 8), (3, 12)])
def test_codecs_of_other_channels_and_bits_are_refused(tmp_path, channels, bits):
    codec = lic.Codec(tiny_model("klt", "factorized", channels=channels), bit_depth=bits)
    with pytest.raises(lic.LicError, match=f"This codec takes {channels} channels of {bits} bits"):
        export_saved_model(codec, tmp_path)
