"""Options of TensorFlow that rewrite graphs in another type are refused where they have an effect."""

import subprocess
import sys

import pytest

import lic
from tests.conftest import random_images, shared_codec

CHILD = """
import sys
import numpy as np
import lic, tensorflow as tf
from tests.conftest import tiny_model
option = sys.argv[1]
image = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
for deterministic in (True, False):
    model = tiny_model("klt", "hyperprior")
    before = lic.Codec(model, deterministic=deterministic).compress(image)
    codec = lic.Codec(model, deterministic=deterministic)  # Its graphs have not run yet, and would be rewritten.
    tf.config.optimizer.set_experimental_options({option: True})
    for attempt in (lambda: codec.compress(image), lambda: codec.decompress(before)):
        try:
            attempt()
            print("same" if codec.compress(image) == before else "other")
        except lic.LicError as error:
            assert option in str(error)
            print("refused")
    tf.config.optimizer.set_experimental_options({option: False})
    print("again", codec.compress(image) == before)
"""


def test_graphs_in_another_type_are_refused_in_both_kinds_of_codec():
    command = [sys.executable, "-c", CHILD, "auto_mixed_precision_onednn_bfloat16"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-2000:]
    deterministic, ordinary = ended.stdout.split()[:4], ended.stdout.split()[4:]
    for printed in (deterministic, ordinary):
        # Processors that have no bfloat16 compute as before.
        assert printed[:2] in (["refused", "refused"], ["same", "same"])
        assert printed[2:] == ["again", "True"]


def test_each_call_checks_the_type_that_graphs_compute_in(monkeypatch):
    codec, image = shared_codec("klt", "hyperprior"), random_images(40, 56, 3)
    stream = codec.compress(image)
    monkeypatch.setattr("lic.codec.float32._computes_whole_numbers", lambda options: False)
    for call in (lambda: codec.compress(image), lambda: codec.decompress(stream), lambda: codec.analyse(image)):
        with pytest.raises(lic.LicError, match="computes graphs in less than float32"):
            call()
