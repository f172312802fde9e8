import numpy as np
import pytest
from PIL import Image

from lic.evaluation.run import worker
from lic.evaluation.run.codecs import EvaluatedCodec
from lic.evaluation.run.worker import Task, Worker, remaining_tasks
from tests.conftest import random_images
from tests.evaluation.run.test_results import row


class Fails:
    """A codec that keeps images as they are, and fails at quality 3."""

    def compress(self, image, *, quality):
        if quality == 3:
            raise MemoryError("no room")
        self.image = image
        return b"x"

    def decompress(self, stream):
        return self.image


@pytest.fixture
def one_worker(tmp_path):
    Image.fromarray(random_images(16, 20, 3)).save(tmp_path / "a.png")
    return Worker(EvaluatedCodec("a", Fails(), (1, 2, 3), {}), tmp_path)


def test_tasks_are_the_images_and_qualities_without_rows():
    codec = EvaluatedCodec("a", Fails(), (1.0, 2.0), {})
    measured = [row("a", "1", 1.0), row("a", "2", 1.0), row("a", "2", 2.0), row("b", "3", 1.0)]
    assert remaining_tasks(codec, ["1", "2", "3"], measured) == [Task("a", "1", (2.0,)), Task("a", "3", (1.0, 2.0))]


def test_a_quality_that_fails_is_listed_and_the_others_are_measured(one_worker):
    rows, failures = one_worker(Task("a", "a.png", (1, 3, 2)))
    assert [each.quality for each in rows] == [1, 2]
    assert [tuple(each) for each in failures] == [("a.png", "a", 3, "MemoryError: no room")]


def test_the_codec_runs_once_before_the_first_image_only(one_worker, monkeypatch):
    measured, measure = [], worker.measure
    monkeypatch.setattr(worker, "measure", lambda *given: measured.append(given[-1]) or measure(*given))
    for _ in range(2):
        one_worker(Task("a", "a.png", (2, 1)))
    assert measured == [2, 2, 1, 2, 1]


def test_the_codec_runs_before_the_first_image_that_can_be_read(one_worker, monkeypatch):
    measured, measure = [], worker.measure
    monkeypatch.setattr(worker, "measure", lambda *given: measured.append(given[-1]) or measure(*given))
    for image in ("none.png", "a.png"):
        one_worker(Task("a", image, (2, 1)))
    assert measured == [2, 2, 1]


def test_an_image_that_cannot_be_read_fails_once(one_worker):
    rows, failures = one_worker(Task("a", "none.png", (1, 2)))
    assert not rows
    assert [(each.image, each.codec, each.quality) for each in failures] == [("none.png", None, None)]


def test_no_argument_is_named_that_an_evaluation_does_not_have(one_worker, tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "deep.png")
    _, failures = one_worker(Task("a", "deep.png", (1,)))
    assert failures[0].error.endswith(
        "deep.png has 16 bits a channel, a codec takes 8. Convert it before, to opaque PNG of 8 bits."
    )


def test_the_pixels_are_those_of_the_file(one_worker):
    one_worker(Task("a", "a.png", (1,)))
    np.testing.assert_array_equal(one_worker._codec.image, random_images(16, 20, 3))
