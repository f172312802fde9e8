"""The versions and the machine that a result was made with; this file needs the standard library only."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform

from lic._version import __version__

_PACKAGES = [
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "tensorflow-compression",
    "tensorflow-compression-ops",
    "numpy",
    "numba",
    "einops",
    "pillow",
    "imagecodecs",
]


def versions() -> dict[str, str]:
    """Returns the versions of `lic`, of Python and of the packages that results depend on."""
    installed = {
        each.metadata["Name"].lower().replace("_", "-"): each.version for each in importlib.metadata.distributions()
    }
    packages = {name: installed[name] for name in _PACKAGES if name in installed}
    return {"lic": __version__, "python": platform.python_version()} | packages


def machine() -> dict[str, str | int]:
    """Returns the system, the processor, and the number of cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"system": f"{platform.platform()} {platform.machine()}", "processor": _processor(), "cores": cores}


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
