"""Work on many files: checks, progress, reports and errors."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys

import pytest
import typer

from lic.cli.batch import Existing, describe, existing, message_of, run
from lic.cli.files import STANDARD, Job, write_bytes
from lic.errors import ImageError
from tests.cli.conftest import PressesCtrlC


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
        run(jobs, copy_unless_bad, Existing(), False, "Copying")
    printed = capsys.readouterr()
    assert stop.value.exit_code == 1
    assert [job.target.exists() for job in jobs] == [True, False, True]
    assert printed.err == f"lic: {jobs[1].source} is bad.\n"
    assert len(printed.out.splitlines()) == 2


@pytest.mark.usefixtures("ctrl_c_raises")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_only_prints_stops_before_the_next_job(make, capsys):
    def work(job, show_progress):
        done.append(job.source.name)
        PressesCtrlC()
        return {"bytes": 1}

    done = []
    with pytest.raises(KeyboardInterrupt):
        run(jobs_of(make("a.png", "b.png")), work, Existing(), False, "Working")
    assert len(done) == 1
    assert "lic: stopped after 1 of 2 files" in capsys.readouterr().err


@pytest.mark.usefixtures("ctrl_c_raises")
def test_an_error_on_the_way_out_of_an_interrupt_is_no_failure_of_the_job(make, capsys):
    def work(job, show_progress):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            os.close(-1)  # The error that shutil.rmtree raises if it closes a folder twice.

    with pytest.raises(KeyboardInterrupt):
        run(jobs_of(make("a.png", "b.png")), work, Existing(), False, "Working")
    assert capsys.readouterr().err == "lic: stopped after 0 of 2 files, which stay as they are\n"


def test_success_of_all_jobs_exits_as_usual(make, capsys):
    run(jobs_of(make("a.png", "b.png")), copy_unless_bad, Existing(), False, "Copying")
    assert capsys.readouterr().err == ""


def test_output_that_exists_is_kept_without_force(make, capsys):
    (job,) = jobs_of(make("a.png"))
    job.target.write_text("old")
    with pytest.raises(typer.Exit):
        run([job], copy_unless_bad, Existing(), False, "Copying")
    assert job.target.read_text() == "old"
    assert "--force" in capsys.readouterr().err


def test_output_that_exists_is_replaced_with_force(make):
    (job,) = jobs_of(make("a.png"))
    job.target.write_text("old")
    run([job], copy_unless_bad, Existing(overwrite=True), False, "Copying")
    assert job.target.read_text() == "new"


def test_json_holds_failures_too(make, capsys):
    jobs = jobs_of(make("a.png", "bad.png"))
    with pytest.raises(typer.Exit):
        run(jobs, copy_unless_bad, Existing(), True, "Copying")
    good, bad = json.loads(capsys.readouterr().out)
    assert good == {"input": str(jobs[0].source), "output": str(jobs[0].target), "bytes": 3}
    assert bad == {"input": str(jobs[1].source), "error": f"{jobs[1].source} is bad."}


def test_no_progress_bar_is_drawn_into_a_pipe(make, capsys):
    run(jobs_of(make("a.png", "b.png", "c.png")), copy_unless_bad, Existing(), False, "Copying")
    printed = capsys.readouterr()
    assert "Copying" not in printed.out + printed.err


# A process of its own, whose standard error is a terminal.
SCRIPT = """
import pathlib, sys
from lic.cli.batch import Existing, run
from lic.cli.files import Job
def work(job, show_progress):
    show_progress(0.5)
    return {"bytes": 3}
jobs = [Job(pathlib.Path(name), pathlib.Path(name + ".out")) for name in sys.argv[2:]]
run(jobs, work, Existing(), False, "Copying", slow=sys.argv[1] == "slow")
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


def test_an_error_of_an_argument_names_the_option():
    advice = {"to_8_bit": "Pass to_8_bit=True."}
    error = ImageError("a.png has 16 bits a channel.", advice)
    assert message_of(error) == f"{error} The command's option is --to-8-bit."
    error = ImageError("a.png has 3 frames.", {"frame": "Pass frame."} | advice)
    assert message_of(error) == f"{error} The command's options are --frame N and --to-8-bit."
    assert message_of(ImageError("no image")) == "no image"


def test_an_error_that_nobody_expects_stops_no_other(make, capsys):
    def work(job, show_progress):
        if job.source.stem == "b":
            raise KeyError("orientation")
        return {"bytes": 1}

    with pytest.raises(typer.Exit):
        run(jobs_of(make("a.png", "b.png", "c.png")), work, Existing(), False, "Working")
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert "b.png failed with an error that lic does not expect: KeyError: 'orientation'" in printed.err


@pytest.mark.parametrize("error", [typer.BadParameter("wrong"), typer.Exit(3), ImportError("no ray")])
def test_a_wrong_use_ends_the_command(make, error):
    def work(job, show_progress):
        raise error

    with pytest.raises(type(error)):
        run(jobs_of(make("a.png")), work, Existing(), False, "Working")


def test_all_jobs_are_checked_before_the_first_is_done(make, capsys):
    def check(job):
        happened.append(f"check {job.source.name}")
        if job.source.stem == "bad":
            raise ImageError(f"{job.source} is bad.")

    def work(job, show_progress):
        happened.append(f"do {job.source.name}")
        return {}

    happened = []
    jobs = jobs_of(make("a.png", "bad.png", "c.png"))
    with pytest.raises(typer.Exit):
        run(jobs, work, Existing(), True, "Working", check=check)
    assert happened == ["check a.png", "check bad.png", "check c.png", "do a.png", "do c.png"]
    reports = json.loads(capsys.readouterr().out)
    assert [report["input"] for report in reports] == [str(job.source) for job in jobs]  # In the order of the jobs.


def test_what_exists_is_skipped_and_not_an_error(make, capsys):
    jobs = jobs_of(make("a.png", "b.png"))
    jobs[0].target.write_text("old")
    run(jobs, copy_unless_bad, Existing(skip=True), False, "Copying")
    assert [job.target.read_text() for job in jobs] == ["old", "new"]
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[0].endswith("a.png -> " + str(jobs[0].target) + "  skipped, since it exists")


@pytest.mark.parametrize("skip", [True, False])
def test_what_comes_into_being_in_the_meantime_is_kept(make, capsys, skip):
    def work(job, show_progress):
        job.target.write_text("first")
        write_bytes(job.target, b"second", False)
        return {}

    (job,) = jobs_of(make("a.png"))
    with contextlib.nullcontext() if skip else pytest.raises(typer.Exit):
        run([job], work, Existing(skip=skip), False, "Copying")
    assert job.target.read_text() == "first"
    assert ("skipped" in capsys.readouterr().out) == skip


def test_one_treatment_of_what_exists():
    assert existing(True, False) == Existing(overwrite=True)
    assert existing(False, True) == Existing(skip=True)
    with pytest.raises(typer.BadParameter, match="one of --force and --skip-existing"):
        existing(True, True)


@pytest.mark.parametrize("as_json", [True, False])
def test_reports_make_room_for_an_output_on_standard_output(capsys, as_json):
    def work(job, show_progress):
        write_bytes(job.target, b"bytes\n", False)
        return {"bytes": 5}

    run([Job(STANDARD, STANDARD)], work, Existing(), as_json, "Copying")
    printed = capsys.readouterr()
    assert printed.out == "bytes\n"
    assert printed.err == "" if not as_json else json.loads(printed.err) == [{"input": "-", "output": "-", "bytes": 5}]


def test_a_report_with_a_line_break_in_a_name_is_one_line():
    assert describe({"input": "a\nb.png", "output": "c\udce9.lic"}) == "a\\nb.png -> c\\xe9.lic"
    assert message_of(ImageError("a\nb.png is bad.")) == "a\\nb.png is bad."
