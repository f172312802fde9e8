"""CRC-32 in a graph against zlib's."""

import zlib

import numpy as np
import pytest

from lic.environment import tf
from lic.interop.crc32 import crc32_of_bytes, crc32_of_integers

of_bytes = tf.function(crc32_of_bytes, [tf.TensorSpec((None,), tf.uint8)], autograph=False)
of_integers = tf.function(crc32_of_integers, [tf.TensorSpec((None,), tf.int32)], autograph=False)
RANDOM = np.random.default_rng(0)


def unsigned(number):
    return int(number) & 0xFFFFFFFF


def test_known_checksum():
    assert unsigned(of_bytes(np.frombuffer(b"123456789", np.uint8))) == 0xCBF43926


@pytest.mark.parametrize(
    "lengths", [range(101), RANDOM.integers(101, 300_000, 20), [(1 << 20) - 1, 1 << 20, 3_000_001]]
)
def test_bytes_of_every_length(lengths):
    for length in lengths:
        message = RANDOM.bytes(int(length))
        assert unsigned(of_bytes(np.frombuffer(message, np.uint8))) == zlib.crc32(message), length


def test_zeros_count():
    for length in (1, 3, 4, 100, 65536):
        assert unsigned(of_bytes(np.zeros(length, np.uint8))) == zlib.crc32(bytes(length))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000, 123_457])
def test_integers_are_their_bytes(count):
    numbers = RANDOM.integers(-(2**31), 2**31, count).astype("<i4")
    assert unsigned(of_integers(numbers)) == zlib.crc32(numbers.tobytes())
