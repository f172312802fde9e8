"""Validation with real bytes."""

import json

import numpy as np
import pytest

import lic
from lic.environment import tf
from lic.images import read_image
from lic.images.arrays import coloured
from lic.training.checkpoints import averaged
from lic.training.reports import MetricsLog
from lic.training.validation import Validation, validate
from tests.conftest import random_images, tiny_model
from tests.images.files import COLOUR_ALPHA, png


@pytest.fixture(scope="module")
def model():
    model = tiny_model("klt", "factorized", lmbda=(0.001, 0.01, 0.1))
    model.compile(lic.Adam(1e-2, use_ema=True, ema_momentum=0.5), seed=0)
    return model


def test_measures_are_of_the_streams(model):
    codec = lic.Codec(model)
    images = [random_images(40, 56, 3, seed=seed) for seed in range(2)]
    streams = [codec.compress(image, quality=2) for image in images]
    result = validate(codec, images, 2)
    assert result.coded_bpp == pytest.approx(np.mean([8 * len(stream) / (40 * 56) for stream in streams]))
    errors = [np.mean((codec.decompress(stream) - image.astype(float)) ** 2) for stream, image in zip(streams, images)]
    assert result.psnr == pytest.approx(np.mean([10 * np.log10(255**2 / error) for error in errors]), abs=1e-3)
    # A few words of header and of the coder's end are all that is not estimated.
    assert 0 < (result.coded_bpp - result.estimated_bpp) * 40 * 56 < 8 * 40


def test_the_loss_has_the_distortion_of_the_model_that_is_trained(model, tmp_path, photographs):
    class Absolute(lic.CompressionModel):
        def distortion_of(self, images, decoded):
            return tf.reduce_mean(tf.abs(images - decoded), (1, 2, 3))

    absolute = Absolute(model.transform, model.entropy, lmbda=1000.0)
    absolute.compile()
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.set_model(absolute)
    log.on_train_begin()
    validation = Validation([photographs / "0.png"], log)
    validation.set_model(absolute)
    validation.on_epoch_end(0, logs := {})
    codec, image = lic.Codec(absolute), coloured(read_image(photographs / "0.png"))
    error = np.mean(np.abs(codec.decompress(codec.compress(image)) - image.astype(float)))
    assert logs["val_loss"] == pytest.approx(logs["val_bpp"] + 1000 * error)


def test_photographs_are_read_as_those_that_are_trained_on(tmp_path):
    (tmp_path / "deep.png").write_bytes(png(np.zeros((4, 4, 4), np.uint16), 16, COLOUR_ALPHA))
    validation = Validation([tmp_path / "deep.png"], MetricsLog(tmp_path / "metrics.jsonl"))
    np.testing.assert_array_equal(validation._images[0], np.full((4, 4, 3), 255, np.uint8))


def test_each_epoch_is_a_line_for_each_of_three_qualities(model, tmp_path, photographs):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.set_model(model)
    log.on_train_begin()
    validation = Validation([photographs / "0.png", photographs / "grey.png"], log)
    validation.set_model(model)
    validation.on_epoch_end(0)
    rows = [json.loads(line)["validation"] for line in log.path.read_text().splitlines()]
    assert [row["quality"] for row in rows] == [1, 2, 3]
    assert rows[0].keys() == {"quality", "estimated_bpp", "coded_bpp", "psnr", "loss"}
    assert all(row["coded_bpp"] > row["estimated_bpp"] > 0 and row["psnr"] > 5 for row in rows)
    assert [result.quality for result in validation.results] == [1, 2, 3]


def test_averaged_weights_are_measured(tmp_path, photographs):
    model = tiny_model("klt", "factorized", lmbda=(0.001, 0.01, 0.1))
    model.compile(lic.Adam(1e-2, use_ema=True, ema_momentum=0.5), seed=0)
    for seed in range(2):
        model.train_on_batch(random_images(2, 64, 64, 3, seed=seed).astype(np.float32))
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.set_model(model)
    log.on_train_begin()
    validation = Validation([photographs / "0.png"], log)
    validation.set_model(model)
    validation.on_epoch_end(0)
    with averaged(model):
        codec = lic.Codec(model)
    assert codec.fingerprint != lic.Codec(model).fingerprint
    assert validation.results[1] == validate(codec, [coloured(read_image(photographs / "0.png"))], 2)
