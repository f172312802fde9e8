"""The public names of the packages of evaluation."""

import importlib
import pathlib
import subprocess
import sys

import pytest

PACKAGES = ["lic.evaluation", *(f"lic.evaluation.{name}" for name in ("run", "compare", "plots", "inspect"))]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package):
    module = importlib.import_module(package)
    assert list(module.__all__) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="absent"):
        module.absent  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES[1:])
def test_every_public_name_is_documented(package):
    api = (pathlib.Path(__file__).parents[2] / "docs" / "api.md").read_text()
    names = [name for name in importlib.import_module(package).__all__ if f"lic.{name}" not in api]
    assert [name for name in names if f"{package}.{name}" not in api] == []


@pytest.mark.parametrize("package", PACKAGES[:-1])
def test_results_are_read_compared_and_drawn_without_tensorflow(package):
    unwanted = ["tensorflow", "matplotlib", "plotly"]
    code = f"import sys, {package}; sys.exit(any(name in sys.modules for name in {unwanted}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
