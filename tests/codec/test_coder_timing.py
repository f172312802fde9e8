"""The share of a codec's time that range coders take."""

import threading
import time

import numpy as np
import pytest

from lic.codec.coder_timing import coder_seconds
from tests.conftest import random_images, shared_codec

IMAGE = random_images(64, 80, 3)


@pytest.fixture(scope="module")
def codec():
    return shared_codec("klt", "hyperprior")


def test_seconds_of_each_stream_are_collected_and_within_the_whole(codec):
    stream = codec.compress(IMAGE)
    began = time.perf_counter()
    with coder_seconds() as collected:
        codec.decompress(codec.compress(IMAGE))
    assert len(collected) == 2
    assert all(seconds > 0 for seconds in collected)
    assert 2 * sum(collected) < time.perf_counter() - began
    codec.decompress(stream)
    assert len(collected) == 2


def test_a_longer_stream_takes_the_coder_longer(codec):
    seconds = []
    for side in (64, 1024):
        image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        with coder_seconds() as collected:
            codec.compress(image)
            codec.compress(image)
        seconds.append(min(collected))
    assert seconds[1] > 2 * seconds[0]


def test_threads_and_nested_contexts_do_not_mix(codec):
    with coder_seconds() as outer:
        thread = threading.Thread(target=codec.compress, args=[IMAGE])
        thread.start()
        thread.join()
        with coder_seconds() as inner:
            codec.compress(IMAGE)
    assert (len(outer), len(inner)) == (0, 1)
