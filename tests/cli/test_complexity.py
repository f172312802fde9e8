"""`lic complexity`."""

import json

import pytest
from typer.testing import CliRunner

import lic
from lic import registry
from lic.cli import app
from lic.errors import CheckpointError, RegistryError
from lic.models.published import PublishedSystem
from tests.conftest import tiny_model


def complexity(*arguments):
    return CliRunner().invoke(app, ["complexity", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def small(monkeypatch):
    """A model in place of the registered ones."""
    own = registry.Registry("model", ())
    sizes = {"width": 8, "latent_depth": 12, "hyper_width": 8, "side_depth": 4, "features": 8}
    own.register("small")(lambda: PublishedSystem("conv", "hyperprior", sizes=sizes))
    monkeypatch.setattr(registry, "models", own)
    monkeypatch.setattr(registry, "list_models", own.names)
    return lic.create_model("small")


def test_json_has_the_same_table_as_the_model(small):
    counted = json.loads(complexity("small", "--size", "32x48", "--json").stdout)
    expected = small.complexity(32, 48)
    assert (counted["height"], counted["width"]) == (32, 48)
    assert [tuple(row.values()) for row in counted["rows"]] == [tuple(row) for row in expected.rows]
    assert counted["total"] == expected.total._asdict()


def test_table_has_a_row_for_each_part_and_totals(small):
    head, *rows, total, last = complexity("small").stdout.splitlines()
    expected = small.complexity(512, 768)
    assert head.split() == ["part", "parameters", "kMAC/pixel", "encode", "kMAC/pixel", "decode"]
    for line, row in zip((*rows, total), (*expected.per_pixel, expected.total_per_pixel), strict=True):
        numbers = [f"{row.parameters:,}", f"{row.macs_encode / 1e3:,.2f}", f"{row.macs_decode / 1e3:,.2f}"]
        assert line.rsplit(maxsplit=3) == [row.part, *numbers]
    encode, decode = (f"{macs / 1e9:,.2f} GMAC" for macs in expected.total[2:])
    assert last == f"512x768 (height x width): {encode} to encode, {decode} to decode"


@pytest.mark.usefixtures("small")
def test_size_is_height_by_width():
    counted = json.loads(complexity("small", "--size", "16X200", "--json").stdout)
    assert (counted["height"], counted["width"]) == (16, 200)


def test_codec_file_is_counted(codec):
    counted = json.loads(complexity(codec, "--size", "32x48", "--json").stdout)
    assert counted["total"] == tiny_model("klt", "hyperprior").complexity(32, 48).total._asdict()


@pytest.mark.usefixtures("small")
def test_unknown_model_is_refused():
    with pytest.raises(RegistryError, match="'smal'"):
        complexity("smal")


def test_missing_codec_file_is_refused():
    with pytest.raises(CheckpointError, match=r"absent\.codec"):
        complexity("absent.codec")


@pytest.mark.parametrize("size", ["512", "0x8", "8x-1", "8x8x3", "axb", ""])
def test_wrong_size_is_a_wrong_use(size):
    assert complexity("default", "--size", size).exit_code == 2
