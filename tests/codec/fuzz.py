"""Mutated streams, decoded one after the other: run by the tests in a process of its own, or by hand.

    python -m tests.codec.fuzz --count 20000 --seed 7

Every outcome must be a typed error or the right image, within two seconds and a GiB. Exits with the traceback of where
it hung, or with the stream that was taken for another.
"""

import argparse
import collections
import faulthandler
import json
import random
import resource
import sys
import time
import zlib

import numpy as np

import lic
from lic.codec.bitstream import MAGIC, Stream
from tests.conftest import random_images, tiny_model

SIZES = [(1, 1), (17, 33), (64, 48), (40, 90)]


def flip(stream, others, draw):
    """Returns one to eight flipped bits."""
    damaged = bytearray(stream)
    for _ in range(draw.randint(1, 8)):
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def cut(stream, others, draw):
    """Returns the start of a stream."""
    return stream[: draw.randrange(len(stream))]


def drop(stream, others, draw):
    """Returns a stream without some bytes in the middle."""
    start = draw.randrange(len(stream))
    return stream[:start] + stream[start + draw.randint(1, 20) :]


def splice(stream, others, draw):
    """Returns the start of one stream and the end of another."""
    other = draw.choice(others)
    return stream[: draw.randrange(len(stream))] + other[draw.randrange(len(other)) :]


def lie_about_size(stream, others, draw):
    """Returns a stream with another height and width."""
    sizes = [1 + draw.randrange(2 ** draw.choice([2, 4, 8, 12, 16, 31])) for _ in range(2)]
    return Stream.parse(stream)._replace(height=sizes[0], width=sizes[1]).pack()


def lie_about_length(stream, others, draw):
    """Returns a stream with more or fewer coded bytes."""
    parsed = Stream.parse(stream)
    payload = parsed.payload + draw.randbytes(draw.randrange(50))
    return parsed._replace(payload=payload[: draw.randrange(len(payload) + 1)]).pack()


def lie_about_origin(stream, others, draw):
    """Returns a stream with another version, other flags, another fingerprint or another quality."""
    damaged = bytearray(stream)
    damaged[draw.choice([4, 5, 6, 7, 8, 9])] = draw.randrange(256)
    return bytes(damaged)


def replace(stream, others, draw):
    """Returns a stream with other coded bytes."""
    parsed = Stream.parse(stream)
    return parsed._replace(payload=draw.randbytes(draw.randrange(len(parsed.payload) + 9))).pack()


def make_up(stream, others, draw):
    """Returns random bytes, with the right start or without."""
    return MAGIC * draw.randrange(2) + draw.randbytes(draw.randrange(100))


def other_codec(stream, others, draw):
    """Returns a stream of another codec."""
    return draw.choice(others)


MUTATIONS = (flip, cut, drop, splice, lie_about_size, lie_about_length, lie_about_origin, replace, make_up, other_codec)


def mend(stream):
    """Makes the last checksum right, as an attacker would."""
    return stream[:-4] + zlib.crc32(stream[:-4]).to_bytes(4, "little")


class Target:
    """A codec, streams of its own, and what they decode to."""

    def __init__(self, codec):
        self.codec, self.streams = codec, [codec.compress(random_images(*size, 3)) for size in SIZES]
        self._images = {stream: codec.decompress(stream) for stream in self.streams}
        self._known = {Stream.parse(stream).symbols_crc for stream in self.streams}

    def outcome(self, stream):
        """Returns the name of the error, or of the kind of result; raises an AssertionError if that is wrong."""
        try:
            decoded = self.codec.decompress(stream)
        except lic.LicError as error:
            return type(error).__name__
        if stream in self._images:
            assert np.array_equal(decoded, self._images[stream]), f"decoded to a wrong image: {stream.hex()}"
            return "image"
        # With a right checksum, the fields of the header may be changed, and bytes may be added that are not read.
        assert Stream.parse(stream).symbols_crc in self._known, f"decoded without an error: {stream.hex()}"
        return "relabelled"


def targets():
    """Returns the codec that ships and a tiny one, whose streams are foreign to each other."""
    return [Target(lic.load("default")), Target(lic.Codec(tiny_model("klt", "checkerboard")))]


def mutated_streams(targets, count, seed):
    """Yields `count` pairs of a target and a mutated stream for it."""
    draw = random.Random(seed)
    for _ in range(count):
        which = draw.randrange(len(targets))
        target, others = targets[which], targets[1 - which].streams
        stream = draw.choice(MUTATIONS)(draw.choice(target.streams), others, draw)
        yield target, mend(stream) if len(stream) > 8 and draw.randrange(2) else stream


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest", type=float, default=2.0, help="seconds that a stream may take")
    options = parser.parse_args()
    both = targets()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, slowest = collections.Counter(), 0.0
    for target, stream in mutated_streams(both, options.count, options.seed):
        faulthandler.dump_traceback_later(options.slowest, exit=True)
        began = time.perf_counter()
        outcomes[target.outcome(stream)] += 1
        slowest = max(slowest, time.perf_counter() - began)
        faulthandler.cancel_dump_traceback_later()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    assert grown <= 1, f"memory grew by {grown:.2f} GiB"
    found = {"count": options.count, "outcomes": outcomes, "slowest": slowest, "grown_gib": grown}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
