"""Work over the processes of a local Ray cluster of two workers."""

import functools
import os
import pathlib

import pytest
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.cluster import on_cluster
from lic.errors import LicError
from tests.conftest import random_images, slow_but, tiny_model

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    """One cluster for all tests here: each would take seconds to start."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=128 << 20)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number in range(6):
        Image.fromarray(random_images(64, 80, 3, seed=number)).save(folder / f"{number}.png")
    (folder / "broken.png").write_text("nothing")
    return folder


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "tiny.codec"
    lic.Codec(tiny_model("klt", "checkerboard")).save(path)
    return path


def _square(marks: pathlib.Path, number: int) -> int:
    """Kills its process the first time that it meets 3, and whenever it meets 7."""
    mark = marks / f"{number}-{os.getpid()}"
    mark.touch()
    if number == 7 or (number == 3 and len(list(marks.glob("3-*"))) == 1):
        os._exit(1)
    if number == 5:
        raise ValueError("five")
    return number * number


@pytest.mark.parametrize("count", slow_but([7, 9]))
def test_a_dead_workers_items_are_done_again_and_those_that_kill_are_named(tmp_path, count):
    outcomes = dict(on_cluster(functools.partial(_square, tmp_path), range(count), workers=2))
    assert len(list(tmp_path.glob("3-*"))) >= 2
    assert str(outcomes.pop(5)) == "five"
    if count > 7:
        assert isinstance(outcomes.pop(7), LicError)
    assert outcomes == {number: number * number for number in range(count) if number not in (5, 7)}


@pytest.mark.slow
def test_an_item_that_always_kills_its_worker_is_an_error(tmp_path):
    ((item, outcome),) = on_cluster(functools.partial(_square, tmp_path), [7], workers=1)
    assert item == 7
    assert isinstance(outcome, LicError)
    assert "3 workers died at this item, perhaps for want of memory (ActorDiedError: " in str(outcome)


class KillsOnce(lic.Codec):
    """A codec whose process dies at the second image that any worker codes."""

    marks: pathlib.Path

    def __reduce__(self):
        return _killing, (super().__reduce__(), self.marks)

    def compress(self, image, **options):
        stream = super().compress(image, **options)
        (self.marks / f"{os.getpid()}-{len(list(self.marks.iterdir()))}").touch()
        if len(list(self.marks.iterdir())) == 2:
            os._exit(1)
        return stream


def _killing(reduced, marks):
    make, arguments = reduced
    codec = make(*arguments)
    codec.__class__, codec.marks = KillsOnce, marks
    return codec


@pytest.mark.slow
def test_the_result_of_a_codec_is_that_of_one_process(codec, tmp_path):
    """The codec is sent to a worker, which imports TensorFlow."""
    Image.fromarray(random_images(64, 80, 3)).save(tmp_path / "one.png")
    one, two = (
        lic.evaluate(tmp_path / "one.png", tmp_path / out, models=[lic.load(codec)], ray=ray)
        for out, ray in (("here", None), ("there", "local"))
    )
    assert [row[:8] for row in two.rows] == [row[:8] for row in one.rows]
    assert len(two.rows) == 1


def test_the_result_is_that_of_one_process(folder, tmp_path):
    one, two = (
        lic.evaluate(folder, tmp_path / out, codecs=["jpeg=50"], ray=ray)
        for out, ray in (("one", None), ("two", "local"))
    )
    assert sorted(row[:8] for row in two.rows) == sorted(row[:8] for row in one.rows)
    assert [failure.image for failure in two.failures] == ["broken.png"]
    assert len(two.rows) == 6


@pytest.mark.slow
def test_the_result_is_that_of_one_process_though_a_worker_is_killed(codec, folder, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    one = lic.evaluate(folder, tmp_path / "one", models=[lic.load(codec)])
    killing = _killing(lic.load(codec).__reduce__(), marks)
    two = lic.evaluate(folder, tmp_path / "two", models=[killing], ray="local")
    assert len({mark.name.split("-")[0] for mark in marks.iterdir()}) >= 2
    assert sorted(row[:8] for row in two.rows) == sorted(row[:8] for row in one.rows)
    assert [failure.image for failure in two.failures] == ["broken.png"]
    assert len(two.rows) == 6


@pytest.mark.slow
def test_compress_writes_the_same_streams(codec, folder, tmp_path):
    for out, options in (("one", []), ("two", ["--ray", "local"])):
        arguments = ["compress", str(folder), "--model", str(codec), "--out", str(tmp_path / out), *options]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1
        assert "broken.png" in result.stderr
        assert result.stdout.count("dB") == 0
        assert result.stdout.count("->") == 6
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: (_ for _ in ()).throw(ConnectionError("no answer")))
    with pytest.raises(LicError, match=r"no Ray cluster at 'auto' \(no answer\)"):
        next(on_cluster(abs, [1], "auto"))
