import io

import numpy as np
from PIL import Image

from lic import demo
from tests.conftest import random_images


def test_it_writes_a_picture_with_something_on_it(tmp_path, caplog):
    caplog.set_level("INFO", "lic.demo")
    demo.main(str(tmp_path / "demo.png"))
    sheet = np.asarray(Image.open(tmp_path / "demo.png"))
    assert sheet.shape[1] > 3 * 768
    for third in np.array_split(sheet[60:], 3, axis=1):
        assert third.std() > 20
    assert "lic default: " in caplog.text
    assert "JPEG quality" in caplog.text


def test_jpeg_of_the_same_size_is_the_largest_that_fits():
    image = random_images(64, 64, 3)
    quality, data = demo.jpeg_of_size(image, 2500)
    assert len(data) <= 2500
    larger = io.BytesIO()
    Image.fromarray(image).save(larger, "JPEG", quality=quality + 1, optimize=True)
    assert len(larger.getvalue()) > 2500
