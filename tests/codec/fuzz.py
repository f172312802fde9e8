"""Mutated streams, decoded one after the other: run by the tests in a process of its own, or by hand.

    python -m tests.codec.fuzz --count 20000 --seed 7

Every outcome must be a typed error or the right image, within two seconds and a GiB. Exits with the traceback of where
it hung, or with the stream that was taken for another.
"""

import argparse
import collections
import dataclasses
import faulthandler
import importlib.util
import io
import json
import pathlib
import random
import re
import resource
import sys
import tempfile
import time
import warnings
import zipfile
import zlib

import numpy as np

import lic
from lic.codec.bitstream import MAGIC, Stream
from lic.evaluation.run.journal import Journal
from lic.evaluation.run.results import Failure, Results, Row
from lic.interop.safetensors import export_safetensors
from lic.training.checkpoints import Checkpoints
from lic.training.loop import _compile, codec_of_run
from lic.training.run_folder import RunFolder
from lic.training.settings import TrainingSettings
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


def remade(file, draw):
    """Returns a zip of which one member is damaged, with sound checksums, as an attacker would."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, other = (draw.choice([*members, "codec.json"]) for _ in range(2))
    if name == "codec.json" and name in members:
        members[name] = other_number(members[name].decode(), draw).encode()
    elif name in members:
        members[name] = draw.choice([flip, cut, drop, splice])(
            members[name] or b"x", [members.get(other) or b"x"], draw
        )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for each, data in members.items():
            archive.writestr(each, data)
    return made.getvalue()


def other_number(text, draw):
    """Returns a JSON text in which another value stands in place of one of its numbers, strings and constants."""
    found = list(re.finditer(r'-?\d+(\.\d+)?(e-?\d+)?|"[^"]*"|true|false|null', text))
    if not found:
        return text[: len(text) // 2]
    place, value = draw.choice(found), draw.choice(VALUES)
    return text[: place.start()] + value + text[place.end() :]


VALUES = ["0", "-1", "1e999", "NaN", "1000000", "1e8", "0.5", '"x"', "null", "[]", "{}", "[" * 2000, "[[3, 3]]", "true"]


class Files:
    """Files of each kind, in a folder, and how each is read."""

    def __init__(self, folder):
        model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02))
        codec = lic.Codec(model, deterministic=True, calibration=[random_images(64, 80, 3)])
        codec.save(folder / "x.codec")
        row = Row("a", "1", 1.0, 8, 10, 10, 1.0, 30.0, 0.9, 10.0, 0.5, 0.1, 0.25, None, 100)
        facts = {"images": {"count": 2}, "codecs": {"a": {"settings": "fast"}}}
        Results([row, row._replace(image="2")], [Failure("3", "a", 1.0, "x")], facts).write(folder)
        Journal(folder, facts).add([row])
        settings = TrainingSettings(steps=2, batch=1, crop=32)
        config = {"model": model.configuration(), "settings": dataclasses.asdict(settings), "start": None}
        RunFolder(folder).begin(config, [("a.png", 7)], "abc")
        _compile(model, settings)
        model.optimizer.iterations.assign(2)
        checkpoints = Checkpoints(folder / "checkpoints")
        checkpoints.set_model(model)
        checkpoints.on_epoch_end(0)
        self._facts, self._folder = facts, folder
        self.readers = {
            "x.codec": lambda: lic.load(folder / "x.codec", deterministic=True),
            "eval.json": lambda: Results.read(folder).means(),
            "rows.jsonl": lambda: Journal(folder, facts),
            "run.json": lambda: codec_of_run(folder),
            "checkpoints/step-0000002.npz": lambda: codec_of_run(folder),
        }
        if importlib.util.find_spec("safetensors"):
            export_safetensors(model, folder / "x.safetensors")
            self.readers["x.safetensors"] = lambda: lic.import_checkpoint(folder / "x.safetensors")
        self._whole = {name: (folder / name).read_bytes() for name in self.readers}

    def outcome(self, draw):
        """Damages a file, and returns its name and the name of the error, or "read"."""
        name = draw.choice(list(self.readers))
        whole, other = self._whole[name], self._whole[draw.choice(list(self.readers))]
        if draw.randrange(2):
            damaged = draw.choice([flip, cut, drop, splice])(whole, [other], draw)
        elif zipfile.is_zipfile(io.BytesIO(whole)):
            damaged = remade(whole, draw)
        else:
            damaged = other_number(whole.decode("latin-1"), draw).encode("latin-1")
        (self._folder / name).write_bytes(damaged)
        try:
            self.readers[name]()
            return name, "read"
        except lic.LicError as error:
            return name, type(error).__name__
        finally:
            (self._folder / name).write_bytes(whole)


def damage_files(count, seed, slowest):
    """Reads damaged files, and prints the outcomes; each ends in an error of ours, or in the file's content."""
    draw, outcomes = random.Random(seed), collections.Counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = Files(pathlib.Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(count):
            faulthandler.dump_traceback_later(slowest, exit=True)
            outcomes[" ".join(files.outcome(draw))] += 1
            faulthandler.cancel_dump_traceback_later()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    assert grown <= 1, f"memory grew by {grown:.2f} GiB"
    sys.stdout.write(json.dumps({"count": count, "outcomes": outcomes, "grown_gib": grown}) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True, help="mutated streams")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest", type=float, default=2.0, help="seconds that a stream may take")
    parser.add_argument("--files", type=int, default=0, help="damaged files, before the streams; 10 times as slow")
    options = parser.parse_args()
    if options.files:
        damage_files(options.files, options.seed, 2.5 * options.slowest)
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
