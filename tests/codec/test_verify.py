"""Verifying: a stream is decoded and checked, but its image is not made."""

import time

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from tests.conftest import random_images, tiny_model

IMAGE = random_images(37, 50, 3)


@pytest.fixture(scope="module")
def codec():
    return lic.Codec(tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02)))


def test_a_whole_stream_is_verified_without_a_synthesis(codec, monkeypatch):
    stream = codec.compress(IMAGE)
    monkeypatch.setattr(codec._graphs, "synthesise", None)
    codec.verify(stream)


def test_a_stream_that_does_not_decode_is_refused(codec):
    stream = Stream.parse(codec.compress(IMAGE))
    with pytest.raises(lic.DesyncError):
        codec.verify(stream._replace(symbols_crc=stream.symbols_crc ^ 1).pack())
    with pytest.raises(lic.BitstreamError, match="damaged"):
        codec.verify(stream.pack()[:-1])
    with pytest.raises(lic.WrongModelError):
        codec.verify(stream._replace(fingerprint=bytes(4)).pack())
    with pytest.raises(lic.BitstreamError, match="max_pixels=1849"):
        codec.verify(stream.pack(), max_pixels=1849)


def _of_another(codec):
    """Returns a decoding with other symbols, as on a machine with other arithmetic."""
    decode = codec._graphs.decode

    def decoded(payload, *sizes):
        y_hat, symbols, seconds = decode(payload, *sizes)
        return y_hat, symbols + 1, seconds

    return decoded


@pytest.mark.parametrize(
    "compress",
    [
        lambda codec, **options: codec.compress(IMAGE, **options),
        lambda codec, **options: codec.compress_to(IMAGE, 10_000, **options),
    ],
)
def test_streams_are_verified_before_they_are_returned(codec, monkeypatch, compress):
    stream = compress(codec, verify=True)
    monkeypatch.setattr(codec._graphs, "decode", _of_another(codec))
    assert compress(codec) == stream
    with pytest.raises(lic.DesyncError, match="The decoded symbols differ"):
        compress(codec, verify=True)


SIZES = [(1, 4_000_000), (4_000_000, 1), (8000, 8000), (16, 11_000_000), (13_000, 13_000), (700, 800)]


@pytest.mark.parametrize("name", ["tiny", "default", "deterministic"])
def test_a_stream_that_is_too_short_for_its_size_is_refused_at_once(codec, name):
    codec = codec if name == "tiny" else lic.load("default", deterministic=name == "deterministic")
    stream = Stream.parse(codec.compress(np.zeros((16, 16, 3), np.uint8)))
    codec.verify(stream.pack())
    began = time.perf_counter()
    for height, width in SIZES:
        for payload in (b"", b"\7" * 50, bytes(900), b"\xff" * 900, stream.payload):
            for parts in (None, 0, 1):
                with pytest.raises((lic.BitstreamError, lic.DesyncError)):
                    made_up = stream._replace(height=height, width=width, payload=payload).pack()
                    codec.decompress(made_up, parts=parts)
    assert time.perf_counter() - began < 60


def test_the_limit_counts_the_pixels_of_the_padded_image(codec):
    stream = codec.compress(np.zeros((1, 100, 3), np.uint8))
    downscale = codec.model.transform.downscale
    padded = downscale * -(-100 // downscale) * downscale
    codec.verify(stream, max_pixels=padded)
    with pytest.raises(lic.BitstreamError, match=f"1x100 pixels, padded to {downscale}x.*max_pixels={padded - 1}"):
        codec.verify(stream, max_pixels=padded - 1)
