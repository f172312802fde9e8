"""The share of a codec's time that range coders take."""

import threading
import time

import numpy as np
import pytest

from lic.codec.coder_timing import coder_times
from tests.conftest import random_images, shared_codec

IMAGE = random_images(64, 80, 3)


@pytest.fixture(scope="module")
def codec():
    return shared_codec("klt", "hyperprior")


def test_seconds_of_each_stream_are_collected_and_within_the_whole(codec):
    stream = codec.compress(IMAGE)
    began = time.perf_counter()
    with coder_times() as collected:
        codec.decompress(codec.compress(IMAGE))
    assert len(collected) == 2
    assert all(0 < each.seconds < each.measuring for each in collected)
    assert sum(each.seconds + each.measuring for each in collected) < time.perf_counter() - began
    codec.decompress(stream)
    assert len(collected) == 2


def test_a_longer_stream_takes_the_coder_longer(codec):
    seconds = []
    for side in (64, 1024):
        image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        with coder_times() as collected:
            codec.compress(image)
            codec.compress(image)
        seconds.append(min(each.seconds for each in collected))
    assert seconds[1] > 2 * seconds[0]


def test_all_the_time_that_measuring_takes_is_known(codec, monkeypatch):
    def slow(*_):
        time.sleep(0.3)
        return 0.1, 0.2

    monkeypatch.setattr("lic.codec.codec.coder_seconds", slow)
    stream = codec.compress(IMAGE)
    for work, seconds in ((lambda: codec.compress(IMAGE), 0.1), (lambda: codec.decompress(stream), 0.2)):
        with coder_times() as collected:
            work()
        assert [each.seconds for each in collected] == [seconds]
        assert 0.3 <= collected[0].measuring < 3


def test_threads_and_nested_contexts_do_not_mix(codec):
    with coder_times() as outer:
        thread = threading.Thread(target=codec.compress, args=[IMAGE])
        thread.start()
        thread.join()
        with coder_times() as inner:
            codec.compress(IMAGE)
    assert (len(outer), len(inner)) == (0, 1)
