"""Streams that were made once decode to the same latent for ever, on every machine."""

import functools
import json

import numpy as np
import pytest
from PIL import Image

import lic
from tests.codec.golden_streams import FOLDER, digest

STREAMS = sorted(FOLDER.glob("*.lic"))


@functools.cache
def _codecs():
    """Returns deterministic codecs by their fingerprints."""
    codecs = [lic.load(name, deterministic=True) for name in ("default", *sorted(FOLDER.glob("*.codec")))]
    return {codec.fingerprint.hex(): codec for codec in codecs}


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_streams_decode_to_the_recorded_latents(path):
    facts, stream = json.loads(path.with_suffix(".json").read_text()), path.read_bytes()
    codec = _codecs()[facts["codec"]]
    assert digest(codec.decode_latent(stream)) == facts["latent"]
    image, expected = codec.decompress(stream), np.asarray(Image.open(path.with_suffix(".png")))
    assert image.shape == expected.shape
    # The synthesis computes in floats, whose last bits may round a pixel the other way elsewhere.
    difference = np.abs(image.astype(int) - expected)
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 0.005 * difference.size


def test_streams_of_every_codec_are_there():
    found = {json.loads(path.with_suffix(".json").read_text())["codec"] for path in STREAMS}
    assert found == _codecs().keys()
    assert len(STREAMS) == 6 + 5 * 3


def test_a_changed_latent_has_another_digest():
    latent = np.zeros((2, 3, 4), np.float32)
    assert digest(latent) != digest(np.nextafter(latent, 1))
