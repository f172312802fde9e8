"""A command's work on many files: checks before the work, progress, reports and errors."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from lic.cli.files import STANDARD, Job, OutputExistsError, refuse_existing
from lic.cli.progress import progress_bar
from lic.cli.standard_streams import printable
from lic.errors import LicError
from lic.interrupts import keeping_interrupts

if TYPE_CHECKING:
    from rich.progress import Progress

_log = logging.getLogger(__name__)
Report = dict[str, Any]  # Facts about a finished job by name.
ShowProgress = Callable[[float], None]  # Takes the completed fraction of a job, 0 to 1.
_OPTIONS = {"background": "--background COLOUR", "to_8_bit": "--to-8-bit", "frame": "--frame N"}
_SKIPPED: Report = {"skipped": True}


class Existing(NamedTuple):
    """The treatment of outputs that exist; without any of the two they are errors.

    Attributes:
      overwrite: They are overwritten.
      skip: They are kept, and their jobs left out.
    """

    overwrite: bool = False
    skip: bool = False


def existing(force: bool, skip: bool) -> Existing:
    """Returns the treatment of existing outputs for the options --force and --skip-existing."""
    if force and skip:
        raise typer.BadParameter("give one of --force and --skip-existing")
    return Existing(force, skip)


def run(
    jobs: Iterable[Job],
    work: Callable[[Job, ShowProgress], Report],
    existing: Existing,
    as_json: bool,
    verb: str,
    check: Callable[[Job], None] = lambda job: None,
    slow: bool = False,
    verbose: bool = False,
    ray: str | None = None,
    before_ray: Callable[[], object] = lambda: None,
) -> None:
    """Does all jobs and prints their reports, with a progress bar for several or slow ones.

    A job that fails is named and stops no other.

    Args:
      jobs: The jobs.
      work: Does one job and returns its report; it may call its second argument with the completed fraction.
      existing: The treatment of outputs that exist.
      as_json: Whether the reports are printed as JSON.
      verb: The word before the progress bar.
      check: Raises an error if a job cannot be done; it is called for all jobs before the first is done.
      slow: Whether one job alone is worth a progress bar.
      verbose: Whether reports go to standard error where standard output takes the output of a job.
      ray: Address of a Ray cluster that does the jobs, or "local" for one on this machine.
      before_ray: Called before workers of Ray get copies of `work`.

    Raises:
      typer.Exit: A job failed; the exit status is 1.
    """
    jobs, reports, failed = list(jobs), {}, False
    task = functools.partial(_one, work=work, existing=existing)

    def outcomes() -> Iterator[tuple[Job, Report | Exception]]:
        ready = []
        for job in jobs:
            outcome = _checked(job, existing, check)
            if outcome is None:
                ready.append(job)
            else:
                yield job, outcome
        if ray and ready:
            before_ray()
        yield from _on_cluster(ready, task, bar, verb, ray) if ray and ready else _here(ready, task, bar, verb)

    # What goes to standard output is the output of a job there, so that reports go to standard error, if asked for.
    beside = any(job.target == STANDARD for job in jobs)
    with progress_bar((len(jobs) > 1 or slow) and not as_json) as bar, _counting_at_interrupt(jobs, reports):
        for job, outcome in outcomes():
            report = {"input": str(job.source)} | ({"output": str(job.target)} if job.target else {})
            if isinstance(outcome, Exception):
                failed, report = True, {"input": str(job.source), "error": message_of(outcome)}
                print(f"lic: {message_of(outcome)}", file=sys.stderr)
            else:
                report |= outcome
                if not as_json and (verbose or not beside):
                    print(describe(report), file=sys.stderr if beside else sys.stdout)
            reports[job] = report
    if as_json:
        print(json.dumps([reports[job] for job in jobs], indent=1), file=sys.stderr if beside else sys.stdout)
    if failed:
        raise typer.Exit(1)


def message_of(error: Exception) -> str:
    """Returns an error's message in the words of the command: options in place of arguments, and on one line."""
    options = [_OPTIONS[name] for name in getattr(error, "advice", ())]
    verb = "option is" if len(options) == 1 else "options are"
    return printable(f"{error} The command's {verb} {' and '.join(options)}." if options else str(error))


def describe(report: Report) -> str:
    """Returns a report as a line of text."""
    units = {"bytes": "{:,} bytes", "bpp": "{:.4f} bpp", "psnr": "{:.2f} dB", "seconds": "{:.2f} s"}
    words = {"verified": "verified", "skipped": "skipped, since it exists"}
    figures = [word for name, word in words.items() if report.get(name)]
    figures += [unit.format(report[name]) for name, unit in units.items() if report.get(name) is not None]
    became = f" -> {report['output']}" if "output" in report else ""
    return printable(f"{report['input']}{became}  {', '.join(figures)}".rstrip())


@contextlib.contextmanager
def _counting_at_interrupt(jobs: list[Job], reports: dict[Job, Report]) -> Iterator[None]:
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
            except Exception as error:
                raise_if_pressed()  # What cleans up after Ctrl-C may raise an error of its own, as shutil.rmtree does.
                yield job, _outcome_of(job, error)
            advance(number + 1)


def _on_cluster(
    jobs: list[Job], task: Callable[[Job, ShowProgress], Report], bar: Progress, verb: str, ray: str
) -> Iterator[tuple[Job, Report | Exception]]:
    """Does jobs by the workers of a Ray cluster, and yields them in the order in which they end."""
    from lic.cluster import on_cluster

    shown = bar.add_task(verb, total=len(jobs))
    for job, outcome in on_cluster(functools.partial(task, show_progress=lambda _: None), jobs, ray):
        yield job, _outcome_of(job, outcome) if isinstance(outcome, Exception) else outcome
        bar.advance(shown)


def _outcome_of(job: Job, error: Exception) -> Exception:
    """Returns the error of a job that stops no other. Others are raised: a wrong use, a missing package."""
    if isinstance(error, (LicError, OSError)):
        return error
    if isinstance(error, (typer.BadParameter, typer.Exit, typer.Abort, ImportError)):
        raise error
    _log.debug("%s", job.source, exc_info=error)
    return LicError(f"{job.source} failed with an error that lic does not expect: {type(error).__name__}: {error}")


def _checked(job: Job, existing: Existing, check: Callable[[Job], None]) -> Report | Exception | None:
    """Returns a report or an error if there is nothing to do for a job."""
    try:
        if job.target and existing.skip and job.target != STANDARD and job.target.exists():
            return _SKIPPED
        check(job)
        if job.target:
            refuse_existing(job.target, existing.overwrite, may_skip=True)
    except Exception as error:
        return _outcome_of(job, error)
    return None


def _one(
    job: Job, show_progress: ShowProgress, work: Callable[[Job, ShowProgress], Report], existing: Existing
) -> Report:
    try:
        if job.target:  # It may have come into being since the check, and need not be computed again.
            refuse_existing(job.target, existing.overwrite, may_skip=True)
        return work(job, show_progress)
    except OutputExistsError:
        if existing.skip:
            return _SKIPPED
        raise
