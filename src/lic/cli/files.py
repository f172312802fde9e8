"""A command's inputs and outputs: files, folders, and the standard streams."""

from __future__ import annotations

import collections
import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import typer

from lic.cli import standard_streams
from lic.cli.standard_streams import printable
from lic.errors import BitstreamError, LicError
from lic.visible_files import visible_files

STANDARD = pathlib.Path("-")  # Standard input as a source, standard output as a target.


class Job(NamedTuple):
    """A file to read and a file to write; `target` is None if there is nothing to write."""

    source: pathlib.Path
    target: pathlib.Path | None


class Naming(NamedTuple):
    """The names of outputs.

    Attributes:
      ending: Suffix of the outputs' names.
      behind: Whether it stands behind the input's whole name, and not in the place of the input's suffix.
      is_file: Returns whether a name that nothing has yet is that of an output file, and not of a folder.
    """

    ending: str
    behind: bool
    is_file: Callable[[pathlib.Path], bool]


class OutputExistsError(LicError):
    """An output that exists and may not be overwritten."""


def split_output(
    paths: list[str], out: str | None, naming: Naming, is_output: Callable[[pathlib.Path], bool]
) -> tuple[list[str], str | None]:
    """Splits the arguments IN... [OUT] into inputs and output: the last path is the output if it can be no input.

    It is the output if it is a folder after files, if it is the second of two paths and `is_output` accepts it, if it
    is the second of two folders, or if it is the standard output. A path that does not exist yet is the output if its
    name ends in a slash, has no suffix, or is that of an output file.
    """
    *first, last = paths
    if out is not None or not first:
        return paths, out
    path = pathlib.Path(last)
    behind_files = os.path.isdir(last) and not any(os.path.isdir(path) for path in first)
    of_two = len(first) == 1 and (is_output(path) or os.path.isdir(first[0]))
    named = naming.is_file(path) or (len(first) > 1 and not path.suffix)
    to_make = not os.path.exists(last) and (_is_folder(last) or named)
    if behind_files or of_two or to_make or last == str(STANDARD):
        return first, last
    return paths, None


def plan(
    paths: list[str],
    out: str | None,
    naming: Naming,
    wanted: Callable[[pathlib.Path], bool],
) -> list[Job]:
    """Returns a job for each input file.

    Args:
      paths: Files, folders, or "-" alone for the standard input; folders are searched for files that are wanted.
      out: The output file for one input file, or "-", or a folder, which need not exist if its name ends in a slash or
        if there are several inputs. By default outputs are written beside the inputs.
      naming: The names of the outputs.
      wanted: Returns whether a file in a folder is an input.

    Raises:
      typer.BadParameter: There are no inputs, several inputs would have one output, or an output is an input.
    """
    if str(STANDARD) in (*paths, out):
        return [_job_of_standard_streams(paths, out)]
    found = _found(paths, wanted)
    if out is None:
        _refuse_pipes([path for path, _ in found])
    several = len(found) > 1 or os.path.isdir(paths[0])
    if out is not None and not (several or _is_folder(out) or os.path.isdir(out)):
        jobs = [Job(found[0][0], _path(out))]
    else:
        if out is not None:
            _check_folder(out, naming)
        targets = [(base if out is None else _path(out)) / path.relative_to(base) for path, base in found]
        jobs = [Job(path, target) for (path, _), target in zip(found, _named(targets, naming))]
    _check_places(jobs)
    return jobs


def only_read(paths: list[str], wanted: Callable[[pathlib.Path], bool]) -> list[Job]:
    """Returns a job without an output for each input file; arguments are those of `plan`.

    Raises:
      typer.BadParameter: There are no inputs.
    """
    if paths == [str(STANDARD)]:
        return [Job(STANDARD, None)]
    return [Job(path, None) for path, _ in _found(paths, wanted)]


def wrong_use(message: str) -> typer.BadParameter:
    """Returns the error of a wrong use of the command, with names escaped that cannot be printed."""
    return typer.BadParameter(printable(message))


def _path(text: str) -> pathlib.Path:
    """Returns a path; that of a file which is called - differs from the standard streams'."""
    path = pathlib.Path(text)
    return path.absolute() if path == STANDARD and text != str(STANDARD) else path


def _is_folder(text: str) -> bool:
    return os.fspath(text).endswith(os.sep)


def _job_of_standard_streams(paths: list[str], out: str | None) -> Job:
    if len(paths) > 1 or os.path.isdir(paths[0]):
        raise wrong_use("- is standard input or output, and stands for one file only")
    if out is not None and (_is_folder(out) or os.path.isdir(out)):
        raise wrong_use(f"name a file in {out}, since the standard input has no name")
    target = STANDARD if out is None else _path(out)
    return Job(_path(paths[0]), target)


def _check_places(jobs: list[Job]) -> None:
    """Raises an error if an output would take the place of an input, or of another output by way of a link."""
    taken = {os.path.realpath(job.source) for job in jobs}
    for job in jobs:
        place = os.path.realpath(job.target)
        if place in taken:
            raise wrong_use(f"the output {job.target} is an input or another output, too; name another")
        taken.add(place)


def _refuse_pipes(paths: Iterable[pathlib.Path]) -> None:
    for path in paths:
        if path.exists() and not path.is_file():
            raise wrong_use(f"name the output of {path}, which is no ordinary file")


def _check_folder(out: str, naming: Naming) -> None:
    if _path(out).exists() and not os.path.isdir(out):
        raise wrong_use(f"{out} is a file, but the outputs of several inputs, and names that end in /, need a folder")
    if not os.path.exists(out) and not _is_folder(out) and naming.is_file(_path(out)):
        raise wrong_use(f"{out} names a file, but the outputs of several inputs need a folder; end its name in /")


def _found(paths: list[str], wanted: Callable[[pathlib.Path], bool]) -> list[tuple[pathlib.Path, pathlib.Path]]:
    found = [each for top in paths for each in _files(_path(top), wanted)]
    if not found:
        raise wrong_use(f"no inputs found in {', '.join(map(str, paths))}")
    return found


def _files(top: pathlib.Path, wanted: Callable[[pathlib.Path], bool]) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Returns the inputs at or below a path, each with the folder that its output's path is relative to."""
    if not top.is_dir():
        return [(top, top.parent)]
    return [(path, top) for path in visible_files(top, wanted)]


def _named(targets: list[pathlib.Path], naming: Naming) -> list[pathlib.Path]:
    """Replaces the suffix of each name, or appends to it where asked to or where two names would be the same."""
    appended = [target.with_name(target.name + naming.ending) for target in targets]
    named = appended if naming.behind else [target.with_suffix(naming.ending) for target in targets]
    shorter = None
    while named != shorter:  # An appended name may be the short one of another input, which is then appended to, too.
        shorter, count = named, collections.Counter(named)
        named = [short if count[short] == 1 else long for short, long in zip(shorter, appended)]
    for target, number in collections.Counter(named).items():
        if number > 1:
            raise wrong_use(f"{number} inputs would all become {target}; give them one by one, or their folder")
    return named


def refuse_inputs(target: pathlib.Path, *inputs: str | os.PathLike) -> None:
    """Raises a typer.BadParameter if an output would take the place of an input, with --force too."""
    if target != STANDARD and os.path.realpath(target) in map(os.path.realpath, inputs):
        raise wrong_use(f"the output {target} is an input, too; name another")


def refuse_existing(target: pathlib.Path, force: bool, may_skip: bool = False) -> None:
    """Raises an OutputExistsError if an output exists and may not be overwritten.

    Args:
      target: The output.
      force: Whether it may be overwritten.
      may_skip: Whether the command has --skip-existing.

    Raises:
      typer.BadParameter: The output is the standard output, and a terminal.
    """
    if force:
        return
    if target == STANDARD and sys.stdout.isatty():
        raise wrong_use("the standard output is a terminal; name a file, or give --force to write bytes to it")
    if target != STANDARD and target.exists():
        raise _exists(target, "exists", may_skip)


def _exists(target: pathlib.Path, exists: str, may_skip: bool) -> OutputExistsError:
    skip = "--skip-existing to keep it, " if may_skip else ""
    return OutputExistsError(f"{target} {exists}. Give {skip}--force to overwrite it, or name another output.")


@contextlib.contextmanager
def new_file(target: pathlib.Path, force: bool, may_skip: bool = False) -> Iterator[pathlib.Path]:
    """Yields a path to write to, and gives the file that is written there its name when it is complete.

    The folder is made. Arguments are those of `refuse_existing`.

    Raises:
      OutputExistsError: The output has come into being in the meantime.
      LicError: It cannot be written.
    """
    from lic.atomic_write import atomic_path

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LicError(f"The folder of {target} cannot be made: {error.strerror}.") from error
    try:
        with atomic_path(target, force) as path:
            yield path
    except FileExistsError:
        raise _exists(target, "has come into being in the meantime", may_skip) from None
    except OSError as error:
        raise LicError(f"{target} cannot be written: {error.strerror or error}.") from error


def write_bytes(target: pathlib.Path, data: bytes, force: bool) -> None:
    """Writes an output, which may be the standard output; arguments and errors are those of `new_file`."""
    if target == STANDARD:
        standard_streams.write_output(data)
        return
    with new_file(target, force, may_skip=True) as path:
        path.write_bytes(data)


def read_bytes(path: pathlib.Path) -> bytes:
    """Returns the bytes of an input, which may be the standard input.

    Raises:
      BitstreamError: There is no such file, or it cannot be read.
    """
    if path == STANDARD:
        return standard_streams.read_input()
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BitstreamError(f"There is no file {str(path)!r}.") from None
    except OSError as error:
        raise BitstreamError(f"{path} cannot be read: {error.strerror}.") from None


@contextlib.contextmanager
def ordinary_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the path of an input or, if that is a pipe or the standard input, of a temporary file with its bytes.

    Errors that name the temporary file are raised with the name of the input.
    """
    if path != STANDARD and (path.is_file() or not path.exists()):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "input"
        copy.write_bytes(read_bytes(path))
        try:
            yield copy
        except LicError as error:
            error.args = (str(error).replace(str(copy), _name_of(path)), *error.args[1:])
            raise


def beginning(path: pathlib.Path, count: int) -> bytes:
    """Returns the first bytes of an ordinary file; of others none, since a pipe is read once only."""
    if path == STANDARD or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(count)


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Puts the name of a file before the message of an error that is raised while the context lasts."""
    try:
        yield
    except Exception as error:
        error.args = (f"{_name_of(path)}: {error}",)
        raise


def _name_of(path: pathlib.Path) -> str:
    return "The standard input" if path == STANDARD else str(path)
