"""A folder that one process at a time writes to."""

import subprocess
import sys

import pytest

from lic.errors import EvaluationError, TrainingError
from lic.folder_lock import locked

CHILD = """
import sys
from lic.errors import TrainingError
from lic.folder_lock import locked
with locked(sys.argv[1], TrainingError, "training"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_another_call_is_refused_until_the_first_has_ended(tmp_path):
    with locked(tmp_path, TrainingError, "training"):
        wanted = pytest.raises(EvaluationError, match="Another evaluation writes to .* now. Wait until")
        with wanted, locked(tmp_path, EvaluationError, "evaluation"):
            pass
        (tmp_path / "other").mkdir()
        with locked(tmp_path / "other", TrainingError, "training"):
            pass
    with locked(tmp_path, TrainingError, "training"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_killed_process_leaves_no_lock(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(TrainingError, match="Another training"), locked(tmp_path, TrainingError, "training"):
            pass
    finally:
        child.kill()
        child.communicate()
    with locked(tmp_path, TrainingError, "training"):
        pass


def test_a_file_system_without_locks_does_without(tmp_path):
    with locked(tmp_path / "none", TrainingError, "training"):
        pass
