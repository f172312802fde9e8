import os
import sys
import textwrap
import types

import pytest

from lic.testing import plugin
from lic.testing.plugin import laws_of
from tests.conftest import tiny_model
from tests.testing.transform_mutants import Sound


def test_laws_of_each_kind_have_names():
    assert "downscale and depth are as declared" in laws_of(Sound())
    names = laws_of(tiny_model("klt", "hyperprior"))
    assert {"transform: a call changes no variable", "hyper transform: it takes every size"} <= names.keys()
    assert {"entropy model: parts partition the latent", "model: losses are finite"} <= names.keys()
    with pytest.raises(ValueError, match="expected a lic.Transform"):
        laws_of(3)


MODULE = """
    from tests.testing.transform_mutants import HasAGridOfItsOwn, Sound

    lic_parts = {"sound": Sound, "grid": HasAGridOfItsOwn}

    def test_laws(lic_law):
        lic_law()
"""


def test_it_makes_one_test_for_each_part_and_law(pytester_run):
    ended = pytester_run(MODULE)
    assert ended.returncode == 1
    laws = len(laws_of(Sound()))
    assert f"1 failed, {2 * laws - 1} passed" in ended.stdout
    assert "test_laws[grid: moving the image moves the latent]" in ended.stdout


QUICK = """
    from lic.testing.laws import Trial, slow
    from lic.testing import plugin

    def quick_law(part):
        pass

    @slow
    def slow_law(part):
        assert False

    plugin.trials_of = lambda part: {"kind": Trial("part", [quick_law, slow_law], part)}
    lic_parts = {"mine": lambda: 3}

    def test_laws(lic_law):
        lic_law()
"""


def test_quick_leaves_out_what_takes_long(pytester_run):
    ended = pytester_run(QUICK, "--lic-quick")
    assert ended.returncode == 0
    assert "1 passed" in ended.stdout


def test_a_module_without_parts_is_refused(pytester_run):
    ended = pytester_run("def test_laws(lic_law): lic_law()")
    assert "the module needs lic_parts: a dict from names to functions that make parts" in ended.stdout


@pytest.fixture
def pytester_run(tmp_path, monkeypatch, capsys):
    """Runs pytest with its own options, in this process: another would import TensorFlow."""
    monkeypatch.setattr(plugin, "trials_of", plugin.trials_of)  # Modules may replace it.

    def run(module, *options):
        (tmp_path / "test_mine.py").write_text(textwrap.dedent(module))
        own = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path)]
        sys.modules.pop("test_mine", None)  # That of the test before.
        returncode = pytest.main([*own, str(tmp_path), *options])
        return types.SimpleNamespace(returncode=returncode, stdout=capsys.readouterr().out)

    return run
