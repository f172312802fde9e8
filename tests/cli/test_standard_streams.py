"""Standard input and output of any kind, and names of any bytes."""

import os
import subprocess
import sys

import pytest

from lic.cli.standard_streams import printable
from tests.cli.conftest import ODD_NAMES

# Copies files as a verb of the command does, in a process whose standard streams may be of any kind.
SCRIPT = """
import pathlib, sys
from lic.cli import batch, files
from lic.cli.standard_streams import standard_streams

def work(job, show_progress):
    files.write_bytes(job.target, files.read_bytes(job.source), False)
    return {"bytes": 3}

*paths, out = sys.argv[1:]
try:
    with standard_streams():
        jobs = files.plan(paths, out, files.Naming(".out", True, lambda path: False), lambda path: True)
        batch.run(jobs, work, batch.Existing(), False, "Copying")
        sys.exit(0)
except OSError as error:
    sys.exit(f"standard output: {error.strerror}")
except BaseException as error:
    sys.exit(getattr(error, "exit_code", getattr(error, "code", str(error))))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a file for each odd name."""
    (tmp_path / "in").mkdir()
    for name in ODD_NAMES:
        (tmp_path / "in" / os.fsdecode(name)).write_bytes(b"abc")
    return tmp_path


def copy(folder, redirection="", *arguments, **environment):
    command = f'exec "$0" "$@" {redirection}'
    words = ["bash", "-c", command, sys.executable, "-c", SCRIPT, *(arguments or ("in", "out"))]
    return subprocess.run(words, cwd=folder, capture_output=True, env=os.environ | environment)


def copied(folder):
    return sorted(os.fsencode(path.name) for path in (folder / "out").iterdir())


ALL = sorted(name + b".out" for name in ODD_NAMES)


@pytest.mark.parametrize(
    ("redirection", "environment", "code", "error"),
    [
        ("", {"PYTHONIOENCODING": "ascii"}, 0, b""),
        ("", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, 0, b""),
        ("> /dev/full", {}, 1, b"standard output: No space left on device\n"),
        (">&-", {}, 0, b""),
        (">&- 2>&-", {}, 0, b""),
        ("<&- >&- 2>&-", {}, 0, b""),
        ("2> /dev/full", {}, 0, b""),
    ],
    ids=str,
)
def test_every_standard_output_leaves_the_batch_as_it_is(folder, redirection, environment, code, error):
    ended = copy(folder, redirection, **environment)
    assert copied(folder) == ALL
    assert b"Traceback" not in ended.stderr
    assert (ended.returncode, ended.stderr) == (code, error)


def test_a_reader_that_has_gone_leaves_the_batch_as_it_is(folder):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", SCRIPT, "in", "out"]
    ended = subprocess.run(command, cwd=folder, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert copied(folder) == ALL
    assert (ended.returncode, ended.stderr) == (1, b"standard output: Broken pipe\n")


def test_every_report_is_one_line_that_can_be_printed(folder):
    for encoding in ("ascii", "utf-8", "latin-1"):
        ended = copy(folder, PYTHONIOENCODING=encoding)
        lines = ended.stdout.decode(encoding).splitlines()
        assert len(lines) == len(ODD_NAMES)
        assert all(line.isprintable() for line in lines)
        for path in (folder / "out").iterdir():
            path.unlink()


def test_bytes_go_from_standard_input_to_standard_output(folder):
    ended = copy(folder, "< <(printf 'a\\0\\xff\\n')", "-", "-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"a\0\xff\n", b"")


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("< /dev/null", b"There is nothing on the standard input."),
        ("<&-", b"There is nothing on the standard input."),
        ("< in/plain > /dev/full", b"The standard output cannot be written: No space left on device."),
        ("< in/plain >&-", b"The standard output cannot be written: Bad file descriptor."),
    ],
)
def test_an_input_or_output_that_is_lost_is_an_error(folder, redirection, message):
    ended = copy(folder, redirection, "-", "-")
    assert ended.returncode == 1
    assert ended.stderr == b"lic: " + message + b"\n"


def test_pipes_are_read_once(folder):
    ended = copy(folder, "< <(printf abc)", "/dev/stdin", "new")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (folder / "new").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("photo.png", "photo.png"),
        ("é 中文 Ω.png", "é 中文 Ω.png"),
        ("9.41\u202fAM.png", "9.41\u202fAM.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\xe9.png"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\x00", "\\x00"),
        (os.fsdecode(b"\xf0\x9f"), "\\xf0\\x9f"),
        ("", ""),
    ],
)
def test_what_cannot_be_printed_is_escaped(text, printed):
    assert printable(text) == printed
