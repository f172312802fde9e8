"""Work on many files: outputs of inputs, progress, reports and errors."""

import contextlib
import json
import os
import pathlib
import pty
import subprocess
import sys

import pytest
import typer

from lic.cli.files import Job, describe, message_of, naming, plan, read_stream, run, split_output
from lic.errors import BitstreamError, ImageError
from tests.cli.conftest import PressesCtrlC


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


def planned(tmp_path, paths, out=None):
    jobs = plan([tmp_path / path for path in paths], out and tmp_path / out, ".lic", is_image)
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
    first, second = make("x.png", "y.png")
    assert split_output([first, second], None, lambda path: True) == ([first], second)
    assert split_output([first, second], None, lambda path: False) == ([first, second], None)


def test_output_is_the_second_path_if_the_first_is_a_folder(make):
    (file,) = make("a/x.png")
    assert split_output([file.parent, file], None, lambda path: False) == ([file.parent], file)


def test_of_three_paths_or_beside_an_option_none_is_the_output(make):
    paths = make("x.png", "y.png", "z.png")
    assert split_output(paths, None, lambda path: True) == (paths, None)
    assert split_output(paths[:2], paths[2], lambda path: True) == (paths[:2], paths[2])


def jobs_of(paths):
    return [Job(path, path.with_suffix(".out")) for path in paths]


def copy_unless_bad(job, show_progress):
    if job.source.stem == "bad":
        raise ImageError(f"{job.source} is bad.")
    job.target.write_text("new")
    return {"bytes": 3}


def test_failure_of_one_job_stops_no_other_and_exits_with_1(make, capsys):
    jobs = jobs_of(make("a.png", "bad.png", "c.png"))
    with pytest.raises(typer.Exit) as stop:
        run(jobs, copy_unless_bad, False, False, "Copying")
    printed = capsys.readouterr()
    assert stop.value.exit_code == 1
    assert [job.target.exists() for job in jobs] == [True, False, True]
    assert printed.err == f"lic: {jobs[1].source} is bad.\n"
    assert len(printed.out.splitlines()) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_only_prints_stops_before_the_next_job(make, capsys):
    def work(job, show_progress):
        done.append(job.source.name)
        PressesCtrlC()
        return {"bytes": 1}

    done = []
    with pytest.raises(KeyboardInterrupt):
        run(jobs_of(make("a.png", "b.png")), work, False, False, "Working")
    assert len(done) == 1
    assert "lic: stopped after 1 of 2 files" in capsys.readouterr().err


def test_success_of_all_jobs_exits_as_usual(make, capsys):
    run(jobs_of(make("a.png", "b.png")), copy_unless_bad, False, False, "Copying")
    assert capsys.readouterr().err == ""


def test_output_that_exists_is_kept_without_force(make, capsys):
    (job,) = jobs_of(make("a.png"))
    job.target.write_text("old")
    with pytest.raises(typer.Exit):
        run([job], copy_unless_bad, False, False, "Copying")
    assert job.target.read_text() == "old"
    assert "--force" in capsys.readouterr().err


def test_output_that_exists_is_replaced_with_force(make):
    (job,) = jobs_of(make("a.png"))
    job.target.write_text("old")
    run([job], copy_unless_bad, True, False, "Copying")
    assert job.target.read_text() == "new"


def test_json_holds_failures_too(make, capsys):
    jobs = jobs_of(make("a.png", "bad.png"))
    with pytest.raises(typer.Exit):
        run(jobs, copy_unless_bad, False, True, "Copying")
    good, bad = json.loads(capsys.readouterr().out)
    assert good == {"input": str(jobs[0].source), "output": str(jobs[0].target), "bytes": 3}
    assert bad == {"input": str(jobs[1].source), "error": f"{jobs[1].source} is bad."}


def test_no_progress_bar_is_drawn_into_a_pipe(make, capsys):
    run(jobs_of(make("a.png", "b.png", "c.png")), copy_unless_bad, False, False, "Copying")
    printed = capsys.readouterr()
    assert "Copying" not in printed.out + printed.err


# A process of its own, whose standard error is a terminal.
SCRIPT = """
import pathlib, sys
from lic.cli.files import Job, run
def work(job, show_progress):
    show_progress(0.5)
    return {"bytes": 3}
jobs = [Job(pathlib.Path(name), pathlib.Path(name + ".out")) for name in sys.argv[2:]]
run(jobs, work, False, False, "Copying", slow=sys.argv[1] == "slow")
"""


def on_a_terminal(*arguments):
    """Returns the script's standard output, and what it writes to a terminal as standard error."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, *arguments]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, check=True).stdout
    os.close(terminal)
    with contextlib.suppress(OSError), os.fdopen(controller, "rb", buffering=0) as file:
        return output.decode(), file.read(65536).decode()
    return output.decode(), ""


def test_a_slow_job_has_a_progress_bar_on_a_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output, drawn = on_a_terminal("slow", "a")
    assert "Copying" in drawn
    assert "100%" in drawn
    assert output == "a -> a.out  3 bytes\n"


def test_one_job_that_is_not_slow_has_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert on_a_terminal("fast", "a") == ("a -> a.out  3 bytes\n", "")


def test_reports_go_to_the_pipe_and_not_to_the_bar(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output, drawn = on_a_terminal("fast", "a", "b")
    assert "Copying" in drawn
    assert output == "a -> a.out  3 bytes\nb -> b.out  3 bytes\n"


def test_report_is_one_line_with_units():
    report = {"input": "a.png", "output": "a.lic", "bytes": 12345, "bpp": 0.25, "psnr": 30.456, "seconds": 1.5}
    assert describe(report) == "a.png -> a.lic  12,345 bytes, 0.2500 bpp, 30.46 dB, 1.50 s"


def test_report_without_figures_ends_after_the_names():
    assert describe({"input": "a.lic", "output": "a.png", "height": 3}) == "a.lic -> a.png"


def test_the_bytes_of_a_stream_are_read(tmp_path):
    (tmp_path / "one.lic").write_bytes(b"\0\1")
    assert read_stream(tmp_path / "one.lic") == b"\0\1"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BitstreamError, match=r"There is no file '.*none\.lic'"):
        read_stream(tmp_path / "none.lic")


def test_errors_name_the_file_and_keep_their_type():
    with pytest.raises(BitstreamError, match="^folder/one.lic: damaged$"), naming(pathlib.Path("folder/one.lic")):
        raise BitstreamError("damaged")


def test_an_error_of_an_argument_names_the_option():
    error = ImageError("a.png has 16 bits a channel. Pass to_8_bit=True.", "to_8_bit")
    assert message_of(error) == f"{error} The command's option is --to-8-bit."
    assert message_of(ImageError("no image")) == "no image"
