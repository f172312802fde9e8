"""Streams with a right header and random bytes behind it, in a child process that has a time limit."""

import subprocess
import sys

import pytest

import lic
from tests.conftest import ENTROPY_MODELS, slow_but, tiny_model

COUNT, MANY, SLOWEST = 500, 2000, 2.0

# Each stream must end in a typed error within two seconds; the chance of a right checksum by luck is nil.
CHILD = """
import faulthandler, sys, time
import numpy as np, lic
from lic.codec.bitstream import Flag, Stream
codec, random = lic.load(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))
codec.decompress(codec.compress(np.zeros((16, 16, 3), np.uint8)))
slowest = 0.0
for number in range(int(sys.argv[3])):
    height, width = (int(size) for size in random.integers(1, 70, 2))
    payload = random.bytes(int(random.integers(0, 80)))
    if number % 4 == 0:
        payload = bytes([random.choice([0, 128, 255])]) * len(payload)
    crc, flags = int(random.integers(2**32)), Flag(int(random.integers(2)))
    quality = 1 + number % 257 / 256 if codec.qualities else None
    stream = Stream(codec.fingerprint, height, width, payload, crc, flags, quality)
    faulthandler.dump_traceback_later(float(sys.argv[4]), exit=True)
    began = time.perf_counter()
    try:
        codec.decompress(stream.pack())
    except (lic.DesyncError, lic.BitstreamError):
        faulthandler.cancel_dump_traceback_later()
        slowest = max(slowest, time.perf_counter() - began)
    else:
        sys.exit(f"stream {number} was decoded: {stream}")
print("slowest", slowest, "ended", number + 1)
"""


@pytest.mark.parametrize("entropy", slow_but(ENTROPY_MODELS, "hyperprior"))
def test_random_streams_end_in_a_typed_error(tmp_path, entropy):
    lmbda = (0.002, 0.02) if entropy == "hyperprior" else 0.01
    lic.Codec(tiny_model("klt", entropy, lmbda=lmbda)).save(tmp_path / "tiny.codec")
    count = COUNT if entropy == "hyperprior" else MANY
    # A slow machine is given more than two seconds for a stream, since only an end that never comes is a failure.
    command = [sys.executable, "-c", CHILD, str(tmp_path / "tiny.codec"), "0", str(count), str(5 * SLOWEST)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.stdout.split()[-2:] == ["ended", str(count)], ended.stderr[-2000:]
