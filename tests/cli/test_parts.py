"""`lic parts`."""

import json

import pytest
from typer.testing import CliRunner

import lic
from lic.cli import app
from lic.registry import PARTS


def listed(*arguments):
    return CliRunner().invoke(app, ["parts", *arguments])


def test_all_registered_parts_are_listed_by_kind():
    named = json.loads(listed("--json").stdout)
    assert named == {kind.replace("_", " "): registry.names() for kind, registry in PARTS.items()}
    lines = listed().stdout.splitlines()
    assert "transform" in lines[1]
    assert " klt," in lines[1]


@pytest.mark.parametrize(("transform", "entropy"), [("klt", "charm"), ("conv", "hyperprior")])
def test_the_sizes_of_parts_are_those_that_models_take(transform, entropy):
    sizes = json.loads(listed(transform, "--json").stdout)["transform"]
    sizes |= json.loads(listed(entropy, "--json").stdout)["entropy model"]
    assert "latent_depth" in sizes
    model = lic.create_model(transform=transform, entropy=entropy, **sizes)
    assert model.configuration() == lic.create_model(transform=transform, entropy=entropy).configuration()


def test_a_name_of_several_kinds_has_a_table_for_each():
    text = listed("conv").stdout
    assert text.index("transform conv: ") < text.index("hyper transform conv: ")
    assert ["analysis_strides", "[2, 2, 2, 2]"] in [line.split(maxsplit=1) for line in text.splitlines()]


def test_an_unknown_name_is_answered_with_near_ones():
    assert "no part named 'kllt'. Did you mean 'klt'" in str(listed("kllt").exception)
