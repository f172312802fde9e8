"""A deterministic stream decodes to the same latent in processes that compute floats in other ways."""

import hashlib
import itertools
import os
import pathlib
import subprocess
import sys

import pytest

import lic
from tests.conftest import random_images, tiny_model

ROOT = pathlib.Path(__file__).parents[2]
OTHERS = [ROOT / name / "bin" / "python" for name in (".venv", ".venv-312", ".venv-313")]
ALL = "LIC_MATRIX" in os.environ  # `make test-all` asks for all.

# Decodes streams by both kinds of parameter networks; prints a digest of each latent, or the error's name.
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import hashlib, pathlib
import numpy as np, lic
from lic.environment import tf
mode, folder = sys.argv[2], pathlib.Path(sys.argv[3])
options = {"tile": 64} if mode == "tiled" else {"precision": "bfloat16"} if mode == "bfloat16" else {}
tf.config.run_functions_eagerly(mode == "eager")
if mode == "unoptimized":
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True, "constant_folding": False})
if mode == "xla":
    from lic.codec.integer.layers import IntegerConvolution
    call = IntegerConvolution.__call__
    IntegerConvolution.__call__ = lambda self, values: tf.function(
        lambda values: call(self, values), [tf.TensorSpec(values.shape)], autograph=False, jit_compile=True
    )(values)
for path in sorted(folder.glob("*.codec")):
    if "TF_XLA_FLAGS" in os.environ:  # Encoder and decoder of an ordinary codec agree.
        codec = lic.load(path, **options)
        codec.compress(np.random.default_rng(1).integers(0, 256, (90, 70, codec.channels), np.uint8), verify=True)
    codec = lic.load(path, deterministic=True, **options)
    for stream in sorted(folder.glob(path.stem + "*.lic")):
        data = stream.read_bytes()
        _, y_hat = codec._decoded(data, None, 10**9)
        assert codec.decompress(data).shape
        print(stream.name, hashlib.sha256(y_hat.tobytes()).hexdigest())
"""
SETTINGS = [
    {"TF_ENABLE_ONEDNN_OPTS": onednn, "ONEDNN_MAX_CPU_ISA": isa, "threads": threads}
    for onednn, isa, threads in itertools.product(("1", "0"), ("SSE41", "AVX2", "AVX512_CORE"), ("1", "2"))
    if onednn == "1" or isa == "AVX2"  # Instructions are oneDNN's choice.
]
# TensorFlow compiles whatever it can, by itself.
CLUSTERS = {"TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_min_cluster_size=1"}
MODES = ["graph", "eager", "unoptimized", "xla", "tiled", "bfloat16"]
FEW = [pytest.param(SETTINGS[0], "graph", marks=pytest.mark.slow), (SETTINGS[-1], "xla")]
FEW.append(pytest.param(CLUSTERS, "graph", marks=pytest.mark.slow))
MANY = [(settings, "graph") for settings in [*SETTINGS, CLUSTERS]] + [(SETTINGS[5], mode) for mode in MODES[1:]]
TINY = {
    "charm": ("conv", "charm", {"num_slices": 2}),
    "checkerboard": ("klt", "checkerboard", {"fusion": "add", "lmbda": (0.002, 0.02)}),
    "channels": ("klt", "hyperprior", {"channels": 4}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Deterministic codecs, and streams of theirs."""
    folder = tmp_path_factory.mktemp("streams")
    for name, (transform, entropy, sizes) in TINY.items():
        image = random_images(200, 170, sizes.get("channels", 3))
        codec = lic.Codec(tiny_model(transform, entropy, **sizes), deterministic=True, calibration=[image])
        codec.save(folder / f"{name}.codec")
        (folder / f"{name}.lic").write_bytes(codec.compress(image))
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    """The lines that a child prints, by this process."""
    lines = []
    for path in sorted(folder.glob("*.codec")):
        stream = path.with_suffix(".lic")
        _, y_hat = lic.load(path, deterministic=True)._decoded(stream.read_bytes(), None, 10**9)
        lines.append(f"{stream.name} {hashlib.sha256(y_hat.tobytes()).hexdigest()}\n")
    return "".join(lines)


def _decoded(folder, settings, mode, python=sys.executable):
    settings = dict(settings)
    threads = settings.pop("threads", "1")
    environment = os.environ | settings | {"TF_NUM_INTRAOP_THREADS": threads, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(python), "-c", CHILD, str(ROOT / "src"), mode, str(folder)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


@pytest.mark.parametrize(("settings", "mode"), MANY if ALL else FEW, ids=str)
def test_other_settings_give_the_same_latent(folder, expected, settings, mode):
    assert _decoded(folder, settings, mode) == expected
    assert expected.count("\n") == len(TINY)


@pytest.mark.parametrize("python", [path for path in OTHERS if path.exists()], ids=lambda path: path.parts[-3])
def test_other_environments_give_the_same_latent(folder, expected, python):
    assert _decoded(folder, {}, "graph", python) == expected
