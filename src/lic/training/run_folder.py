"""The folder of a training: model, settings, photographs, versions, and the results."""

from __future__ import annotations

import json
import logging
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from lic.atomic_write import atomic_write
from lic.codec.shipped import FINAL
from lic.errors import TrainingError, as_error
from lic.json_files import read_json
from lic.versions import machine, versions

_log = logging.getLogger(__name__)
# A training may go on for longer than it was begun for.
_MAY_DIFFER = ("settings.steps", "settings.interval", "settings.last_steps")


class RunFolder:
    """The files of a training.

    Args:
      path: The folder.

    Attributes:
      metrics: metrics.jsonl, lines of JSON.
      checkpoints: The folder of checkpoints.
      tensorboard: The folder that TensorBoard reads.
      codec: final.codec, the result.
      last_phase: The folder of the last phase, if there is one.
    """

    def __init__(self, path: str | pathlib.Path):
        self.path = pathlib.Path(path)
        self.metrics, self.codec = self.path / "metrics.jsonl", self.path / FINAL
        self.checkpoints, self.tensorboard = self.path / "checkpoints", self.path / "tensorboard"
        self.last_phase = self.path / "last-phase"

    def facts(self) -> dict[str, Any]:
        """Returns the content of run.json: "config", with model and settings, and "data".

        Raises:
          TrainingError: It is missing or damaged.
        """
        file = self.path / "run.json"
        if not file.exists():
            raise TrainingError(
                f"{self.path} holds no training: it has no run.json. Give the folder of `lic train --out`."
            )
        with as_error(TrainingError, f"{file} is damaged", "Put it back from a copy, or train in another folder."):
            facts = read_json(file)
            for part in (facts["data"], facts["config"], facts["config"]["model"], facts["config"]["settings"]):
                if not isinstance(part, dict):
                    raise ValueError(f"expected objects, found {part!r}")
            return facts

    def begin(self, config: Mapping[str, Any], listing: list[tuple[str, int]], digest: str) -> None:
        """Writes run.json and data.txt or, if they exist, checks that they are of the same training.

        The folder is made if it does not exist.

        Args:
          config: Model and settings, as plain data.
          listing: Name and bytes of each photograph.
          digest: Digest of the photographs.

        Raises:
          TrainingError: The folder is of another training, or run.json is damaged; the message names the difference.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / "run.json"
        facts = {"config": json.loads(json.dumps(config)), "data": {"files": len(listing), "sha256": digest}}
        if file.exists():
            _compare(self.facts(), facts, self.path)
            return
        with atomic_write(self.path / "data.txt") as data:
            data.write("".join(f"{size}\t{name}\n" for name, size in listing).encode(errors="backslashreplace"))
        with atomic_write(file) as text:
            text.write(json.dumps(facts | {"made_with": versions() | {"machine": machine()}}, indent=1).encode())

    def begin_more_steps(self) -> None:
        """Removes the results of fewer steps: the codec, and the folder of the last phase."""
        for result in filter(pathlib.Path.exists, (self.codec, self.last_phase)):
            _log.warning("%s is removed, since more steps are taken.", result)
            shutil.rmtree(result) if result.is_dir() else result.unlink()


def _compare(before: dict, now: dict, path: pathlib.Path) -> None:
    flat = [dict(_flat({"data": facts["data"]} | facts["config"])) for facts in (before, now)]
    for name in sorted(flat[0].keys() | flat[1].keys()):
        old, new = (each.get(name) for each in flat)
        if old != new and name not in _MAY_DIFFER:
            raise TrainingError(
                f"{path} is of a training with {name}={old!r}, this one has {new!r}. "
                "Give the same arguments to go on with it, or another folder to begin anew."
            )


def _flat(facts: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Returns the values in nested dictionaries, by names such as settings.batch."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield within + name, value
