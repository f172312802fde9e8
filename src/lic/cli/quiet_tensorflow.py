"""TensorFlow imported without its start-up messages, some of which no setting of TensorFlow 2.21 turns off."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Drops what TensorFlow writes to the standard error while it is imported, unless the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow where it is, and makes its import quiet."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        others = (each.find_spec(name, path, target) for each in sys.meta_path if each is not self)
        spec = next(filter(None, others), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module: ModuleType) -> None:
                with _held_back_errors():
                    execute(module)

            spec.loader.exec_module = execute_quietly
        return spec


@contextlib.contextmanager
def _held_back_errors() -> Iterator[None]:
    """Holds back what is written to the standard error, and writes it after all if an error is raised."""
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as error_output:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            shutil.copyfileobj(held, error_output)
            raise
        finally:
            os.dup2(error_output.fileno(), 2)
