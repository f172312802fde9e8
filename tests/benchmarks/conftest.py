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


def result(**changes):
    """Returns a row of results."""
    what = {"model": "default", "weights": "fresh", "size": "768x512", "precision": "float32", "tile": ""}
    machine = {"cpu": "Some CPU", "cores": "2", "tensorflow": "2.14.1", "commit": "abc", "lic": "0.1.0", "date": "1"}
    found = {"quantity": "decompress", "unit": "s", "median": "2", "least": "1", "most": "4", "repeats": "5"}
    return what | machine | found | {"rate_before": "100", "rate_after": "100"} | changes


def write_rows(path, rows, columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="0", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def here(monkeypatch):
    """Makes imported scripts measure in this process, and not in fresh ones."""

    def patch(*scripts):
        for script in scripts:
            monkeypatch.setattr(script, "in_fresh_process", lambda function, *arguments: function(*arguments))

    return patch


@pytest.fixture
def load(monkeypatch):
    """Imports a script by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module
