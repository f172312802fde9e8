"""`lic models`."""

import json

import pytest
from typer.testing import CliRunner

from lic import registry
from lic.cli import app
from lic.models.published import PublishedSystem


def models(*arguments):
    return CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False).stdout


@pytest.fixture
def two_models(monkeypatch):
    """Two models in place of the registered ones."""
    own = registry.Registry("model", ())
    sizes = {"width": 8, "parameter_widths": (10,)}
    paper = "Somebody and Somebody Else, Conference 2024"
    own.register("small")(lambda: PublishedSystem("klt", "checkerboard", sizes=sizes, parameters=1234567, paper=paper))
    own.register("big")(lambda: PublishedSystem("conv", "charm", lmbda=0.05, licence="MIT", weights="big.codec"))
    monkeypatch.setattr(registry, "models", own)
    monkeypatch.setattr(registry, "list_models", own.names)


def test_every_registered_model_is_listed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert list(json.loads(models("--json"))) == registry.list_models()
    printed = models()
    assert "…" not in printed
    for name in registry.list_models():
        system = registry.models.get(name)()
        for word in (name, system.transform, system.entropy, f"{system.parameters:,}", *system.paper.split()):
            assert word in printed.split()


@pytest.mark.usefixtures("two_models")
def test_json_has_the_whole_system():
    listed = json.loads(models("--json"))
    assert listed["small"] == {
        "transform": "klt",
        "entropy": "checkerboard",
        "hyper": None,
        "hyper_entropy": None,
        "likelihood": None,
        "lmbda": 0.01,
        "sizes": {"width": 8, "parameter_widths": [10]},
        "parameters": 1234567,
        "paper": "Somebody and Somebody Else, Conference 2024",
        "licence": "Apache-2.0",
        "weights": None,
    }


@pytest.mark.usefixtures("two_models")
def test_table_has_a_row_for_each_model(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    head, big, small = models().splitlines()
    assert head.split() == ["model", "parts", "parameters", "weights", "licence", "paper"]
    for text in ("big", "conv + charm", "ship", "MIT"):
        assert text in big
    for text in ("small", "klt + checkerboard", "1,234,567", "none", "Apache-2.0", "Conference 2024"):
        assert text in small


@pytest.mark.usefixtures("two_models")
def test_narrow_table_cuts_nothing_off(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    printed = models()
    assert "…" not in printed
    for word in ("klt", "checkerboard", "1,234,567", "Apache-2.0", "Somebody", "Conference", "2024"):
        assert word in printed


def test_arguments_are_a_wrong_use():
    assert CliRunner().invoke(app, ["models", "default"]).exit_code == 2
