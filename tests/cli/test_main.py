"""The command as a whole: what it imports, prints and returns."""

import importlib.metadata
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app, main
from tests.conftest import DATA, random_images

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


# Runs many commands, and prints on stderr which of them imported TensorFlow, and how they ended.
WATCHED_MANY = """
import json, sys
import lic.cli
for line in json.loads(sys.argv[1]):
    sys.argv = ["lic", *line]
    try:
        lic.cli.main()
    except SystemExit as exit:
        code = exit.code
    if code == 0 or "tensorflow" in sys.modules:
        sys.exit(f"{line}: {code}")
"""


def test_inputs_outputs_and_models_are_checked_before_tensorflow_is_imported(stream_file, codec, tmp_path):
    Image.fromarray(random_images(9, 9, 3)).save(tmp_path / "photo.png")
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "cut.lic").write_bytes(stream_file.read_bytes()[:-3])
    (tmp_path / "photo.lic.png").touch()
    photo, stream, new = str(tmp_path / "photo.png"), str(stream_file), str(tmp_path / "new")
    lines = [
        ["compress", photo],  # photo.lic exists.
        ["compress", stream, f"{new}.lic"],
        ["compress", str(tmp_path / "text.txt"), f"{new}.lic"],
        ["compress", str(tmp_path / "lost.png")],
        ["compress", photo, f"{new}.lic", "--model", "defualt"],
        ["compress", photo, f"{new}.lic", "--model", str(tmp_path / "text.txt")],
        ["compress", photo, f"{new}.lic", "--precision", "half"],
        ["compress", photo, f"{new}.png"],
        ["compress", photo, f"{new}.lic", "--force", "--skip-existing"],
        ["decompress", photo],
        ["decompress", stream],  # Another codec made it.
        ["decompress", stream, f"{new}.ico"],
        ["decompress", str(tmp_path / "cut.lic")],
        ["decompress", str(tmp_path / "lost.lic")],
        ["verify", stream],
        ["verify", photo],
        ["info", photo],
    ]
    ended = python("-c", WATCHED_MANY, json.dumps(lines))
    assert (ended.returncode, ended.stderr.count("Traceback")) == (0, 0), ended.stderr
    assert not list(tmp_path.glob("new*"))


def test_skipping_all_imports_no_tensorflow(stream_file, tmp_path):
    (tmp_path / "photo.png").touch()
    result = python("-c", WATCHED, "compress", tmp_path / "photo.png", "--skip-existing")
    assert (result.returncode, result.stderr) == (0, "[]\n")


@pytest.mark.parametrize("verb", [[], *([name] for name in sorted(typer.main.get_command(app).commands))], ids=str)
def test_every_verb_has_both_options_of_help(run, verb):
    short, long = run(*verb, "-h"), run(*verb, "--help")
    assert short == long
    assert (short[0], short[2]) == (0, "")
    assert "--help" in short[1]


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"lic {lic.__version__}\n", "")


def test_the_commands_of_the_readme_run_as_they_stand(codec, tmp_path, monkeypatch, loaded):
    """The lines follow each other in one folder, with a tiny codec for `default`."""
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    lines = re.findall(r"^lic (?:compress|decompress|info) .*$", readme, re.MULTILINE)
    assert len(lines) >= 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lic.codec.shipped.codec_path", lambda name: str(codec))
    monkeypatch.setattr("lic.codec.shipped._names", dict)  # Else the names of this file would be kept for later tests.
    monkeypatch.setattr(lic, "load", lambda name, **options: loaded(codec, **options))
    original = tmp_path / "photo.png"
    (tmp_path / "PHOTOGRAPHS").mkdir()
    for path in (original, tmp_path / "PHOTOGRAPHS" / "a.png"):
        Image.fromarray(random_images(20, 30, 3)).save(path)
    before = original.read_bytes()
    for line in lines:
        words = shlex.split(line.partition("<")[0], comments=True)
        result = CliRunner().invoke(app, words[1:], input=before)
        assert (result.exit_code, result.stderr) == (0, ""), line
    assert original.read_bytes() == before
    assert (tmp_path / "photo.lic.png").exists()


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
