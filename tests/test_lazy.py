"""Doors of packages: what type checkers see is what Python gives."""

import ast
import importlib
import pathlib

import pytest

import lic

ROOT = pathlib.Path(lic.__file__).parent
DOORS = sorted(path for path in ROOT.rglob("__init__.py") if "lazy_names(" in path.read_text())


def _package(path):
    return importlib.import_module(".".join(["lic", *path.parent.relative_to(ROOT).parts]))


def _seen_by_type_checkers(path):
    """Returns the module of each name that `if TYPE_CHECKING` imports."""
    (block,) = (
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    return {alias.name: node.module for node in block.body for alias in node.names}


def test_there_are_doors():
    assert {path.parent.name for path in DOORS} >= {"lic", "models", "codec", "testing", "evaluation"}


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.name)
def test_names_are_the_same_for_type_checkers_and_for_python(path):
    package, seen = _package(path), _seen_by_type_checkers(path)
    submodules = {name for name, module in seen.items() if module == package.__name__}
    home_of = {name: module for module, names in getattr(package, "_HOMES", {}).items() for name in names}
    assert {name: module for name, module in seen.items() if name not in submodules} == home_of
    assert set(package.__all__) - {"__version__"} - submodules == home_of.keys()
    for name in submodules:
        assert getattr(package, name) is importlib.import_module(f"{package.__name__}.{name}")
    assert dir(package) == sorted({*package.__all__, *submodules})


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.name)
def test_every_name_is_that_of_its_module(path):
    package = _package(path)
    for module, names in getattr(package, "_HOMES", {}).items():
        for name in names:
            assert getattr(package, name) is getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.name)
def test_a_misspelt_name_is_an_attribute_error(path):
    package = _package(path)
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Transfrom'"):
        _ = package.Transfrom
