"""The command as a whole: what it imports, prints and returns."""

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from lic.cli import main
from tests.conftest import DATA

# Runs the command and prints on stderr which of the slow packages it imported.
WATCHED = """
import sys
import lic.cli
sys.argv = ["lic", *sys.argv[1:]]
try:
    lic.cli.main()
finally:
    print([name for name in ("numpy", "tensorflow") if name in sys.modules], file=sys.stderr)
"""


def python(*arguments):
    # A user's shell does not set TensorFlow's log level.
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["compress", "--help"], ["models"], ["models", "--json"], ["info", "STREAM"], ["info", "CODEC"]],
    ids=" ".join,
)
def test_verb_without_networks_imports_neither_numpy_nor_tensorflow(arguments, stream_file, codec):
    paths = {"STREAM": stream_file, "CODEC": codec}
    result = python("-c", WATCHED, *(paths.get(argument, argument) for argument in arguments))
    assert result.returncode == 0
    assert result.stderr == "[]\n"
    assert result.stdout


def test_wrong_use_imports_neither_numpy_nor_tensorflow(tmp_path):
    result = python("-c", WATCHED, "decompress", tmp_path)
    assert result.returncode == 2
    assert result.stderr.endswith("[]\n")


def test_a_verb_with_networks_prints_its_report_and_nothing_of_tensorflow(codec, tmp_path):
    """The watching script sees that TensorFlow is imported, and nothing else is printed, but JSON on stdout."""
    source, target = DATA / "odd" / "grey.png", tmp_path / "grey.lic"
    result = python("-c", WATCHED, "compress", source, target, "--model", codec, "--json", "--verbose")
    assert (result.returncode, result.stderr) == (0, "['numpy', 'tensorflow']\n")
    assert json.loads(result.stdout)[0]["output"] == str(target)


def test_compress_prints_one_line(run, codec, tmp_path):
    source, target = DATA / "odd" / "grey.png", tmp_path / "grey.lic"
    code, out, err = run("compress", source, target, "--model", codec)
    assert (code, err) == (0, "")
    assert out.startswith(f"{source} -> {target}  ")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["info", "absent.lic"], "absent.lic"),
        (["info", "text.lic"], "text.lic"),
        (["info", "cut.lic"], "cut.lic"),
        (["compress", "a.png", "--model", "defualt"], "'default'"),
        (["compress", "a.png", "--model", "absent.codec"], "absent.codec"),
        (["compress", "a.png", "--model", "text.codec"], "text.codec"),
        (["decompress", "a.lic", "--model", "absent.codec"], "absent.codec"),
    ],
)
def test_error_is_one_line_and_exit_code_1(run, stream_file, tmp_path, monkeypatch, arguments, part):
    monkeypatch.chdir(tmp_path)
    for name in ("text.lic", "text.codec"):
        (tmp_path / name).write_text("no such thing")
    (tmp_path / "cut.lic").write_bytes(stream_file.read_bytes()[:-2])
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("lic: ")
    assert len(err.splitlines()) == 1
    assert part in err


def test_error_of_one_file_is_one_line_and_exit_code_1(run, codec, tmp_path):
    code, out, err = run("compress", DATA / "odd" / "truncated.png", tmp_path / "a.lic", "--model", codec)
    assert (code, out) == (1, "")
    assert err.startswith("lic: ")
    assert len(err.splitlines()) == 1
    assert "truncated.png" in err


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["info"], ["compress", "--frame", "x", "a.png"], []])
def test_wrong_use_has_exit_code_2_and_no_traceback(run, arguments):
    code, out, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in out + err


def test_success_has_exit_code_0(run, stream_file):
    code, out, err = run("info", stream_file)
    assert (code, err) == (0, "")
    assert "300" in out


def test_module_and_command_are_the_same():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="lic")
    assert script.load() is main
    result = python("-m", "lic", "info", "absent.lic")
    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr


def test_help_names_all_verbs(run):
    code, out, _ = run("--help")
    assert code == 0
    for verb in ("compress", "decompress", "info", "models", "compare", "plot"):
        assert verb in out
