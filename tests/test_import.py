"""The import of `lic`, and its errors in environments that cannot work."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import lic
from tests.conftest import DATA


def python(*arguments, path=None):
    """Runs Python in a process of its own, with a folder put before all others that it imports from."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment)


def printed(script, path=None):
    result = python("-c", script, path=path)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(params=["too old", "missing"])
def without_tensorflow(request, tmp_path):
    """A folder with a `tensorflow` that cannot be used, and a text that the error must hold."""
    (tmp_path / "tensorflow").mkdir()
    texts = {
        "too old": ('__version__ = "2.11.0"', "2.11.0"),
        "missing": ("raise ImportError('libtensorflow is not there')", "libtensorflow is not there"),
    }
    text, reason = texts[request.param]
    (tmp_path / "tensorflow" / "__init__.py").write_text(text)
    return tmp_path, reason


@pytest.mark.parametrize("script", ["import lic", "import lic; dir(lic); lic.__version__; lic.LicError"])
def test_import_loads_neither_numpy_nor_tensorflow(script):
    names = "[name for name in ('numpy', 'tensorflow', 'keras', 'PIL') if name in sys.modules]"
    assert printed(f"import json, sys; {script}; print(json.dumps({names}))") == []


def test_every_public_name_resolves():
    script = "import json, lic; print(json.dumps({name: repr(getattr(lic, name)) for name in lic.__all__}))"
    assert set(printed(script)) == set(lic.__all__)


def test_from_lic_import_works_for_every_public_name():
    namespace = {}
    exec("from lic import *", namespace)
    assert set(lic.__all__) <= set(namespace)


def test_dir_lists_the_public_names_and_packages():
    listed = printed("import json, lic; print(json.dumps(dir(lic)))")
    assert listed == sorted({*lic.__all__, *lic._SUBMODULES})
    assert {"testing", "entropy", "transforms", "weights"} <= set(listed)


def test_no_public_name_is_there_twice():
    assert len(set(lic.__all__)) == len(lic.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'lic' has no attribute 'create_modle'"):
        _ = lic.create_modle


def test_unknown_name_loads_nothing():
    script = "import json, sys, lic; print(json.dumps([hasattr(lic, 'no_such_name'), 'tensorflow' in sys.modules]))"
    assert printed(script) == [False, False]


def test_version_is_that_of_the_package():
    script = "import importlib.metadata, json; print(json.dumps(importlib.metadata.version('keras-lic')))"
    assert printed(script) == lic.__version__


def test_tensorflow_that_cannot_be_used_is_named_in_one_sentence(without_tensorflow):
    path, reason = without_tensorflow
    script = """
import json, lic
try:
    lic.create_model
except ImportError as error:
    print(json.dumps(str(error)))
"""
    message = printed(script, path)
    for part in ("2.14", "2.17", reason):
        assert part in message
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize(("verb", "name"), [("compress", "default-crop-1.png"), ("decompress", "default-crop-1.lic")])
def test_command_prints_one_line(without_tensorflow, verb, name, tmp_path):
    path, reason = without_tensorflow
    shutil.copy(DATA / "golden-streams" / name, tmp_path)
    result = python("-m", "lic", verb, tmp_path / name, path=path)
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("lic: ")
    for part in ("2.14", "2.17", reason):
        assert part in line


def test_models_are_listed_without_tensorflow(without_tensorflow):
    path, _ = without_tensorflow
    result = python("-m", "lic", "models", path=path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "default" in result.stdout


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_other_python_is_refused_in_one_sentence(version):
    script = f"""
import json, sys
sys.version_info = ({version[0]}, {version[1]}, 0, "final", 0)
try:
    import lic
except ImportError as error:
    print(json.dumps(str(error)))
"""
    assert printed(script) == f"lic needs Python 3.10 to 3.13; this is Python {version[0]}.{version[1]}."
