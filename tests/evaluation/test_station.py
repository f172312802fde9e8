"""Where one codec measures images."""

import numpy as np
import pytest
from PIL import Image

from lic.evaluation import station
from lic.evaluation.candidates import Candidate
from lic.evaluation.station import Job, Station, jobs_of
from tests.conftest import random_images
from tests.evaluation.test_results import row


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
def made(tmp_path):
    Image.fromarray(random_images(16, 20, 3)).save(tmp_path / "a.png")
    return Station(Candidate("a", Fails(), (1, 2, 3), {}), tmp_path)


def test_jobs_are_what_is_left():
    candidate = Candidate("a", Fails(), (1.0, 2.0), {})
    there = [row("a", "1", 1.0), row("a", "2", 1.0), row("a", "2", 2.0), row("b", "3", 1.0)]
    assert jobs_of(candidate, ["1", "2", "3"], there) == [Job("a", "1", (2.0,)), Job("a", "3", (1.0, 2.0))]


def test_what_fails_is_named_and_the_other_qualities_go_on(made):
    rows, failures = made(Job("a", "a.png", (1, 3, 2)))
    assert [each.quality for each in rows] == [1, 2]
    assert [tuple(each) for each in failures] == [("a.png", "a", 3, "MemoryError: no room")]


def test_the_codec_runs_once_before_the_first_image_only(made, monkeypatch):
    measured, measure = [], station.measure
    monkeypatch.setattr(station, "measure", lambda *given: measured.append(given[-1]) or measure(*given))
    for _ in range(2):
        made(Job("a", "a.png", (2, 1)))
    assert measured == [2, 2, 1, 2, 1]


def test_an_image_that_cannot_be_read_fails_once(made):
    rows, failures = made(Job("a", "none.png", (1, 2)))
    assert not rows
    assert [(each.image, each.codec, each.quality) for each in failures] == [("none.png", None, None)]


def test_the_pixels_are_those_of_the_file(made):
    made(Job("a", "a.png", (1,)))
    np.testing.assert_array_equal(made._codec.image, random_images(16, 20, 3))
