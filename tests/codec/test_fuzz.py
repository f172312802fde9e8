"""Mutated streams and files in a child process with a time limit: a coder that never returns is not caught inside."""

import json
import os
import subprocess
import sys

import pytest

COUNT = int(os.environ.get("LIC_FUZZ", "1000"))  # `make test-all` asks for 20,000.


@pytest.fixture(scope="module")
def found():
    """What one process found for files and for streams; another would import TensorFlow too."""
    files = max(COUNT // 20, 1)
    # A slow machine is given more than two seconds for a stream, since only an end that never comes is a failure.
    options = ["--count", str(COUNT), "--files", str(files), "--slowest", "10"]
    command = [sys.executable, "-m", "tests.codec.fuzz", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=7200)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return {name: json.loads(line) for name, line in zip(("files", "streams"), ended.stdout.splitlines(), strict=True)}


def test_damaged_files_end_in_a_typed_error_or_are_read(found):
    assert found["files"]["count"] == sum(found["files"]["outcomes"].values()) == max(COUNT // 20, 1)


def test_mutated_streams_end_in_a_typed_error_or_the_right_image(found):
    assert found["streams"]["count"] == sum(found["streams"]["outcomes"].values()) == COUNT
    # Every way to refuse is met.
    assert {"BitstreamError", "WrongModelError", "DesyncError"} <= found["streams"]["outcomes"].keys()
