"""Inputs and outputs of a command: files, folders, and the standard streams."""

import pathlib

import pytest
import typer

from lic.cli.files import Naming, naming, plan, read_bytes, split_output
from lic.errors import BitstreamError


def is_image(path):
    return path.suffix in (".png", ".bmp", ".tiff")


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


def is_stream(path):
    return path.suffix == ".lic"


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
    assert split_output([first, second], None, lambda path: True) == ([first], second)
    assert split_output([first, second], None, lambda path: False) == ([first, second], None)


def test_output_is_the_second_path_if_the_first_is_a_folder(make):
    (file,) = make("a/x.png")
    assert split_output([str(file.parent), str(file)], None, lambda path: False) == ([str(file.parent)], str(file))


def test_of_three_paths_or_beside_an_option_none_is_the_output(make):
    paths = [*map(str, make("x.png", "y.png", "z.png"))]
    assert split_output(paths, None, lambda path: True) == (paths, None)
    assert split_output(paths[:2], paths[2], lambda path: True) == (paths[:2], paths[2])


def test_the_bytes_of_a_stream_are_read(tmp_path):
    (tmp_path / "one.lic").write_bytes(b"\0\1")
    assert read_bytes(tmp_path / "one.lic") == b"\0\1"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BitstreamError, match=r"There is no file '.*none\.lic'"):
        read_bytes(tmp_path / "none.lic")


def test_errors_name_the_file_and_keep_their_type():
    with pytest.raises(BitstreamError, match="^folder/one.lic: damaged$"), naming(pathlib.Path("folder/one.lic")):
        raise BitstreamError("damaged")
