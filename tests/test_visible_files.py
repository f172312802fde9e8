"""The files in a folder and in all folders inside."""

import errno
import os
import pathlib

from lic.visible_files import visible_files


def test_wanted_files_are_sorted_and_hidden_ones_passed_over(tmp_path):
    for name in ("b.png", "deep/a.png", "deep/c.txt", ".hidden.png", ".thumbs/a.png", "deep/.b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = visible_files(tmp_path, lambda path: path.suffix == ".png")
    assert found == [tmp_path / "b.png", tmp_path / "deep" / "a.png"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch, caplog):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.png").touch()
    scan = os.scandir

    def refuse(path):  # Also for root, who reads every folder.
        if pathlib.Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert visible_files(tmp_path, lambda path: True) == [tmp_path / "a.png"]
    assert "closed is passed over: Permission denied" in caplog.text
