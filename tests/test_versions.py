"""Versions and the machine."""

import importlib.metadata
import json
import os

import lic
from lic.versions import machine, versions


def test_versions_are_those_that_are_installed():
    found = versions()
    assert found["lic"] == lic.__version__
    for package in ("tensorflow", "numpy", "einops", "pillow"):
        assert found[package] == importlib.metadata.version(package)
    assert "pytest" not in found


def test_the_machine_is_plain_data_with_its_cores():
    found = json.loads(json.dumps(machine()))
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["processor"]
    assert "Linux" in found["system"]
