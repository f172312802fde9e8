"""Parts from another installed package, which registers them by an entry point."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import lic
from tests.conftest import DATA


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that the example package is installed in."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(DATA / "plugin", folder / "source")  # Building leaves files beside it.
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site", source]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder / "site"


def printed(script, *arguments, path):
    paths = [str(path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def coded(installed, tmp_path_factory):
    """What a process prints that codes images with the parts, and then lists the parts; and the codec's file."""
    script = """
import json, sys
import numpy as np
import lic

model = lic.create_model(transform="plugin-fold", entropy="plugin-channels", step=6.0)
image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
codec = lic.Codec(model)
stream = codec.compress(image)
codec.save(sys.argv[1])
decoded = codec.decompress(stream)
others = {}
for transform, entropy in [("plugin-fold", "factorized"), ("conv", "plugin-channels")]:
    other = lic.Codec(lic.create_model(transform=transform, entropy=entropy))
    others[transform] = other.decompress(other.compress(np.full((20, 30, 3), 90, np.uint8))).shape
print(json.dumps({
    "parts": [type(model.transform).__module__, type(model.entropy).__module__],
    "estimate": sum(codec.estimate(image).values()),
    "bits": 8 * len(stream),
    "shape": decoded.shape,
    "error": int(np.abs(decoded.astype(int) - image).max()),
    "stream": stream.hex(),
    "others": others,
    "transforms": lic.list_transforms(),
    "entropy models": lic.list_entropy_models(),
}))
"""
    file = tmp_path_factory.mktemp("codec") / "plugin.codec"
    return printed(script, file, path=installed) | {"file": file}


def test_parts_are_listed(coded):
    assert {"plugin-fold", "conv"} <= set(coded["transforms"])
    assert {"plugin-channels", "hyperprior"} <= set(coded["entropy models"])


def test_without_the_package_its_parts_do_not_exist():
    assert not [name for name in lic.list_transforms() + lic.list_entropy_models() if name.startswith("plugin")]


def test_model_of_the_parts_codes_images(coded):
    assert coded["parts"] == ["lic_plugin_example", "lic_plugin_example"]
    assert coded["shape"] == [20, 30, 3]
    assert coded["error"] <= 3  # Half a step of 6.
    assert coded["bits"] == pytest.approx(coded["estimate"], rel=0.1)


def test_another_process_decodes_the_stream(coded, installed):
    script = """
import json, sys
import lic

print(json.dumps(lic.load(sys.argv[1]).decompress(bytes.fromhex(sys.argv[2])).shape))
"""
    assert printed(script, coded["file"], coded["stream"], path=installed) == [20, 30, 3]


def test_other_parts_go_with_those_of_the_plugin(coded):
    assert coded["others"] == {"plugin-fold": [20, 30, 3], "conv": [20, 30, 3]}
