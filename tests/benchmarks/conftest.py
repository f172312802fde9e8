"""The scripts, run in processes of their own or imported."""

import csv
import importlib
import pathlib
import subprocess
import sys

import pytest

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
QUICK = ("--repeats", "1", "--calibration-repeats", "1")


def run(script, *arguments):
    command = [sys.executable, BENCHMARKS / f"{script}.py", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def rows_in(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def load(monkeypatch):
    """Imports a script by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module
