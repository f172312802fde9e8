"""Inputs and outputs of a command that works on many files."""

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

from lic.cli.bar import progress_bar
from lic.cli.interrupts import keeping_interrupts
from lic.errors import LicError

if TYPE_CHECKING:
    from rich.progress import Progress

Tell = Callable[[float], None]  # Is told which share of a job is done, 0 to 1.


class Job(NamedTuple):
    """One file to read and the one to write, or None where there is nothing to write."""

    source: pathlib.Path
    target: pathlib.Path | None


def plan(
    paths: list[pathlib.Path],
    out: pathlib.Path | None,
    ending: str,
    wanted: Callable[[pathlib.Path], bool],
) -> list[Job]:
    """Says which file becomes which.

    Args:
      paths: Files and folders; folders are searched for files that are wanted.
      out: The output file for one input file, or a folder; default: beside each input.
      ending: Ending of outputs.
      wanted: Whether a file in a folder is an input.

    Raises:
      typer.BadParameter: There are no inputs, several for an output that is a file, or several of one output's name.
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
    """Returns a job without an output for each file, searching folders for files that are wanted.

    Raises:
      typer.BadParameter: There are none.
    """
    return [Job(path, None) for path, _ in _found(paths, wanted)]


def split_output(
    paths: list[pathlib.Path], out: pathlib.Path | None, is_output: Callable[[pathlib.Path], bool]
) -> tuple[list[pathlib.Path], pathlib.Path | None]:
    """Takes IN... OUT apart: the last path is the output where it cannot be one more input.

    That is a folder behind files, and of two paths one that looks like an output, or the second of two folders.
    """
    *first, last = paths
    behind_files = last.is_dir() and not any(path.is_dir() for path in first)
    of_two = len(first) == 1 and (is_output(last) or first[0].is_dir())
    if out is None and first and (behind_files or of_two):
        return first, last
    return paths, out


def run(
    jobs: Iterable[Job],
    work: Callable[[Job, Tell], dict[str, Any]],
    force: bool,
    as_json: bool,
    verb: str,
    slow: bool = False,
    ray: str | None = None,
) -> None:
    """Does all jobs, with a progress bar where there are several or they are slow, and exits with 1 if any failed.

    Args:
      jobs: What to do.
      work: Does one job and returns what is to be reported of it; it may tell its second argument which share is done.
      force: Whether outputs may be overwritten.
      as_json: Whether the report is JSON.
      verb: The word before the progress bar.
      slow: Whether one job alone is worth a progress bar.
      ray: Address of a Ray cluster that does the jobs, or "local" for one of this machine.
    """
    jobs, reports, failed = list(jobs), [], False
    task = functools.partial(_one, work=work, force=force)
    with progress_bar((len(jobs) > 1 or slow) and not as_json) as bar, _telling_of_a_stop(jobs, reports):
        for job, outcome in _on_cluster(jobs, task, bar, verb, ray) if ray else _here(jobs, task, bar, verb):
            report = {"input": str(job.source)} | ({"output": str(job.target)} if job.target else {})
            if isinstance(outcome, Exception):
                failed, report = True, {"input": str(job.source), "error": str(outcome)}
                print(f"lic: {outcome}", file=sys.stderr)
            else:
                report |= outcome
                if not as_json:
                    print(describe(report))
            reports.append(report)
    if as_json:
        print(json.dumps(reports, indent=1))
    if failed:
        raise typer.Exit(1)


def describe(report: dict[str, Any]) -> str:
    """Returns a report as one line for people."""
    units = {"bytes": "{:,} bytes", "bpp": "{:.4f} bpp", "psnr": "{:.2f} dB", "seconds": "{:.2f} s"}
    figures = ["verified"] * report.get("verified", False)
    figures += [unit.format(report[name]) for name, unit in units.items() if report.get(name) is not None]
    became = f" -> {report['output']}" if "output" in report else ""
    return f"{report['input']}{became}  {', '.join(figures)}".rstrip()


@contextlib.contextmanager
def _telling_of_a_stop(jobs: list[Job], reports: list[dict[str, Any]]) -> Iterator[None]:
    """Says how far it came where the user stops it."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"lic: stopped after {len(reports)} of {len(jobs)} files, which stay as they are", file=sys.stderr)
        raise


def _here(
    jobs: list[Job], task: Callable[[Job, Tell], dict[str, Any]], bar: Progress, verb: str
) -> Iterator[tuple[Job, dict[str, Any] | Exception]]:
    """Each job, and its report or what failed."""
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
    jobs: list[Job], task: Callable[[Job, Tell], dict[str, Any]], bar: Progress, verb: str, ray: str
) -> Iterator[tuple[Job, dict[str, Any] | Exception]]:
    """The same as they end, by the workers of a Ray cluster."""
    from lic.cluster import on_cluster

    shown = bar.add_task(verb, total=len(jobs))
    for job, outcome in on_cluster(functools.partial(task, tell=lambda _: None), jobs, ray):
        if isinstance(outcome, Exception) and not isinstance(outcome, (LicError, OSError)):
            raise outcome
        yield job, outcome
        bar.advance(shown)


def refuse_existing(target: pathlib.Path, force: bool) -> None:
    """Raises a LicError where an output exists and may not be overwritten."""
    if target.exists() and not force:
        raise LicError(f"{target} exists. Say --force to overwrite it, or name another output.")


def _one(job: Job, tell: Tell, work: Callable[[Job, Tell], dict[str, Any]], force: bool) -> dict[str, Any]:
    if job.target:
        refuse_existing(job.target, force)
        job.target.parent.mkdir(parents=True, exist_ok=True)
    return work(job, tell)


def _found(
    paths: list[pathlib.Path], wanted: Callable[[pathlib.Path], bool]
) -> list[tuple[pathlib.Path, pathlib.Path]]:
    found = [each for top in paths for each in _files(top, wanted)]
    if not found:
        raise typer.BadParameter(f"no inputs found in {', '.join(map(str, paths))}")
    return found


def _files(top: pathlib.Path, wanted: Callable[[pathlib.Path], bool]) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Inputs below a path, each with the folder that its output's path is relative to."""
    if not top.is_dir():
        return [(top, top.parent)]
    return [(path, top) for path in sorted(top.rglob("*")) if path.is_file() and wanted(path)]


def _with_ending(targets: list[pathlib.Path], ending: str) -> list[pathlib.Path]:
    """Puts the ending in place of the one that is there, or behind it where names would collide."""
    count = collections.Counter(target.with_suffix(ending) for target in targets)
    named = [
        target.with_suffix(ending) if count[target.with_suffix(ending)] == 1 else target.with_name(target.name + ending)
        for target in targets
    ]
    for target, times in collections.Counter(named).items():
        if times > 1:
            raise typer.BadParameter(f"{times} inputs would all become {target}; give them one by one, or their folder")
    return named
