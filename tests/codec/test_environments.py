"""A codec that one environment saves loads in the other, with every weight in its place."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import lic
from lic.environment import tf
from lic.registry import entropy_models
from lic.weights import get_tensors
from tests.codec import priors_in_a_child
from tests.conftest import SPREAD, random_images, tiny_model

ROOT = pathlib.Path(__file__).parents[2]

OTHER = """
import pathlib, sys
sys.path.insert(0, sys.argv.pop(1))
import numpy as np, lic
from tests.codec.priors_in_a_child import register
from lic.weights import get_tensors
register()
for path in map(pathlib.Path, sys.argv[1:]):
    codec = lic.load(path)
    np.savez(path.with_suffix(".npz"), **get_tensors(codec.model))
    codec.save(path.with_suffix(".again"))
    if path.with_suffix(".lic").exists():
        np.save(path.with_suffix(".npy"), codec.decompress(path.with_suffix(".lic").read_bytes()))
"""


def _other_python() -> pathlib.Path | None:
    """Returns the Python of the other virtual environment beside this one, or None unless it is complete."""
    other = ROOT / (".venv" if pathlib.Path(sys.prefix).name == ".venv-312" else ".venv-312")
    return other / "bin" / "python" if (other / ".installed").exists() else None


@pytest.mark.skipif(_other_python() is None, reason="the other virtual environment is not there: make setup setup-312")
def test_the_other_environment_loads_every_codec(tmp_path, monkeypatch):
    monkeypatch.setattr(entropy_models, "_entries", dict(entropy_models._entries))
    priors_in_a_child.register()
    paths, images = [], {}
    for transform, entropy in [*SPREAD, ("klt", priors_in_a_child.NAME)]:
        if entropy == priors_in_a_child.NAME:
            model = lic.create_model(transform=transform, entropy=entropy, width=8, latent_depth=12)
        else:
            model = tiny_model(transform, entropy)
        model(np.zeros((1, 32, 32, 3), np.float32))
        for variable in model.trainable_variables:
            # Priors far apart: one that is decoded by the table of another gives another image.
            spread = 0.5 if "matrix" in variable.name or "bias_" in variable.name else 0.01
            variable.assign(variable + tf.random.normal(variable.shape, stddev=spread))
        codec, path = lic.Codec(model), tmp_path / f"{transform}-{entropy}.codec"
        codec.save(path)
        paths.append(path)
        # Without networks the two environments decode alike. Others may desynchronise, and deterministic codecs do not:
        # test_everywhere.py decodes their streams in all environments.
        if (transform, entropy) in (("conv", "factorized"), ("klt", priors_in_a_child.NAME)):
            stream = codec.compress(random_images(40, 50, 3))
            path.with_suffix(".lic").write_bytes(stream)
            images[path] = codec.decompress(stream)
    subprocess.run([_other_python(), "-c", OTHER, ROOT, *paths], check=True, capture_output=True)
    for path in paths:
        expected = get_tensors(lic.load(path).model)
        with np.load(path.with_suffix(".npz")) as found:
            assert sorted(found.files) == sorted(expected)
            for name, array in expected.items():
                np.testing.assert_array_equal(found[name], array)
        assert path.with_suffix(".again").read_bytes() == path.read_bytes()
    assert len(images) == 2
    for path, image in images.items():
        assert np.abs(np.load(path.with_suffix(".npy")).astype(int) - image).max() <= 1
