import pathlib
import re
import sys

import numpy as np
from PIL import Image

from lic.cli import demo

# Modules of the extras, which `make demo` does not install.
EXTRAS = ["bjontegaard", "hypothesis", "imagecodecs", "matplotlib", "plotly", "ray", "safetensors", "skimage", "torch"]


def test_it_writes_a_picture_with_something_on_it(tmp_path, caplog, monkeypatch):
    for name in EXTRAS:
        monkeypatch.setitem(sys.modules, name, None)  # Its import fails.
    caplog.set_level("INFO", "lic.cli.demo")
    demo.main(str(tmp_path / "demo.png"))
    sheet = np.asarray(Image.open(tmp_path / "demo.png"))
    assert sheet.shape[1] > 3 * 768
    for third in np.array_split(sheet[60:], 3, axis=1):
        assert third.std() > 20
    assert "lic default: " in caplog.text
    assert "JPEG quality" in caplog.text


def test_the_demo_is_set_up_without_extras():
    makefile = (pathlib.Path(__file__).parents[2] / "Makefile").read_text()
    assert re.search(r"^demo: \.venv/\.demo ", makefile, re.MULTILINE)
    (recipe,) = re.findall(r"^\.venv/\.demo: .*\n\t.*\$\(call install,\.venv,([^)]*)\)", makefile, re.MULTILINE)
    assert "[" not in recipe
