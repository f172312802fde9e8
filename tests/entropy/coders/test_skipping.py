"""Numbers of small scales that are skipped: in every walk, and in codecs."""

import math

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from lic.entropy import Decode, Encode, Estimate, Normal, Recorder, ScaleTable
from lic.entropy.coders import Preview, skipping
from lic.entropy.coders.gumbel import GumbelCoder
from lic.entropy.range_coding.cdf_tables import CdfTables
from lic.environment import tf
from lic.evaluation.inspect import bit_map
from lic.training import start_scales
from tests.conftest import random_images, tiny_model

LIKELIHOOD = Normal((8, 0.1, 12.8))  # The scales are 0.1, 0.2, 0.4, ...
TABLES = CdfTables.make({"likelihood": LIKELIHOOD})
RANDOM = np.random.default_rng(0)
MEAN = tf.constant(RANDOM.normal(0, 3, (1, 5, 7, 4)), tf.float32)
INDEX = tf.constant(RANDOM.uniform(-1, 4, MEAN.shape), tf.float32)
LATENT = MEAN + tf.constant(RANDOM.normal(0, 2, MEAN.shape), tf.float32)
KEPT = np.round(np.clip(INDEX, 0, 7)) >= 2  # The third scale is 0.4.


def walk(coder, skip_below=0.3):
    """Codes anchors and then the rest, and returns the latent."""
    coder, y_hat = skipping(coder, skip_below), tf.zeros_like(MEAN)
    for part in (lic.entropy.anchors(), lic.entropy.non_anchors()):
        distribution = LIKELIHOOD.of(part.take(MEAN), part.take(INDEX))
        y_hat = part.put(y_hat, coder.code(part, distribution))
    return y_hat


def encoded():
    coder = Encode(LATENT, TABLES)
    return walk(coder), coder.finish()


def test_skipped_numbers_stand_at_their_means_in_every_walk():
    y_hat, coded = encoded()
    np.testing.assert_array_equal(y_hat.numpy()[~KEPT], MEAN.numpy()[~KEPT])
    rounded = MEAN + tf.round(LATENT - MEAN)
    np.testing.assert_array_equal(y_hat.numpy()[KEPT], rounded.numpy()[KEPT])
    estimate, decode = Estimate(LATENT), Decode(coded.string, tf.zeros_like(MEAN), TABLES)
    for walked in (walk(estimate), walk(decode)):
        np.testing.assert_array_equal(walked, y_hat)
    np.testing.assert_array_equal(decode.finish()[0], coded.symbols)
    np.testing.assert_array_equal(decode.finish()[1].index, coded.cdfs.index)
    # Each number that is coded has a value and one for its escape.
    assert len(coded.cdfs.index) == 2 * KEPT.sum()
    assert len(coded.symbols) == KEPT.size


def test_the_estimate_has_the_bits_of_the_others_only():
    walk(estimate := Estimate(LATENT))
    bits = LIKELIHOOD.of(MEAN, INDEX).as_coded().bits(tf.round(LATENT - MEAN)).numpy()[KEPT].sum()
    assert sum(float(each[0]) for each in estimate.bits.values()) == pytest.approx(bits, rel=1e-5)
    assert 8 * len(encoded()[1].string.numpy()) <= bits + 40


def test_a_preview_has_means_for_all_others():
    y_hat, coded = encoded()
    preview = walk(Preview(coded.string, tf.zeros_like(MEAN), TABLES, 1)).numpy()
    odd = np.add.outer(np.arange(5), np.arange(7)) % 2 == 1
    np.testing.assert_array_equal(preview[:, odd], y_hat.numpy()[:, odd])
    np.testing.assert_array_equal(preview[:, ~odd], MEAN.numpy()[:, ~odd])


def test_refinement_sees_what_is_skipped():
    coder = GumbelCoder(LATENT, None, tf.constant(0.2))
    y_hat = walk(coder).numpy()
    np.testing.assert_allclose(y_hat[~KEPT], MEAN.numpy()[~KEPT], atol=1e-3)
    assert np.abs(y_hat - MEAN.numpy())[KEPT].max() > 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_found_though_skipped(value):
    latent = tf.where(KEPT, LATENT, value)
    walk(coder := Encode(latent, TABLES))
    assert not coder.finish().finite


def test_scales_at_the_limit_are_coded_and_a_recorder_sees_them():
    limit = ScaleTable(*LIKELIHOOD.scales).scales()[2]
    walk(recorder := Recorder(Encode(LATENT, TABLES)), limit)
    kept = sum(int(tf.reduce_sum(tf.cast(record.distribution.kept, "int32"))) for record in recorder.records)
    assert kept == KEPT.sum()


def test_nothing_is_coded_where_all_scales_are_below():
    coder = Encode(LATENT, TABLES)
    np.testing.assert_array_equal(walk(coder, 100.0), MEAN)
    assert coder.finish().string == b""
    np.testing.assert_array_equal(walk(Decode(tf.constant(b""), tf.zeros_like(MEAN), TABLES), 100.0), MEAN)


@pytest.fixture(scope="module")
def model():
    model = tiny_model("klt", "hyperprior", lmbda=(0.01, 0.1))
    start_scales(model, random_images(64, 80, 3)[None])  # So that channels have scales of their own.
    return model


def _scales(codec, image):
    return lic.inspect(codec, image, quality=1.5)["latent"].scales


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_codec_that_skips(model, deterministic, tmp_path):
    image = random_images(40, 56, 3)
    calibration = [image] if deterministic else None
    limit = float(np.median(_scales(lic.Codec(model), image)))
    codec = lic.Codec(model, deterministic=deterministic, calibration=calibration, skip_below=limit)
    assert 0.1 < np.mean(_scales(codec, image) < limit) < 0.9
    stream = codec.compress(image, quality=1.5, verify=True)
    codec.save(tmp_path / "mine.codec")
    again = lic.load(tmp_path / "mine.codec", deterministic=deterministic)
    assert again.skip_below == codec.skip_below == limit
    assert again.fingerprint == codec.fingerprint
    np.testing.assert_array_equal(again.decompress(stream), codec.decompress(stream))
    if not deterministic:
        estimated = sum(codec.estimate(image).values())
        assert len(codec.compress(image)) * 8 <= 1.02 * estimated + 300
        parts = bit_map(codec, image)
        assert sum(bits for _, bits in parts.parts) + parts.side == pytest.approx(estimated, rel=1e-3)


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("quality", [1.5, {"background": 1, "boxes": [(0, 0, 20, 20, 2)]}])
def test_a_codec_codes_side_information_alone_where_all_scales_are_below(model, deterministic, quality):
    image, options = random_images(40, 56, 3), {"deterministic": deterministic}
    skips = lic.Codec(model, skip_below=250.0, **options)
    stream = skips.compress(image, quality=quality, verify=True)
    whole = lic.Codec(model, **options).compress(image, quality=quality)
    side = skips.estimate(image, quality=quality)["side"]
    assert 8 * len(Stream.parse(stream).payload) < side + 64 < 8 * len(Stream.parse(whole).payload)


def test_effort_and_a_served_codec_skip_too(model, monkeypatch, tmp_path):
    limits = []

    def noted(coder, limit):
        limits.append(limit)
        return skipping(coder, limit)

    monkeypatch.setattr("lic.codec.refinement.skipping", noted)
    codec = lic.Codec(model, skip_below=250.0)
    codec.compress(random_images(40, 56, 3), effort=1)
    assert set(limits) == {250.0}
    image = random_images(40, 56, 3)
    lic.interop.export_saved_model(codec, tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served")).signatures["encode"]
    coded = served(image=tf.constant(image), quality=tf.constant(1.5))
    assert coded["payload"].numpy() == Stream.parse(codec.compress(image, quality=1.5)).payload


def test_a_codec_that_codes_all_has_the_fingerprint_of_before(model):
    assert lic.Codec(model).fingerprint == lic.Codec(model, skip_below=None).fingerprint
    assert lic.Codec(model).skip_below is None
    assert lic.Codec(model, skip_below=0.2).fingerprint != lic.Codec(model, skip_below=0.3).fingerprint


@pytest.mark.parametrize("limit", [0, -0.1, math.inf, math.nan, "0.2", True])
def test_limits_that_are_no_scales_are_refused(model, limit):
    with pytest.raises(ValueError, match="Codec: expected skip_below to be"):
        lic.Codec(model, skip_below=limit)


def test_a_file_with_a_limit_that_is_no_scale_is_refused(model):
    file = lic.Codec(model, skip_below=0.2)._file
    for limit in (-1, "x"):
        with pytest.raises(lic.CheckpointError, match="skip_below"):
            lic.Codec._from_file(file._replace(settings={"skip_below": limit}))


def test_a_model_without_scales_is_refused():
    with pytest.raises(lic.LicError, match="FactorizedPrior has no scales, so no numbers can be skipped"):
        lic.Codec(tiny_model("klt", "factorized"), skip_below=0.2)
