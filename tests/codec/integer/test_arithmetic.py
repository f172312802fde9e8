"""Deterministic codecs: streams that decode to the same whatever floating-point sums give."""

import functools

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Flag, Stream
from lic.codec.graphs import Graphs
from lic.codec.integer.arithmetic import IntegerArithmetic
from lic.codec.integer.calibration import calibrate
from lic.entropy.residual import HalfTanh
from lic.environment import keras, tf
from lic.layers import Convolution
from tests.conftest import VARIANTS, random_images, slow_but, tiny_model

IMAGE = random_images(70, 90, 3)
CALIBRATION = [random_images(64, 80, 3, seed=1)]
MIXES = {
    "charm": ("conv", "charm", {}),
    "checkerboard": ("klt", "checkerboard", {}),
    "added": ("klt", "checkerboard", {"fusion": "add", "lmbda": (0.002, 0.02)}),
    "hyperprior": ("conv", "hyperprior", {"lmbda": (0.002, 0.01, 0.05)}),
    "factorized": ("conv", "factorized", {}),
    "space-channel": ("klt", "space-channel", {"lmbda": (0.002, 0.02)}),
    **{name: ("conv", *VARIANTS[name]) for name in ("bmshj2018", "mbt2018-mean")},
    "compressai-mean": ("conv", "hyperprior", {**VARIANTS["compressai-mean"][1], "lmbda": (0.002, 0.02)}),
}


@functools.cache
def _model(name):
    keras.utils.set_random_seed(2)  # The model is the same, no matter which test makes it.
    transform, entropy, sizes = MIXES[name]
    model = tiny_model(transform, entropy, **sizes)
    random = np.random.default_rng(0)
    for variable in model.entropy.trainable_variables:
        variable.assign(variable + random.normal(0, 0.1, variable.shape))
    if name == "bmshj2018":  # Whose features are scale indexes.
        bias = model.entropy.hyper.synthesis.layers[-1].bias
        bias.assign(bias + model.entropy.likelihood.scales.index_of(1.0))
    return model


@pytest.fixture(params=slow_but(MIXES, "checkerboard", "factorized", "compressai-mean"), scope="module")
def codec(request):
    return lic.Codec(_model(request.param), deterministic=True, calibration=CALIBRATION)


@pytest.mark.parametrize("codec", slow_but(MIXES, "checkerboard", "compressai-mean"), indirect=True)
def test_images_come_back_as_near_as_otherwise(codec):
    plain = lic.Codec(codec.model)
    stream, other = codec.compress(IMAGE), plain.compress(IMAGE)
    assert Flag.DETERMINISTIC in Stream.parse(stream).flags
    assert Flag.DETERMINISTIC not in Stream.parse(other).flags
    errors = [
        np.square(each.astype(float) - IMAGE).mean() for each in (codec.decompress(stream), plain.decompress(other))
    ]
    assert errors[0] <= 1.1 * errors[1] + 1
    assert len(stream) <= 1.1 * len(other) + 20


@pytest.mark.parametrize("size", [(1, 1), (17, 33)])
def test_every_size_comes_back(codec, size):
    for image in (random_images(*size, 3), random_images(*size, 1)[..., 0]):
        assert codec.decompress(codec.compress(image)).shape == image.shape


@pytest.mark.parametrize("codec", slow_but(MIXES, "checkerboard"), indirect=True)
def test_it_is_saved_loaded_and_pickled(codec, tmp_path):
    import pickle

    codec.save(tmp_path / "mine.codec")
    stream = codec.compress(IMAGE)
    again = lic.load(tmp_path / "mine.codec", deterministic=True)
    assert again.fingerprint == codec.fingerprint
    assert again.compress(IMAGE) == stream
    assert pickle.loads(pickle.dumps(codec)).compress(IMAGE) == stream
    plain = lic.load(tmp_path / "mine.codec")
    assert plain.fingerprint != codec.fingerprint
    np.testing.assert_array_equal(plain.decompress(stream), codec.decompress(stream))  # One file decodes both kinds.
    np.testing.assert_array_equal(codec.decompress(plain.compress(IMAGE)), plain.decompress(plain.compress(IMAGE)))


NOISE = 1e-3  # Relative, as products in TF32 have it.


def _make_noisy(monkeypatch):
    """Makes every network's floats a little off; whole numbers are not computed by these methods."""
    for layer in (Convolution, HalfTanh):

        def noisy(self, values, call=layer.call):
            result = call(self, values)
            return result * (1 + NOISE * tf.random.normal(tf.shape(result)))

        monkeypatch.setattr(layer, "call", noisy)


@pytest.mark.parametrize("name", slow_but([name for name in MIXES if name != "factorized"], "checkerboard"))
def test_noise_in_floats_changes_nothing_but_is_found_by_an_ordinary_codec(name, monkeypatch, tmp_path):
    exact = lic.Codec(_model(name), deterministic=True, calibration=CALIBRATION)
    exact.save(tmp_path / "mine.codec")
    image = random_images(256, 320, 3)
    stream, ordinary = exact.compress(image), lic.load(tmp_path / "mine.codec").compress(image)
    _make_noisy(monkeypatch)
    noisy, noisy_ordinary = (lic.load(tmp_path / "mine.codec", deterministic=each) for each in (True, False))
    for _ in range(3):
        noisy.verify(stream)
    # Noise that happens to flip no index is rare, five times in a row rarer still.
    with pytest.raises(lic.DesyncError):
        for _ in range(5):
            noisy_ordinary.verify(ordinary)


def test_a_swin_transform_with_a_convolutional_hyper_transform_can():
    sizes = {"depths": (1, 1, 1, 1), "window": 4, "head_dim": 4, "hyper_width": 8, "side_depth": 4}
    model = lic.create_model(transform="swin", entropy="hyperprior", hyper="conv", width=8, latent_depth=12, **sizes)
    codec = lic.Codec(model, deterministic=True, calibration=CALIBRATION)
    codec.verify(codec.compress(IMAGE))


def test_networks_that_cannot_be_exact_are_named():
    message = r"convolutions, ReLU and operations that move numbers. This one also .*transform 'conv'"
    with pytest.raises(lic.LicError, match=message) as error:
        lic.Codec(tiny_model("klt", "hyperprior", hyper="swin"), deterministic=True, calibration=CALIBRATION)
    assert str(error.value).count("MatMul (") == 1  # One place of each type of operation.


def test_the_shipped_photograph_calibrates_by_default():
    codec = lic.Codec(_model("hyperprior"), deterministic=True)
    codec.verify(codec.compress(IMAGE))


def test_a_codec_without_such_networks_raises(tmp_path):
    lic.Codec(_model("charm")).save(tmp_path / "plain.codec")
    with pytest.raises(lic.CheckpointError, match="holds no networks for deterministic=True. Write one that does"):
        lic.load(tmp_path / "plain.codec", deterministic=True)


def test_units_of_another_codec_are_refused():
    units = calibrate(_model("charm"), [(np.zeros((4, 4, 12), np.float32), 1.0)])

    def symbols_of(units):
        arithmetic = IntegerArithmetic(_model("charm"), units)
        graphs = Graphs(_model("charm"), _model("charm").entropy.make_tables(), arithmetic)
        arithmetic.check(graphs.decode.get_concrete_function().structured_outputs[1])

    symbols_of(units)
    path = "entropy/hyper/synthesis/layers/0"
    with pytest.raises(lic.LicError, match="Conv2D"):
        symbols_of({name: each for name, each in units.items() if name != path})
    other = units[path]._replace(output_bits=units[path].output_bits[:-1])
    with pytest.raises(lic.CheckpointError, match="are of another convolution"):
        symbols_of(units | {path: other})
