"""Options of TensorFlow that rewrite graphs in another type are refused where they have an effect."""

import subprocess
import sys

import pytest

CHILD = """
import sys
import numpy as np
import lic, tensorflow as tf
from tests.conftest import tiny_model
option, deterministic = sys.argv[1], sys.argv[2] == "deterministic"
image = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
codec = lic.Codec(tiny_model("klt", "hyperprior"), deterministic=deterministic)
before = codec.compress(image)
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


@pytest.mark.parametrize("kind", ["deterministic", "ordinary"])
def test_graphs_in_another_type_are_refused(kind):
    command = [sys.executable, "-c", CHILD, "auto_mixed_precision_onednn_bfloat16", kind]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-2000:]
    first, second, *again = ended.stdout.split()
    # Processors that have no bfloat16 compute as before.
    assert (first, second) in [("refused", "refused"), ("same", "same")]
    assert again == ["again", "True"]
