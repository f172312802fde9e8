"""A command's work on many files: inputs and outputs, progress, reports and errors."""

from __future__ import annotations

import collections
import contextlib
import functools
import json
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from lic.cli.interrupts import keeping_interrupts
from lic.cli.progress import progress_bar
from lic.errors import BitstreamError, LicError

if TYPE_CHECKING:
    from rich.progress import Progress

Report = dict[str, Any]  # Facts about a finished job by name.
ShowProgress = Callable[[float], None]  # Takes the completed fraction of a job, 0 to 1.
_OPTIONS = {"background": "--background COLOUR", "to_8_bit": "--to-8-bit", "frame": "--frame N"}


class Job(NamedTuple):
    """A file to read and a file to write; `target` is None if there is nothing to write."""

    source: pathlib.Path
    target: pathlib.Path | None


def plan(
    paths: list[pathlib.Path],
    out: pathlib.Path | None,
    ending: str,
    wanted: Callable[[pathlib.Path], bool],
) -> list[Job]:
    """Returns a job for each input file.

    Args:
      paths: Files and folders; folders are searched for files that are wanted.
      out: The output file for one input file, or a folder; default: outputs are written beside the inputs.
      ending: Suffix of the outputs' names.
      wanted: Returns whether a file in a folder is an input.

    Raises:
      typer.BadParameter: There are no inputs, or several inputs would have one output.
    """
    found = _found(paths, wanted)
    to_folder = out is not None and (len(found) > 1 or paths[0].is_dir() or out.is_dir())
    if to_folder and out.is_file():
        raise typer.BadParameter(f"{out} is a file, but the outputs of several inputs need a folder")
    if out is not None and not to_folder:
        return [Job(found[0][0], out)]
    targets = [(out if to_folder else base) / path.relative_to(base) for path, base in found]
    return [Job(path, target) for (path, _), target in zip(found, _with_ending(targets, ending))]


def only_read(paths: list[pathlib.Path], wanted: Callable[[pathlib.Path], bool]) -> list[Job]:
    """Returns a job without an output for each input file; arguments are those of `plan`.

    Raises:
      typer.BadParameter: There are no inputs.
    """
    return [Job(path, None) for path, _ in _found(paths, wanted)]


def split_output(
    paths: list[pathlib.Path], out: pathlib.Path | None, is_output: Callable[[pathlib.Path], bool]
) -> tuple[list[pathlib.Path], pathlib.Path | None]:
    """Splits the arguments IN... [OUT] into inputs and output: the last path is the output if it can be no input.

    It is the output if it is a folder after files, if it is the second of two paths and `is_output` accepts it, or if
    it is the second of two folders.
    """
    *first, last = paths
    behind_files = last.is_dir() and not any(path.is_dir() for path in first)
    of_two = len(first) == 1 and (is_output(last) or first[0].is_dir())
    if out is None and first and (behind_files or of_two):
        return first, last
    return paths, out


def run(
    jobs: Iterable[Job],
    work: Callable[[Job, ShowProgress], Report],
    force: bool,
    as_json: bool,
    verb: str,
    slow: bool = False,
    ray: str | None = None,
) -> None:
    """Does all jobs and prints their reports, with a progress bar for several or slow ones.

    Args:
      jobs: The jobs.
      work: Does one job and returns its report; it may call its second argument with the completed fraction.
      force: Whether outputs may be overwritten.
      as_json: Whether the reports are printed as JSON.
      verb: The word before the progress bar.
      slow: Whether one job alone is worth a progress bar.
      ray: Address of a Ray cluster that does the jobs, or "local" for one on this machine.

    Raises:
      typer.Exit: A job failed; the exit status is 1.
    """
    jobs, reports, failed = list(jobs), [], False
    task = functools.partial(_one, work=work, force=force)
    with progress_bar((len(jobs) > 1 or slow) and not as_json) as bar, _counting_at_interrupt(jobs, reports):
        for job, outcome in _on_cluster(jobs, task, bar, verb, ray) if ray else _here(jobs, task, bar, verb):
            report = {"input": str(job.source)} | ({"output": str(job.target)} if job.target else {})
            if isinstance(outcome, Exception):
                failed, report = True, {"input": str(job.source), "error": message_of(outcome)}
                print(f"lic: {message_of(outcome)}", file=sys.stderr)
            else:
                report |= outcome
                if not as_json:
                    print(describe(report))
            reports.append(report)
    if as_json:
        print(json.dumps(reports, indent=1))
    if failed:
        raise typer.Exit(1)


def message_of(error: Exception) -> str:
    """Returns the message of an error, with the option of the command that lets an image pass, if there is one."""
    option = _OPTIONS.get(getattr(error, "argument", None))
    return f"{error} The command's option is {option}." if option else str(error)


def describe(report: Report) -> str:
    """Returns a report as a line of text."""
    units = {"bytes": "{:,} bytes", "bpp": "{:.4f} bpp", "psnr": "{:.2f} dB", "seconds": "{:.2f} s"}
    figures = ["verified"] * report.get("verified", False)
    figures += [unit.format(report[name]) for name, unit in units.items() if report.get(name) is not None]
    became = f" -> {report['output']}" if "output" in report else ""
    return f"{report['input']}{became}  {', '.join(figures)}".rstrip()


@contextlib.contextmanager
def _counting_at_interrupt(jobs: list[Job], reports: list[Report]) -> Iterator[None]:
    """Prints the number of finished jobs if the user interrupts the command."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"lic: stopped after {len(reports)} of {len(jobs)} files, which stay as they are", file=sys.stderr)
        raise


def _here(
    jobs: list[Job], task: Callable[[Job, ShowProgress], Report], bar: Progress, verb: str
) -> Iterator[tuple[Job, Report | Exception]]:
    """Does jobs in this process, and yields each job with its report or error."""
    shown = bar.add_task(verb, total=len(jobs))
    with keeping_interrupts() as raise_if_pressed:

        def advance(completed: float) -> None:
            raise_if_pressed()
            bar.update(shown, completed=completed)

        for number, job in enumerate(jobs):
            try:
                yield job, task(job, lambda share, number=number: advance(number + share))
            except (LicError, OSError) as error:
                yield job, error
            advance(number + 1)


def _on_cluster(
    jobs: list[Job], task: Callable[[Job, ShowProgress], Report], bar: Progress, verb: str, ray: str
) -> Iterator[tuple[Job, Report | Exception]]:
    """Does jobs by the workers of a Ray cluster, and yields them in the order in which they end."""
    from lic.cluster import on_cluster

    shown = bar.add_task(verb, total=len(jobs))
    for job, outcome in on_cluster(functools.partial(task, show_progress=lambda _: None), jobs, ray):
        if isinstance(outcome, Exception) and not isinstance(outcome, (LicError, OSError)):
            raise outcome
        yield job, outcome
        bar.advance(shown)


def refuse_existing(target: pathlib.Path, force: bool) -> None:
    """Raises a LicError if an output exists and may not be overwritten."""
    if target.exists() and not force:
        raise LicError(f"{target} exists. Give --force to overwrite it, or name another output.")


def _one(job: Job, show_progress: ShowProgress, work: Callable[[Job, ShowProgress], Report], force: bool) -> Report:
    if job.target:
        refuse_existing(job.target, force)
        job.target.parent.mkdir(parents=True, exist_ok=True)
    return work(job, show_progress)


def _found(
    paths: list[pathlib.Path], wanted: Callable[[pathlib.Path], bool]
) -> list[tuple[pathlib.Path, pathlib.Path]]:
    found = [each for top in paths for each in _files(top, wanted)]
    if not found:
        raise typer.BadParameter(f"no inputs found in {', '.join(map(str, paths))}")
    return found


def _files(top: pathlib.Path, wanted: Callable[[pathlib.Path], bool]) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """The inputs at or below a path, each with the folder that its output's path is relative to."""
    if not top.is_dir():
        return [(top, top.parent)]
    return [(path, top) for path in sorted(top.rglob("*")) if path.is_file() and wanted(path)]


def _with_ending(targets: list[pathlib.Path], ending: str) -> list[pathlib.Path]:
    """Replaces the suffix of each name, or appends to it where two names would be the same."""
    count = collections.Counter(target.with_suffix(ending) for target in targets)
    named = [
        target.with_suffix(ending) if count[target.with_suffix(ending)] == 1 else target.with_name(target.name + ending)
        for target in targets
    ]
    for target, number in collections.Counter(named).items():
        if number > 1:
            raise typer.BadParameter(
                f"{number} inputs would all become {target}; give them one by one, or their folder"
            )
    return named


def read_stream(path: pathlib.Path) -> bytes:
    """Returns the bytes of a stream in a file.

    Raises:
      BitstreamError: There is no such file.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BitstreamError(f"There is no file {str(path)!r}.") from None


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Puts the name of a file before the message of an error that is raised while the context lasts."""
    try:
        yield
    except Exception as error:
        error.args = (f"{path}: {error}",)
        raise
