"""TensorFlow imported without its start-up messages."""

import subprocess
import sys

import pytest

# A package of that name, which writes to the standard error as a library in C++ does.
TENSORFLOW = "import os; os.write(2, b'noise\\n')"
SCRIPT = """
import os, sys
from lic.cli.quiet_tensorflow import quiet_tensorflow
with quiet_tensorflow():
    import tensorflow
    os.write(2, b"later\\n")
assert not any("quiet" in type(each).__module__ for each in sys.meta_path)
print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""


@pytest.mark.parametrize(
    ("code", "error"), [(TENSORFLOW, "later\n"), (TENSORFLOW + "; raise ImportError('no library')", "noise\n")]
)
def test_messages_are_dropped_unless_the_import_fails(tmp_path, code, error):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(code)
    ended = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stderr.startswith(error)
    assert ("no library" in ended.stderr) == (ended.returncode != 0) == ("raise" in code)
