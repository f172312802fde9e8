"""A tiny codec on disk, a stream that needs no codec, and the command in this process."""

import functools
import signal
import sys

import pytest

import lic
from lic.cli import main
from lic.codec.bitstream import Stream
from tests.conftest import tiny_model
from tests.evaluation.conftest import results, run_folder  # noqa: F401

# Names that a file may have: not UTF-8, line breaks, what a terminal obeys, the longest, and a dash.
ODD_NAMES = [
    b"plain",
    b"caf\xe9.png",
    b"\xff\xfe",
    "é 中文.png".encode(),
    b"new\nline",
    b"\x1b[31mred",
    b"tab\t \r",
    b"z" * 250,
    b"-dash",
    b"-",
    b"a\\b",
    "\u202egnp".encode(),
]


class PressesCtrlC:
    """Ctrl-C in a destructor, where Python prints the KeyboardInterrupt and goes on."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes empty files in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def make_files(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return [tmp_path / name for name in names]

    return make_files


@pytest.fixture(scope="session")
def codec_file(tmp_path_factory):
    """The codec's file; its codec is loaded once in a process."""
    path = tmp_path_factory.mktemp("codec") / "tiny.codec"
    lic.Codec(tiny_model("klt", "hyperprior")).save(path)
    return path


@pytest.fixture(scope="session")
def loaded():
    """`lic.load` that loads each file once, since a loaded codec traces its functions anew at its first use."""
    once = functools.cache(lic.load)
    return lambda path, **options: once(str(path), **options)


@pytest.fixture(scope="module")
def loads_once(loaded):
    """Makes the command load each file once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lic, "load", loaded)
        yield


@pytest.fixture(scope="module")
def codec(codec_file, loads_once):
    return codec_file


@pytest.fixture
def stream_file(tmp_path):
    path = tmp_path / "photo.lic"
    path.write_bytes(Stream(b"\1\2\3\4", 300, 20, b"payload", 5).pack())
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command in this process, and returns exit code, stdout and stderr."""

    def invoke(*arguments):
        monkeypatch.setattr(sys, "argv", ["lic", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return invoke
