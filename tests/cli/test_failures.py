"""Failures around the command: the message is clear, no partial file is left, and finished outputs stay."""

import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path):
    """A folder of small photographs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 256, (120, 90, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def _start(*arguments):
    command = [sys.executable, "-m", "lic", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def _no_room(limit):
    """No file of this process may have more bytes than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _partial(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.suffix == ".part"]


@pytest.mark.usefixtures("ctrl_c_raises")
def test_an_interrupted_batch_keeps_finished_files(run, codec, photos, tmp_path):
    out = tmp_path / "out"
    for number in range(40, 400):  # So many that the signal comes before the last, however busy the machine is.
        os.link(photos / "00.png", photos / f"{number}.png")
    running = _start("compress", "--model", codec, photos, out)
    while running.poll() is None and not list(out.glob("*.lic")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=300)
    done = sorted(out.glob("*.lic"))
    assert 0 < len(done) < 400
    assert running.returncode != 0
    assert "Traceback" not in stderr
    assert re.fullmatch(
        rf"lic: stopped after ({len(done)}|{len(done) - 1}) of 400 files, which stay as they are\n", stderr
    )
    assert not _partial(out)
    code, _, stderr = run("verify", "--model", codec, *done[:9], *done[-9:])
    assert code == 0, stderr


def test_a_full_disk_is_an_error_and_leaves_nothing(run, codec, photos, tmp_path):
    out = tmp_path / "out"
    with _no_room(200):  # No stream of these fits in.
        code, _, stderr = run("compress", "--model", codec, photos / "00.png", photos / "01.png", "--out", out)
    assert code == 1
    assert stderr.count("File too large") == 2
    assert "Traceback" not in stderr
    assert not list(out.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_an_error(run, codec, photos, tmp_path):
    (out := tmp_path / "out").mkdir(mode=0o500)
    code, _, stderr = run("compress", "--model", codec, photos / "00.png", photos / "01.png", "--out", out)
    assert code == 1
    assert "Permission denied" in stderr
    assert "Traceback" not in stderr


def test_an_output_below_a_file_is_an_error(run, codec, photos, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, stderr = run("compress", "--model", codec, photos / "00.png", "--out", tmp_path / "file" / "00.lic")
    assert code == 1
    assert "lic: " in stderr
    assert "Traceback" not in stderr


def test_a_closed_pipe_ends_quietly():
    running = _start("models")  # Each verb prints as this one, which imports no TensorFlow.
    running.stdout.close()  # As `head` does once it has its lines.
    stderr = running.stderr.read()
    assert running.wait(timeout=60) != 0
    assert "Traceback" not in stderr
