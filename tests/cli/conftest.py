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


class PressesCtrlC:
    """Ctrl-C in a destructor, where Python prints the KeyboardInterrupt and goes on."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "tiny.codec"
    lic.Codec(tiny_model("klt", "hyperprior")).save(path)
    with pytest.MonkeyPatch.context() as patch:
        # Each load traces the codec's functions anew, which would take most of the time.
        patch.setattr(lic, "load", functools.cache(lic.load))
        yield path


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
