"""Mutated streams and files in a child process with a time limit: a coder that never returns is not caught inside."""

import json
import os
import subprocess
import sys

COUNT = int(os.environ.get("LIC_FUZZ", "1000"))  # `make test-all` asks for 20,000.


def test_damaged_files_end_in_a_typed_error_or_are_read():
    count = max(COUNT // 20, 1)
    command = [sys.executable, "-m", "tests.codec.fuzz", "--files", "--count", str(count), "--slowest", "25"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["count"] == sum(found["outcomes"].values()) == count


def test_mutated_streams_end_in_a_typed_error_or_the_right_image():
    # A slow machine is given more than two seconds for a stream, since only an end that never comes is a failure.
    command = [sys.executable, "-m", "tests.codec.fuzz", "--count", str(COUNT), "--slowest", "10"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["count"] == sum(found["outcomes"].values()) == COUNT
    # Every way to refuse is met.
    assert {"BitstreamError", "WrongModelError", "DesyncError"} <= found["outcomes"].keys()
