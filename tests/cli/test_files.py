"""Inputs and outputs of a command: files, folders, and the standard streams."""

import os
import pathlib
import re
import threading

import pytest
import typer

from lic.cli.files import (
    STANDARD,
    Job,
    Naming,
    OutputExistsError,
    beginning,
    naming,
    new_file,
    only_read,
    ordinary_file,
    plan,
    read_bytes,
    refuse_existing,
    split_output,
    write_bytes,
)
from lic.errors import BitstreamError, ImageError, LicError


def is_image(path):
    return path.suffix in (".png", ".bmp", ".tiff")


def is_stream(path):
    return path.suffix == ".lic"


NAMING = Naming(".lic", False, is_stream)


def planned(tmp_path, paths, out=None, behind=False):
    inputs, out = [f"{tmp_path}/{path}" for path in paths], out and f"{tmp_path}/{out}"
    jobs = plan(inputs, out, Naming(".lic", behind, is_stream), is_image)
    return [(str(job.source.relative_to(tmp_path)), str(job.target.relative_to(tmp_path))) for job in jobs]


def test_output_is_beside_the_input(tmp_path, make):
    make("a/x.png")
    assert planned(tmp_path, ["a/x.png"]) == [("a/x.png", "a/x.lic")]


def test_the_output_of_one_input_is_the_given_path(tmp_path, make):
    make("x.png")
    assert planned(tmp_path, ["x.png"], "b/small.lic") == [("x.png", "b/small.lic")]


def test_output_of_one_input_goes_into_a_folder_that_is_there(tmp_path, make):
    make("x.png", "b/other.txt")
    assert planned(tmp_path, ["x.png"], "b") == [("x.png", "b/x.lic")]


def test_outputs_of_several_inputs_go_into_a_folder_that_is_not_there_yet(tmp_path, make):
    make("x.png", "a/y.png")
    assert planned(tmp_path, ["x.png", "a/y.png"], "new") == [("x.png", "new/x.lic"), ("a/y.png", "new/y.lic")]


def test_folder_keeps_its_structure(tmp_path, make):
    make("a/x.png", "a/deep/er/y.png")
    jobs = [("a/deep/er/y.png", "o/deep/er/y.lic"), ("a/x.png", "o/x.lic")]
    assert planned(tmp_path, ["a"], "o") == jobs


def test_folder_without_output_is_written_beside_its_files(tmp_path, make):
    make("a/x.png", "a/deep/y.png")
    assert planned(tmp_path, ["a"]) == [("a/deep/y.png", "a/deep/y.lic"), ("a/x.png", "a/x.lic")]


def test_folder_with_one_file_still_goes_into_a_folder(tmp_path, make):
    make("a/deep/x.png")
    assert planned(tmp_path, ["a"], "new") == [("a/deep/x.png", "new/deep/x.lic")]


def test_only_wanted_files_of_a_folder_are_taken(tmp_path, make):
    make("a/x.png", "a/notes.txt", "a/old.lic")
    assert planned(tmp_path, ["a"]) == [("a/x.png", "a/x.lic")]


def test_names_of_outputs_differ_where_inputs_differ_in_their_suffixes(tmp_path, make):
    names = ["x.bmp", "x.png", "x.png.bmp", "x.png.bmp.png", "y.png"]
    make(*(f"a/{name}" for name in names))
    outputs = [f"a/{name}.lic" for name in names[:-1]] + ["a/y.lic"]
    assert planned(tmp_path, ["a"]) == [*zip([f"a/{name}" for name in names], outputs)]


def test_links_to_folders_are_passed_over(tmp_path, make):
    make("a/x.png", "b/y.png")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "b")
    assert planned(tmp_path, ["a"]) == [("a/x.png", "a/x.lic")]


def test_file_that_is_named_is_taken_whatever_its_ending(tmp_path, make):
    make("photo.dat")
    assert planned(tmp_path, ["photo.dat"]) == [("photo.dat", "photo.lic")]


def test_files_and_folders_may_be_mixed(tmp_path, make):
    make("x.png", "a/deep/y.png")
    assert planned(tmp_path, ["x.png", "a"], "o") == [("x.png", "o/x.lic"), ("a/deep/y.png", "o/deep/y.lic")]


def test_names_that_would_collide_keep_their_endings(tmp_path, make):
    make("rgb.bmp", "rgb.tiff", "grey.png")
    jobs = [("rgb.bmp", "rgb.bmp.lic"), ("rgb.tiff", "rgb.tiff.lic"), ("grey.png", "grey.lic")]
    assert planned(tmp_path, ["rgb.bmp", "rgb.tiff", "grey.png"]) == jobs


def test_same_name_in_two_folders_is_no_collision_beside_the_inputs(tmp_path, make):
    make("a/x.png", "b/x.bmp")
    assert planned(tmp_path, ["a", "b"]) == [("a/x.png", "a/x.lic"), ("b/x.bmp", "b/x.lic")]


@pytest.mark.parametrize(
    ("names", "out"),
    [
        (["a/x.png", "b/x.bmp"], "o"),
        (["a/x.png", "b/x.png"], "o"),
        (["x.bmp", "x.tiff", "x.bmp.png"], None),
    ],
)
def test_no_two_inputs_ever_have_the_same_output(tmp_path, make, names, out):
    make(*names)
    try:
        targets = [target for _, target in planned(tmp_path, names, out)]
    except typer.BadParameter:  # Refusing them is as good as giving them two outputs.
        return
    assert len(set(targets)) == len(names)


def test_dots_inside_a_name_stay(tmp_path, make):
    make("holiday.2024.png", "holiday.2025.png")
    jobs = planned(tmp_path, ["holiday.2024.png", "holiday.2025.png"])
    assert [target for _, target in jobs] == ["holiday.2024.lic", "holiday.2025.lic"]


def test_no_inputs_are_refused(tmp_path, make):
    make("a/notes.txt")
    with pytest.raises(typer.BadParameter, match="no inputs"):
        planned(tmp_path, ["a"])


@pytest.mark.parametrize("paths", [["x.png", "y.png"], ["a"]])
def test_file_as_output_of_a_folder_or_several_inputs_is_refused(tmp_path, make, paths):
    make("x.png", "y.png", "a/z.png", "there.lic")
    with pytest.raises(typer.BadParameter, match="need a folder"):
        planned(tmp_path, paths, "there.lic")


def test_output_is_the_second_of_two_paths_if_it_looks_like_one(make):
    first, second = map(str, make("x.png", "y.png"))
    assert split_output([first, second], None, NAMING, lambda path: True) == ([first], second)
    assert split_output([first, second], None, NAMING, lambda path: False) == ([first, second], None)


def test_output_is_the_second_path_if_the_first_is_a_folder(make):
    (file,) = make("a/x.png")
    assert split_output([str(file.parent), str(file)], None, NAMING, lambda path: False) == (
        [str(file.parent)],
        str(file),
    )


def test_of_three_paths_or_beside_an_option_none_is_the_output(make):
    paths = [*map(str, make("x.png", "y.png", "z.png"))]
    assert split_output(paths, None, NAMING, lambda path: True) == (paths, None)
    assert split_output(paths[:2], paths[2], NAMING, lambda path: True) == (paths[:2], paths[2])


def test_the_bytes_of_a_stream_are_read(tmp_path):
    (tmp_path / "one.lic").write_bytes(b"\0\1")
    assert read_bytes(tmp_path / "one.lic") == b"\0\1"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BitstreamError, match=r"There is no file '.*none\.lic'"):
        read_bytes(tmp_path / "none.lic")


def test_errors_name_the_file_and_keep_their_type():
    with pytest.raises(BitstreamError, match="^folder/one.lic: damaged$"), naming(pathlib.Path("folder/one.lic")):
        raise BitstreamError("damaged")


def test_the_ending_may_stand_behind_the_whole_name(tmp_path, make):
    make("x.png", "a/y.png")
    assert planned(tmp_path, ["x.png"], behind=True) == [("x.png", "x.png.lic")]
    assert planned(tmp_path, ["x.png", "a"], "o", behind=True) == [("x.png", "o/x.png.lic"), ("a/y.png", "o/y.png.lic")]


def test_a_name_that_ends_in_a_slash_is_a_folder(tmp_path, make):
    make("x.png", "there/z")
    assert planned(tmp_path, ["x.png"], "new/deep/") == [("x.png", "new/deep/x.lic")]
    assert planned(tmp_path, ["x.png"], "there/") == [("x.png", "there/x.lic")]
    assert planned(tmp_path, ["x.png"], "folder.lic/") == [("x.png", "folder.lic/x.lic")]
    with pytest.raises(typer.BadParameter, match="is a file, but"):
        planned(tmp_path, ["x.png"], "x.png/")


@pytest.mark.parametrize("paths", [["x.png", "y.png"], ["a"]])
def test_the_name_of_a_file_is_no_folder_for_several_outputs(tmp_path, make, paths):
    make("x.png", "y.png", "a/z.png")
    with pytest.raises(typer.BadParameter, match="end its name in /"):
        planned(tmp_path, paths, "new.lic")


@pytest.mark.parametrize("name", [".hidden.png", "._x.png", ".trash/y.png", "a/.thumbnails/deep/y.png", "a/._y.png"])
def test_hidden_files_and_folders_inside_a_folder_are_passed_over(tmp_path, make, name):
    make("in/x.png", f"in/{name}")
    assert planned(tmp_path, ["in"], "o") == [("in/x.png", "o/x.lic")]


def test_a_hidden_file_or_folder_that_is_named_is_taken(tmp_path, make):
    make(".in/x.png", ".y.png")
    assert planned(tmp_path, [".in"], "o") == [(".in/x.png", "o/x.lic")]
    assert planned(tmp_path, [".y.png"]) == [(".y.png", ".y.lic")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_named(tmp_path, make, caplog):
    make("in/x.png", "in/closed/y.png")
    (tmp_path / "in" / "closed").chmod(0)
    assert len(planned(tmp_path, ["in"], "o")) == 1
    assert "closed is passed over: Permission denied" in caplog.text


def test_no_output_takes_the_place_of_an_input(tmp_path, make):
    make("x.lic", "y.png")
    (tmp_path / "link.lic").symlink_to("y.png")
    for paths, out in [(["x.lic"], None), (["x.lic"], "x.lic"), (["y.png"], "link.lic")]:
        with pytest.raises(typer.BadParameter, match="is an input or another output, too"):
            planned(tmp_path, paths, out)


def test_no_output_takes_the_place_of_another_by_way_of_a_link(tmp_path, make):
    make("x.png", "y.png")
    for name in "xy":
        (tmp_path / f"{name}.lic").symlink_to("one")
    with pytest.raises(typer.BadParameter, match=r"y\.lic is an input or another output, too"):
        planned(tmp_path, ["x.png", "y.png"])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["x.png", "new/"], (["x.png"], "new/")),
        (["x.png", "y.png", "new/"], (["x.png", "y.png"], "new/")),
        (["x.png", "y.png", "new"], (["x.png", "y.png"], "new")),
        (["x.png", "y.png", "new.lic"], (["x.png", "y.png"], "new.lic")),
        (["x.png", "y.png", "lost.png"], (["x.png", "y.png", "lost.png"], None)),
        (["a", "b", "new/"], (["a", "b"], "new/")),
        (["a", "b", "new"], (["a", "b"], "new")),
        (["x.png", "y.png", "a"], (["x.png", "y.png"], "a")),
        (["x.png", "a", "b"], (["x.png", "a", "b"], None)),
        (["x.png", "-"], (["x.png"], "-")),
        (["-", "-"], (["-"], "-")),
        (["x.png", "y.png", "-"], (["x.png", "y.png"], "-")),
        (["-"], (["-"], None)),
        (["x.png"], (["x.png"], None)),
    ],
)
def test_the_last_path_is_the_output_if_it_can_be_no_input(make, paths, expected):
    make("x.png", "y.png", "a/x.png", "b/y.png")
    assert split_output(paths, None, NAMING, lambda path: False) == expected


def test_a_dash_is_standard_input_and_output(make):
    make("x.png")
    for paths, out, expected in [
        (["-"], None, Job(STANDARD, STANDARD)),
        (["-"], "-", Job(STANDARD, STANDARD)),
        (["-"], "x.lic", Job(STANDARD, pathlib.Path("x.lic"))),
        (["x.png"], "-", Job(pathlib.Path("x.png"), STANDARD)),
    ]:
        assert plan(paths, out, NAMING, is_image) == [expected]
    assert only_read(["-"], is_image) == [Job(STANDARD, None)]


def test_a_file_of_the_name_dash_is_a_file(make, tmp_path):
    make("-")
    ((source, target),) = plan(["./-"], None, Naming(".lic", True, is_stream), is_image)
    assert (source, target) == (tmp_path / "-", tmp_path / "-.lic")
    assert source != STANDARD


@pytest.mark.parametrize(
    ("paths", "out", "message"),
    [
        (["-", "x.png"], None, "one file only"),
        (["x.png", "y.png"], "-", "one file only"),
        (["a"], "-", "one file only"),
        (["-"], "a", "name a file in a"),
        (["-"], "new/", "name a file in new/"),
    ],
)
def test_a_dash_stands_for_one_file(make, paths, out, message):
    make("x.png", "y.png", "a/z.png")
    with pytest.raises(typer.BadParameter, match=message):
        plan(paths, out, NAMING, is_image)


def test_bytes_are_not_written_to_a_terminal_unless_forced(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(typer.BadParameter, match="terminal"):
        refuse_existing(STANDARD, False)
    refuse_existing(STANDARD, True)


def test_the_output_of_a_pipe_has_to_be_named(make, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(typer.BadParameter, match="name the output of .*pipe"):
        planned(tmp_path, ["pipe"])
    assert planned(tmp_path, ["pipe"], "x.lic") == [("pipe", "x.lic")]
    assert beginning(tmp_path / "pipe", 4) == b""  # It is read once only.


def test_an_error_names_the_pipe_and_not_the_copy_of_its_bytes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"abc"))
    writer.start()
    with pytest.raises(ImageError) as refusal, ordinary_file(pipe) as path:
        assert path.read_bytes() == b"abc"
        raise ImageError(f"{path} is bad.", {"frame": "Pass frame."})
    writer.join()
    assert (str(refusal.value), list(refusal.value.advice)) == (f"{pipe} is bad. Pass frame.", ["frame"])


def test_an_output_is_written_into_a_folder_that_is_made(tmp_path):
    write_bytes(tmp_path / "new" / "deep" / "x.lic", b"abc", False)
    assert (tmp_path / "new" / "deep" / "x.lic").read_bytes() == b"abc"


def test_an_output_that_has_come_into_being_in_the_meantime_is_kept(tmp_path):
    target = tmp_path / "x.lic"
    with pytest.raises(OutputExistsError, match="in the meantime.*--force"), new_file(target, False) as path:
        path.write_bytes(b"second")
        target.write_bytes(b"first")
    assert target.read_bytes() == b"first"
    with new_file(target, True) as path:
        path.write_bytes(b"third")
    assert target.read_bytes() == b"third"
    assert list(tmp_path.iterdir()) == [target]


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    for target in (tmp_path / "file" / "x.lic", tmp_path / ("n" * 300)):
        with pytest.raises(LicError, match=re.escape(str(target))):
            write_bytes(target, b"abc", False)


def test_a_folder_is_no_stream(tmp_path):
    with pytest.raises(BitstreamError, match="cannot be read: Is a directory"):
        read_bytes(tmp_path)
