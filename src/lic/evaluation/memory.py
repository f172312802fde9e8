"""The peak memory of this process, from a moment on."""

from __future__ import annotations

import logging
import pathlib

_log = logging.getLogger(__name__)
_PROCESS = pathlib.Path("/proc/self")


def reset_peak_memory() -> None:
    """Lets the peak begin anew at what the process holds now, where the system allows it."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError as error:
        _log.info("peak memory is that of the whole process: %s", error)


def peak_memory() -> int | None:
    """Returns the peak of resident memory in bytes since `reset_peak_memory`, or None where the system tells none."""
    try:
        status = (_PROCESS / "status").read_text()
    except OSError:
        return None
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024 * int(sizes[0]) if sizes else None
