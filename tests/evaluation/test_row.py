import subprocess
import sys

import pytest

from lic.evaluation.row import Row

MEASURED = Row("default", "photo.png", 4.0, 20, 30, 150, 2.0, 30.0, 0.9, 10.0, 0.5, 0.125, 0.75, None, None)


def test_networks_take_what_the_coder_does_not():
    assert MEASURED.encode_networks_seconds == pytest.approx(0.375)
    assert MEASURED._replace(decode_coder_seconds=0.5).decode_networks_seconds == pytest.approx(0.25)


def test_a_codec_that_tells_no_share_has_none():
    assert MEASURED.decode_networks_seconds is None
    assert MEASURED._replace(encode_coder_seconds=None).encode_networks_seconds is None


def test_reading_rows_needs_no_tensorflow():
    code = "import sys, lic.evaluation.row; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
