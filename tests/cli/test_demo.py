import numpy as np
from PIL import Image

from lic.cli import demo


def test_it_writes_a_picture_with_something_on_it(tmp_path, caplog):
    caplog.set_level("INFO", "lic.cli.demo")
    demo.main(str(tmp_path / "demo.png"))
    sheet = np.asarray(Image.open(tmp_path / "demo.png"))
    assert sheet.shape[1] > 3 * 768
    for third in np.array_split(sheet[60:], 3, axis=1):
        assert third.std() > 20
    assert "lic default: " in caplog.text
    assert "JPEG quality" in caplog.text
