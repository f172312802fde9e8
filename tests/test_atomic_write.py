"""Files that are written beside their place and get their name when they are complete."""

import gc
import os
import pathlib
import signal
import stat
import tempfile
import threading
import time

import pytest

from lic.atomic_write import atomic_path, atomic_write

pytestmark = pytest.mark.usefixtures("ctrl_c_raises")


def write(path, content=b"new", overwrite=True):
    with atomic_write(path, overwrite) as file:
        file.write(content)


def write_by_path(path, content=b"new", overwrite=True):
    with atomic_path(path, overwrite) as place:
        assert place.name == pathlib.Path(path).name
        place.write_bytes(content)


BOTH = pytest.mark.parametrize("write", [write, write_by_path])


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_failed_write_by_path_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "file") as place:
        place.write_bytes(b"new")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@BOTH
def test_a_file_that_exists_is_not_replaced_unless_it_may_be(tmp_path, write):
    path = tmp_path / "file"
    write(path, b"old", overwrite=False)
    with pytest.raises(FileExistsError, match="file"):
        write(path, overwrite=False)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_has_come_into_being_since_is_not_replaced(tmp_path, monkeypatch, links):
    """The same holds on file systems without hard links."""

    def refuse(*paths):
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "file"
    with pytest.raises(FileExistsError), atomic_write(path, overwrite=False) as file:
        file.write(b"second")
        path.write_bytes(b"first")
    assert path.read_bytes() == b"first"
    path.unlink()
    write(path, overwrite=False)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_in_threads_leave_the_umask_as_it_is(tmp_path, monkeypatch):
    masks = [0o022]

    def set_slowly(mask):
        masks.append(mask)
        before = masks[-2]
        time.sleep(0.01)
        return before

    monkeypatch.setattr("lic.atomic_write._STATUS", tmp_path / "nothing")
    monkeypatch.setattr(os, "umask", set_slowly)
    threads = [threading.Thread(target=write, args=(tmp_path / str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert masks == [0o022, *[0o077, 0o022] * 4]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o644}


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="only Linux shows the umask of a process")
def test_no_writer_changes_the_umask_where_the_system_shows_it(tmp_path, monkeypatch):
    umask = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was set"))
        write(tmp_path / "file")
    finally:
        monkeypatch.undo()
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@BOTH
def test_of_many_writers_one_wins(tmp_path, write):
    def attempt(number):
        try:
            write(tmp_path / "file", b"%d" % number * 1000, overwrite=False)
            won.append(number)
        except FileExistsError:
            pass

    won = []
    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for each in (*map(threading.Thread.start, threads), *threads):
        if each:
            each.join()
    (winner,) = won
    assert (tmp_path / "file").read_bytes() == b"%d" % winner * 1000


@BOTH
@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_is_written_through(tmp_path, write, dangling):
    (tmp_path / "far").mkdir()
    real, link, second = tmp_path / "far" / "real", tmp_path / "link", tmp_path / "second"
    if not dangling:
        real.write_bytes(b"old")
    link.symlink_to("far/real")
    second.symlink_to(link)
    write(second)
    assert (link.is_symlink(), second.is_symlink(), real.read_bytes()) == (True, True, b"new")
    assert not list(tmp_path.rglob("*.part"))


@BOTH
def test_a_link_to_a_file_is_a_file_that_exists(tmp_path, write):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(FileExistsError):
        write(tmp_path / "link", overwrite=False)
    assert (tmp_path / "real").read_bytes() == b"old"


@BOTH
def test_a_link_to_itself_and_a_link_into_no_folder_are_errors(tmp_path, write):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to("no-folder/file")
    for name in ("loop", "lost"):
        with pytest.raises(OSError, match=name if name == "loop" else "far|no-folder"):
            write(tmp_path / name)
        assert (tmp_path / name).is_symlink()


@BOTH
def test_a_folder_is_not_replaced(tmp_path, write):
    with pytest.raises(IsADirectoryError):
        write(tmp_path)


@BOTH
def test_a_pipe_gets_the_bytes_and_stays(tmp_path, write):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join()
    assert got == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@BOTH
def test_permissions_are_those_of_the_file_before_or_of_the_umask(tmp_path, write):
    path, umask = tmp_path / "file", os.umask(0o027)
    try:
        write(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        write(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(umask)


@BOTH
@pytest.mark.parametrize("name", ["n" * 255, "é" * 127, os.fsdecode(b"\xe9" * 255), "a\nb", "-"])
def test_names_may_be_long_and_odd(tmp_path, write, name):
    write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("write", "module", "name"),
    [
        *((write, os, name) for name in ("open", "chmod", "unlink")),
        (write_by_path, tempfile, "mkdtemp"),
        *((write_by_path, os, name) for name in ("open", "chmod", "rmdir")),
    ],
)
def test_ctrl_c_leaves_the_whole_file_or_nothing(tmp_path, monkeypatch, write, module, name):
    def pressing(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        result = function(*args, **kwargs)
        signal.raise_signal(signal.SIGINT)
        return result

    function = getattr(module, name)
    monkeypatch.setattr(module, name, pressing)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "file")
    monkeypatch.undo()
    gc.collect()
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert os.listdir(tmp_path) == list(left)
    assert left in ({}, {"file": b"new"})
