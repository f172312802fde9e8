import json
import time

import numpy as np
import pytest
from PIL import Image

import lic
from lic.errors import EvaluationError, ImageError
from lic.evaluation.run import worker
from lic.evaluation.run.classical import classical_codec
from lic.evaluation.run.metrics import ms_ssim, psnr
from lic.images import sample_image, write_image
from tests.conftest import random_images, tiny_model


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "factorized", lmbda=(0.01, 0.02)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    (folder / "inside").mkdir()
    for number, name in enumerate(["one.png", "inside/two.png", "three.png"]):
        Image.fromarray(random_images(170, 180, 3, seed=number)).save(folder / name)
    return folder


def test_every_image_has_a_row_for_every_codec_and_quality(codec, folder, tmp_path):
    states = []
    results = lic.evaluate(
        folder, tmp_path, models=[codec], codecs=["jpeg=50,90"], progress=lambda *state: states.append(state)
    )
    names = ["inside/two.png", "one.png", "three.png"]
    assert [(row.codec, row.image, row.quality) for row in results.rows] == [
        (codec, image, quality)
        for codec, qualities in (("codec", (1, 2)), ("jpeg", (50, 90)))
        for image in names
        for quality in qualities
    ]
    assert [state[:2] for state in states] == [(done, 12) for done in range(2, 13, 2)]
    pixels = random_images(170, 180, 3)
    row = next(row for row in results.rows if row[:3] == ("jpeg", "one.png", 90))
    stream = classical_codec("jpeg").compress(pixels, quality=90)
    assert (row.bytes, row.psnr) == (len(stream), psnr(pixels, classical_codec("jpeg").decompress(stream)))
    row = next(row for row in results.rows if row[:3] == ("codec", "one.png", 2))
    assert row.bytes == len(codec.compress(pixels, quality=2))


def test_the_file_holds_images_codecs_conventions_and_versions(codec, folder, tmp_path):
    lic.evaluate(folder, tmp_path, models=[codec], codecs=["jpeg=50"], qualities=[1])
    written = json.loads((tmp_path / "eval.json").read_text())
    assert written["images"] == {"folder": folder.name, "count": 3, "sha256": written["images"]["sha256"]}
    assert written["codecs"]["codec"]["fingerprint"] == codec.fingerprint.hex()
    assert "headers" in written["conventions"]["bytes"]
    assert written["versions"]["lic"] == lic.__version__
    assert written["machine"]["cores"] >= 1


def test_a_broken_file_is_named_once_and_the_rest_goes_on(folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("good.png", "truncated.png"):
        (images / name).write_bytes((folder / "one.png").read_bytes())
    (images / "truncated.png").write_bytes((folder / "one.png").read_bytes()[:2000])
    (images / "broken.png").write_text("nothing")
    results = lic.evaluate(images, tmp_path / "run", codecs=["jpeg=50", "webp=50"])
    assert [(each.image, each.codec) for each in results.failures] == [("broken.png", None), ("truncated.png", None)]
    assert [row.codec for row in results.rows] == ["jpeg", "webp"]
    assert results.common == ["good.png"]


def test_a_codec_that_fails_on_one_image_is_named(codec, folder, tmp_path, monkeypatch):
    compress = type(codec).compress

    def failing(self, image, **options):
        if image[0, 0, 0] == random_images(170, 180, 3, seed=2)[0, 0, 0] and options["quality"] == 2:
            raise MemoryError("no room")
        return compress(self, image, **options)

    monkeypatch.setattr(type(codec), "compress", failing)
    results = lic.evaluate(folder, tmp_path, models=[codec])
    assert [tuple(each) for each in results.failures] == [("three.png", "codec", 2, "MemoryError: no room")]
    # They stay where another codec is measured later, and are gone where the codec no longer fails.
    assert lic.evaluate(folder, tmp_path, codecs=["jpeg=50"]).failures == results.failures
    monkeypatch.setattr(type(codec), "compress", compress)
    assert lic.evaluate(folder, tmp_path, models=[codec]).failures == []
    assert len(results.rows) == 5
    assert results.means()[0]["images"] == 2


def test_a_stopped_evaluation_resumes_and_measures_nothing_twice(folder, tmp_path, monkeypatch):
    whole = lic.evaluate(folder, tmp_path / "whole", codecs=["jpeg=50,90"])
    measure, calls = worker.measure, []

    def stops(codec, name, image, *rest):
        calls.append((image, *rest[1:]))
        if len(calls) == 6:  # The first call only warms the codec up.
            raise KeyboardInterrupt
        return measure(codec, name, image, *rest)

    def again():
        return lic.evaluate(folder, tmp_path / "run", codecs=["jpeg=50,90"])

    monkeypatch.setattr(worker, "measure", stops)
    with pytest.raises(KeyboardInterrupt):
        again()
    assert calls[-1] == ("three.png", 50)
    results = again()
    assert calls[6:] == [("three.png", 50), ("three.png", 50), ("three.png", 90)]
    assert [row[:8] for row in results.rows] == [row[:8] for row in whole.rows]
    again()
    assert len(calls) == 9


def test_a_stopped_evaluation_begins_no_further_images(tmp_path, monkeypatch):
    images, measure, calls = tmp_path / "images", worker.measure, []
    images.mkdir()
    for number in range(9):
        Image.fromarray(random_images(16, 16, 3, seed=number)).save(images / f"{number}.png")

    def slow(*arguments):
        calls.append(arguments)
        time.sleep(0.1)
        return measure(*arguments)

    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(worker, "measure", slow)
    with pytest.raises(KeyboardInterrupt):
        lic.evaluate(images, tmp_path / "run", codecs=["jpeg=50"], progress=stop)
    assert len(calls) < 8


def test_codecs_and_qualities_are_added_to_an_evaluation(folder, tmp_path):
    lic.evaluate(folder, tmp_path, codecs=["jpeg=50"])
    results = lic.evaluate(folder, tmp_path, codecs=["jpeg=50,60", "webp=50"])
    assert len(results.rows) == 9
    assert len(results.means()) == 3


def test_a_folder_that_another_evaluation_writes_to_is_refused(folder, tmp_path):
    begun = []

    def begin_another(*_):
        if not begun:
            begun.append(True)
            with pytest.raises(EvaluationError, match="Another evaluation writes to .* Wait until it has ended"):
                lic.evaluate(folder, tmp_path, codecs=["webp=50"])

    lic.evaluate(folder, tmp_path, codecs=["jpeg=50"], progress=begin_another)
    assert begun
    assert {row.codec for row in lic.evaluate(folder, tmp_path, codecs=["jpeg=50"]).rows} == {"jpeg"}


def test_in_threads_the_figures_are_the_same(codec, folder, tmp_path):
    one, three = (
        lic.evaluate(folder, tmp_path / str(jobs), models=[codec], codecs=["jpeg=50"], jobs=jobs) for jobs in (1, 3)
    )
    assert sorted(row[:8] for row in one.rows) == sorted(row[:8] for row in three.rows)
    assert three.facts["conventions"]["images_at_once"] == 3


@pytest.mark.parametrize("codec", ["jpeg=50", "webp=50", "avif=50", "jpegxl=2.5", "jpeg2000=30"])
def test_a_single_grey_image(codec, tmp_path):
    Image.fromarray(random_images(40, 50, 1)[..., 0]).save(tmp_path / "grey.png")
    (row,) = lic.evaluate(tmp_path / "grey.png", tmp_path / "run", codecs=[codec]).rows
    assert (row.image, row.height, row.width) == ("grey.png", 40, 50)
    assert 10 < row.psnr < 50


def test_other_pixels_under_the_same_names_are_refused(tmp_path):
    for value in (0, 9):
        Image.fromarray(np.full((40, 50), value, np.uint8)).save(tmp_path / "grey.png")
        if not value:
            lic.evaluate(tmp_path / "grey.png", tmp_path / "run", codecs=["jpeg=50"])
    with pytest.raises(EvaluationError, match="another folder"):
        lic.evaluate(tmp_path / "grey.png", tmp_path / "run", codecs=["jpeg=50"])


def test_a_change_far_behind_the_beginning_of_a_file_is_noticed(tmp_path):
    pixels = random_images(256, 320, 3)
    for change in (0, 9):
        Image.fromarray(pixels + np.uint8(change) * (np.arange(256) > 250)[:, None, None]).save(tmp_path / "photo.ppm")
        if not change:
            lic.evaluate(tmp_path / "photo.ppm", tmp_path / "run", codecs=["jpeg=50"])
    with pytest.raises(EvaluationError, match="another folder"):
        lic.evaluate(tmp_path / "photo.ppm", tmp_path / "run", codecs=["jpeg=50"])


def test_a_mapping_names_codecs(codec, folder, tmp_path):
    results = lic.evaluate(folder / "one.png", tmp_path, models={"mine": codec, "same": codec}, qualities=[1])
    assert [(row.codec, row.bytes) for row in results.rows] == [
        (name, len(codec.compress(random_images(170, 180, 3), quality=1))) for name in ("mine", "same")
    ]


def test_wrong_arguments_are_named(folder, tmp_path):
    with pytest.raises(EvaluationError, match="expected models or codecs"):
        lic.evaluate(folder, tmp_path / "run")
    with pytest.raises(EvaluationError, match="Received twice: jpeg.*NAME=PATH"):
        lic.evaluate(folder, tmp_path / "run", codecs=["jpeg=50", "jpeg=60"])
    with pytest.raises(EvaluationError, match="jobs"):
        lic.evaluate(folder, tmp_path / "run", codecs=["jpeg"], jobs=0)
    with pytest.raises(ImageError, match="no folder"):
        lic.evaluate(folder / "none", tmp_path / "run", codecs=["jpeg"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no images"):
        lic.evaluate(tmp_path / "empty", tmp_path / "run", codecs=["jpeg"])
    assert not (tmp_path / "run").exists()


def test_a_codec_of_many_channels_is_measured_on_images_of_its_channels_and_bits(tmp_path):
    codec = lic.Codec(tiny_model("klt", "factorized", channels=5, latent_depth=40), bit_depth=12)
    pixels = sample_image(5, 12)[:170, :180]
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "a.tif", pixels)
    write_image(tmp_path / "images" / "b.npy", pixels)
    write_image(tmp_path / "images" / "c.png", random_images(170, 180, 3))
    results = lic.evaluate(tmp_path / "images", tmp_path / "out", models=[codec])
    stream = codec.compress(pixels)
    decoded = codec.decompress(stream)
    assert [row.image for row in results.rows] == ["a.tif", "b.npy"]
    for row in results.rows:
        assert row.bytes == len(stream)
        assert row.psnr == 10 * np.log10(4095**2 / np.mean(np.square(decoded.astype(float) - pixels)))
        assert row.ms_ssim == pytest.approx(ms_ssim(pixels, decoded, 12))
    assert [failure.image for failure in results.failures] == ["c.png"]
    assert "the codec takes 5 channels" in results.failures[0].error
