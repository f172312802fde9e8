import os
import re
import subprocess
import sys

import pytest

import lic
from lic.errors import RegistryError
from lic.registry import Registry


@pytest.fixture
def colours():
    registry = Registry("colour", ())
    registry.register("red")(int)
    registry.register("green")(float)
    return registry


def test_names_are_sorted_and_lead_to_their_entries(colours):
    assert colours.names() == ["green", "red"]
    assert colours.get("red") is int
    assert colours.name_of(float) == "green"


def test_a_name_is_given_once(colours):
    with pytest.raises(RegistryError, match="colour 'red' is registered already, as <class 'int'>"):
        colours.register("red")(str)
    assert colours.get("red") is int


def test_an_unknown_name_is_answered_with_near_ones(colours):
    with pytest.raises(RegistryError, match="no colour named 'gren'. Did you mean 'green'"):
        colours.get("gren")
    with pytest.raises(RegistryError, match="no colour named 'xyz'. Known: green, red"):
        colours.get("xyz")


@pytest.mark.parametrize("name", ["", None, int])
def test_a_decorator_without_a_name_is_refused(colours, name):
    with pytest.raises(RegistryError, match="expected a non-empty string"):
        colours.register(name)


def test_an_unregistered_class_has_no_name(colours):
    with pytest.raises(RegistryError, match="expected a registered colour"):
        colours.name_of(str)


def test_public_lists():
    assert lic.list_transforms() == ["bottleneck", "conv", "klt", "mixed", "partial", "residual", "rwkv", "swin"]
    assert lic.list_hyper_transforms() == ["bottleneck-swin", "conv", "mixed", "partial", "rwkv", "subpixel", "swin"]
    generalized = ["generalized-normal", "generalized-normal-per-channel"]
    assert lic.list_likelihoods() == [*generalized, "laplace", "logistic", "normal", "normal-mixture"]
    assert lic.list_entropy_models() == [
        "autoregressive",
        "charm",
        "checkerboard",
        "dual",
        "factorized",
        "hierarchical",
        "hyperprior",
        "multi-reference",
        "parametric",
        "quadtree",
        "space-channel",
    ]
    assert "default" in lic.list_models()


@pytest.mark.parametrize("kind", ["transform", "hyper_transform", "entropy_model", "likelihood"])
def test_a_class_of_another_kind_is_refused(kind):
    base = "".join(word.capitalize() for word in kind.split("_"))
    with pytest.raises(
        RegistryError, match=f"register_{kind}: expected a subclass of lic.{base}.*Received: <class 'object'>"
    ):
        getattr(lic, f"register_{kind}")("other")(object)


def test_a_name_that_comes_with_lic_is_not_given_again():
    code = """
import lic
try:
    lic.register_model("tcm")(lambda: None)
except lic.RegistryError as error:
    print(error, len(lic.list_models()) > 20)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert re.fullmatch(
        r"The model 'tcm' is registered already, .*Choose another name for .*lambda.* True\n", ended.stdout
    )


@pytest.fixture
def own_part(tmp_path):
    file = tmp_path / "my_parts.py"
    file.write_text("import lic\n\n\n@lic.register_likelihood('mine')\nclass Mine(lic.entropy.Laplace):\n    pass\n")
    return file


def _likelihoods_with(parts):
    script = "import lic; print(lic.list_likelihoods())"
    environment = os.environ | {"LIC_PARTS": str(parts)}
    return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)


def test_files_and_modules_of_own_parts_are_imported(own_part, monkeypatch):
    assert "'mine'" in _likelihoods_with(own_part).stdout
    monkeypatch.setenv("PYTHONPATH", str(own_part.parent))
    assert "'mine'" in _likelihoods_with(f"my_parts{os.pathsep}json").stdout


def test_files_of_one_name_are_not_confused(own_part, tmp_path):
    other = tmp_path / "elsewhere" / own_part.name
    other.parent.mkdir()
    other.write_text("")
    assert "'mine'" in _likelihoods_with(f"{own_part}{os.pathsep}{own_part}").stdout
    found = _likelihoods_with(f"{other}{os.pathsep}{own_part}")
    assert f"{own_part} cannot be imported, since another module has the name 'my_parts': {other}" in found.stderr
    python = own_part.rename(tmp_path / "random.py")
    assert (
        f"{python} cannot be imported, since another module has the name 'random'" in _likelihoods_with(python).stderr
    )


@pytest.mark.parametrize("parts", ["nothing.py", "no_module_of_this_name"])
def test_own_parts_that_cannot_be_imported_are_named(parts):
    found = _likelihoods_with(parts)
    assert f"RegistryError: LIC_PARTS: {parts} cannot be imported" in found.stderr


def test_the_error_of_an_unknown_part_names_the_variable():
    with pytest.raises(RegistryError, match="no transform named 'haar'.*LIC_PARTS=FILE.py imports parts of your own"):
        lic.registry.transforms.get("haar")
