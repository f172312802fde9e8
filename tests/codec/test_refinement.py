"""Effort keeps its promises for every entropy model. Weights are untrained, so that gains are small."""

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from lic.codec.refinement import STEPS, LatentOptimizer, check_effort
from lic.entropy import EVERYTHING, FactorizedPrior
from lic.environment import tf
from lic.layers import Convolution
from lic.transforms import ConvHyperTransform
from tests.conftest import ENTROPY_MODELS, VARIANTS, random_images, shared_codec, slow_but, tiny_model

IMAGE = random_images(37, 50, 3)


def _loss(codec, image, stream, quality=None):
    """Returns the loss by real bytes and decoded pixels."""
    parsed, model = Stream.parse(stream), codec.model
    lmbda = model.lmbda if quality is None else float(model.rate.lmbda(tf.constant([quality]))[0])
    error = np.mean((codec.decompress(stream).astype(float) - image) ** 2)
    return 8 * len(stream) / (parsed.height * parsed.width) + lmbda * error


@pytest.fixture(scope="module")
def codec():
    return shared_codec("klt", "hyperprior", residual=False, lmbda=(0.002, 0.02))


@pytest.fixture(scope="module")
def streams(codec):
    """Returns the streams of one image without and with effort."""
    return codec.compress(IMAGE, quality=1.5), codec.compress(IMAGE, quality=1.5, effort=4)


@pytest.mark.parametrize("name", slow_but([*ENTROPY_MODELS, *VARIANTS], "factorized", "checkerboard"))
def test_every_entropy_model_is_refined(name):
    entropy, sizes = VARIANTS.get(name, (name, {}))
    codec = shared_codec("conv" if name in VARIANTS else "klt", entropy, **sizes)
    plain, stream = codec.compress(IMAGE), codec.compress(IMAGE, effort=3)
    assert codec.decompress(stream).shape == IMAGE.shape
    refined, before = (_loss(codec, IMAGE, each) for each in (stream, plain))
    # Refinement has nothing to gain where the transform is an untrained `conv`, as in the variants.
    assert refined <= before if name in VARIANTS else refined < before


def test_a_refined_stream_has_a_lower_loss(codec, streams):
    assert _loss(codec, IMAGE, streams[1], 1.5) < _loss(codec, IMAGE, streams[0], 1.5)


def test_a_refined_stream_is_an_ordinary_one(codec, streams, tmp_path):
    codec.save(tmp_path / "mine.codec")
    again = lic.load(tmp_path / "mine.codec")
    np.testing.assert_array_equal(again.decompress(streams[1]), codec.decompress(streams[1]))
    header = [Stream.parse(stream)._replace(payload=b"", symbols_crc=0) for stream in streams]
    assert header[0] == header[1]


def test_it_is_the_same_each_time(codec, streams):
    assert codec.compress(IMAGE, quality=1.5, effort=4) == streams[1]
    assert lic.Codec(codec.model).compress(IMAGE, quality=1.5, effort=4) == streams[1]


def test_effort_0_is_none(codec, streams):
    assert codec.compress(IMAGE, quality=1.5, effort=0) == streams[0]


def test_a_failed_refinement_gives_the_stream_of_effort_0(codec, streams, monkeypatch):
    def spoil(self, image, latent, quality, steps, progress=None):
        values = self._start(tf.constant(latent[None]), tf.constant([quality]))
        return [value + 5.0 for value in values]

    monkeypatch.setattr(LatentOptimizer, "refine", spoil)
    assert codec.compress(IMAGE, quality=1.5, effort=1) == streams[0]


def test_progress_is_reported_up_to_the_end(codec):
    reported = []
    codec.compress(IMAGE, effort=2, progress=reported.append)
    assert len(reported) == STEPS[2]
    assert reported == sorted(reported)
    assert (reported[0] > 0, reported[-1]) == (True, 1)


def test_grey_images_and_other_sizes_are_refined_without_tracing_anew(codec):
    for size in [(1, 1), (20, 33), (16, 16), (48, 20)]:
        image = random_images(*size, 1)[..., 0]
        assert codec.decompress(codec.compress(image, effort=1)).shape == size
    assert codec._graphs.optimizer._step.experimental_get_tracing_count() <= 3


def test_weights_stay_as_they_are(codec):
    before = codec.model.get_weights()
    codec.compress(IMAGE, effort=1)
    for old, new in zip(before, codec.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


class _OfTwoLatents(lic.EntropyModel):
    """Codes two further latents of unequal depths, and the features of both."""

    def __init__(self, latent_depth, hyper, other, names=("other", "side"), **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.other, self.other_prior = other, FactorizedPrior(other.depth)
        self.parameters = Convolution(2 * latent_depth, 1)
        self.names = names

    def walk(self, coder):
        height, width = tf.unstack(tf.shape(coder.zeros)[1:3])
        features = []
        hypers = (self.other, self.other_prior), (self.hyper, self.prior)
        for name, (hyper, prior) in zip(self.names, hypers):
            z_hat = coder.latent(name, hyper).code(EVERYTHING, prior)
            features.append(hyper.synthesis(z_hat)[:, :height, :width])
        return coder.code(EVERYTHING, self.likelihood(self.parameters(tf.concat(features, -1))))


@pytest.mark.parametrize(
    "names", slow_but([(("other", "side"),), (("other", "first"),), (("side", "side"),)], (("side", "side"),))
)
def test_further_latents_are_refined_with_the_latent(names, monkeypatch):
    monkeypatch.setitem(lic.registry.entropy_models._entries, "of-two-latents", _OfTwoLatents)
    hypers = ConvHyperTransform(12, 8, 4), ConvHyperTransform(12, 8, 3)
    entropy = _OfTwoLatents(12, *hypers, names=names)
    codec = lic.Codec(lic.create_model(transform="klt", entropy=entropy, width=8, lmbda=(0.002, 0.02)))
    plain, stream = (codec.compress(IMAGE, quality=1.5, effort=effort, verify=True) for effort in (0, 3))
    assert _loss(codec, IMAGE, stream, 1.5) < _loss(codec, IMAGE, plain, 1.5)


def test_more_effort_is_more_steps():
    assert STEPS[0] == 0
    assert list(STEPS) == sorted(set(STEPS))
    assert len(STEPS) == 10


def test_precisions_are_refined_alike(codec):
    stream = lic.Codec(codec.model, precision="bfloat16").compress(IMAGE, effort=1)
    assert codec.decompress(stream).shape == IMAGE.shape


def test_ms_ssim_is_refined_on_large_images():
    codec = lic.Codec(tiny_model("klt", "factorized", lmbda=20.0, distortion="ms-ssim"))
    image = random_images(161, 170, 3)
    plain, refined = codec.compress(image), codec.compress(image, effort=1)
    losses = []
    for stream in (plain, refined):
        similarity = tf.image.ssim_multiscale(image, codec.decompress(stream), 255)
        losses.append(8 * len(stream) / (161 * 170) + 20 * (1 - float(similarity)))
    assert losses[1] <= losses[0]
    with pytest.raises(ValueError, match="at least 161x161 pixels"):
        codec.compress(IMAGE, effort=1)


@pytest.mark.parametrize("effort", [-1, 10, 2.5, "5", None])
def test_wrong_efforts_are_refused(codec, effort):
    message = "Codec: expected effort from 0 to 9. Received: "
    with pytest.raises(ValueError, match=message):
        check_effort(effort)
    with pytest.raises(ValueError, match=message):
        codec.compress(IMAGE, effort=effort)
    with pytest.raises(ValueError, match=message):
        codec.compress_to(IMAGE, 10_000, effort=effort)


def test_saved_bytes_are_spent_on_quality(codec):
    plain = codec.compress(IMAGE, quality=1.3)
    reported = []
    limit = len(plain) + 3
    spent = codec.compress_to(IMAGE, limit, effort=4, progress=reported.append)
    assert len(spent) <= limit
    assert Stream.parse(spent).quality >= Stream.parse(codec.compress_to(IMAGE, limit)).quality
    assert reported == sorted(reported)
    assert reported[-1] == 1


def test_a_refined_stream_that_is_too_large_is_not_taken(codec, monkeypatch):
    rich = codec.compress(IMAGE, quality=2)
    monkeypatch.setattr(lic.Codec, "_refined", lambda *_, **__: rich)
    assert codec.compress_to(IMAGE, len(rich) - 1, effort=1) == codec.compress_to(IMAGE, len(rich) - 1)


def test_images_of_more_than_8_bits_are_refined_on_255(monkeypatch):
    codec = lic.Codec(tiny_model("klt", "factorized"), bit_depth=12)
    image = np.random.default_rng(0).integers(0, 4096, (20, 30, 3), np.uint16)
    largest, refine, weigh = [], LatentOptimizer.refine, type(codec.model).weighted_distortion

    def refine_noted(self, pixels, *others):
        largest.append(float(np.max(pixels)))
        return refine(self, pixels, *others)

    def weigh_noted(self, images, decoded, quality):
        if tf.executing_eagerly():
            largest.extend(float(tf.reduce_max(each)) for each in (images, decoded))
        return weigh(self, images, decoded, quality)

    monkeypatch.setattr(LatentOptimizer, "refine", refine_noted)
    monkeypatch.setattr(type(codec.model), "weighted_distortion", weigh_noted)
    codec.compress(image, effort=1)
    assert len(largest) == 5
    for number in (0, 1, 3):  # The optimiser's, and the original beside either decoded image.
        assert largest[number] == pytest.approx(image.max() * 255 / 4095)
    assert all(100 < each < 400 for each in largest)


def test_side_information_is_refined_with_the_latent(codec):
    latent, optimizer = codec.analyse(IMAGE), codec._graphs.optimizer
    start = optimizer._start(tf.constant(latent[None]), tf.constant([1.5]))
    values = optimizer.refine(IMAGE.astype(np.float32), latent, np.float32(1.5), STEPS[3])
    assert len(values) == len(start) == 2
    assert all(np.abs(value - first).max() > 0.05 for value, first in zip(values, start))
