import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from lic.evaluation.inspect.page import inspection_page
from tests.evaluation.conftest import make_inspection

HOSTILE = "</title><script>alert(1)</script>&\"'$x.png"


@pytest.fixture(scope="module")
def text(inspection):
    return inspection_page(inspection, "photo.png", "160x96 pixels, default")


def _data(text):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)[1])


def _pixels(source):
    kind, _, data = source.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_it_needs_no_other_file(text):
    bare = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "data:", text)
    assert len(bare) < 30_000
    assert "http" not in bare
    assert "//" not in re.sub(r"^\s*//.*|  // .*", "", bare, flags=re.MULTILINE)
    for target in re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", bare):
        assert target.startswith("data:")
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(", bare)
    assert not re.search(r"\$[a-z{]", bare.replace("${", "", bare.count("${")))


@pytest.mark.parametrize("grey", [False, True])
def test_pictures_are_there_without_loss(grey):
    inspection = make_inspection(grey=grey)
    data = _data(inspection_page(inspection, "a", "b"))
    assert (data["height"], data["width"]) == inspection.original.pixels.shape[:2]
    for found, picture in zip(
        data["pictures"], (inspection.original, inspection.decoded, inspection.jpeg), strict=True
    ):
        assert found["name"] == picture.name
        np.testing.assert_array_equal(_pixels(found["source"]), picture.pixels)


def test_the_heat_map_has_a_pixel_for_each_position_and_covers_the_image():
    inspection = make_inspection(height=90, width=150)
    text = inspection_page(inspection, "a", "b")
    heat = _data(text)["heat"]
    found = _pixels(heat["source"])
    assert found.shape == (6, 10, 3)
    assert (heat["width"], heat["height"]) == (160, 96)
    brightest = np.unravel_index(np.argmax(inspection.bits.positions), (6, 10))
    assert np.array_equal(found[brightest], [253, 231, 36]) or found[brightest].sum() == found.sum(-1).max()
    assert heat["most"].startswith(f"{inspection.bits.positions.max():,.0f} estimated bits")


def test_figures_stand_beside_each_picture(text, inspection):
    names = ("original, uncompressed", inspection.decoded.name, inspection.jpeg.name)
    pictures = (inspection.original, inspection.decoded, inspection.jpeg)
    for name, picture, found in zip(names, pictures, _data(text)["pictures"], strict=True):
        assert found["label"] == name
        assert found["figures"] == [f"{picture.bytes:,}", f"{picture.bpp:.3f}", picture.loss]


def test_text_is_escaped(inspection):
    jpeg = inspection.jpeg._replace(name=HOSTILE)
    text = inspection_page(inspection._replace(jpeg=jpeg), HOSTILE, HOSTILE)
    assert "<script>alert" not in text
    assert text.count("</script>") == 2
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in text
    assert _data(text)["pictures"][2]["name"] == HOSTILE
