"""The page of a portable codec in headless Chromium: `make test-web` runs this where Chromium and npm are found."""

import base64
import io
import shutil
import subprocess
import threading

import numpy as np
import pytest
from PIL import Image

import lic
from lic.cli import demo_web
from lic.codec.bitstream import MAX_PIXELS, Stream
from lic.environment import KERAS_3
from tests.conftest import random_images
from tests.interop.portable.chromium import PROGRAM, Page

pytestmark = pytest.mark.slow
if KERAS_3:
    pytest.skip("tf2onnx supports TensorFlow 2.14 only", allow_module_level=True)
pytest.importorskip("tf2onnx")
if not (shutil.which("npm") and PROGRAM):
    pytest.skip("the page needs npm and Chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    try:
        demo_web.add_runtime(folder)
    except subprocess.CalledProcessError:
        pytest.skip("the npm registry cannot be reached")
    demo_web.build(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    with demo_web.server(folder) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        with Page(f"http://127.0.0.1:{serving.server_port}/index.html") as page:
            page.wait("document.getElementById('status')?.textContent.startsWith('dandelion-4.lic: 768x512')")
            yield page
        serving.shutdown()


@pytest.fixture(scope="module")
def codec():
    return lic.load("default", deterministic=True)


def _shown(page):
    """Returns the picture on the page."""
    address = page.value("document.getElementById('canvas').toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    return np.asarray(picture.convert("RGB")).astype(int)


def _decode(page, file, drop=False):
    page.value("globalThis.shown = document.getElementById('status'), shown.textContent = ''")
    (page.drop("drop", file) if drop else page.choose("file", file))
    page.wait(
        "/ s$|[.]$/.test(document.getElementById('status').textContent) && !/being/.test(document.body.innerText)"
    )
    return page.value("shown.textContent")


def test_threads_are_used(page):
    assert page.value("crossOriginIsolated")


@pytest.mark.parametrize("size", [(512, 768), (1, 1), (37, 50)])
def test_a_stream_becomes_the_picture(page, codec, size, tmp_path):
    stream = codec.compress(random_images(*size, 3), quality=2.5)
    (tmp_path / "photo.lic").write_bytes(stream)
    text = _decode(page, tmp_path / "photo.lic", drop=True)
    assert f"{size[1]}x{size[0]}, {len(stream):,} bytes" in text
    assert np.abs(_shown(page) - codec.decompress(stream)).max() <= 1


def test_grey_and_every_quality(page, codec, folder, tmp_path):
    for quality in codec.qualities:
        file = folder / f"dandelion-{quality}.lic"
        assert "768x512" in _decode(page, file)
        assert np.abs(_shown(page) - codec.decompress(file.read_bytes())).max() <= 1
    for number, quality in enumerate(([[1, 4.5], [8, 2]], {"background": 2, "boxes": [(5, 5, 9, 9, 7)]})):
        stream = codec.compress(image := random_images(70, 50, 3), quality=quality)
        (tmp_path / f"map-{number}.lic").write_bytes(stream)
        _decode(page, tmp_path / f"map-{number}.lic")
        assert np.abs(_shown(page) - codec.decompress(stream)).max() <= 1
        assert image.shape == _shown(page).shape
    stream = codec.compress(random_images(30, 40, 1)[..., 0])
    (tmp_path / "grey.lic").write_bytes(stream)
    _decode(page, tmp_path / "grey.lic")
    assert np.abs(_shown(page) - codec.decompress(stream)[..., None]).max() <= 1


def test_the_picture_is_saved_as_png(page, codec, folder, tmp_path):
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    _decode(page, folder / "dandelion-3.lic")
    page.value("document.getElementById('save').click()")
    page.wait("true")
    for _ in range(200):
        if (tmp_path / "dandelion-3.png").exists():
            break
        page.value("new Promise((done) => setTimeout(done, 50))")
    with Image.open(tmp_path / "dandelion-3.png") as saved:
        difference = np.asarray(saved.convert("RGB")).astype(int) - _shown(page)
    assert not difference.any()


def test_errors_are_shown(page, codec, tmp_path):
    stream = codec.compress(random_images(37, 50, 3))
    parsed = Stream.parse(stream)
    cases = {
        b"no stream of lic at all": "Not a stream of lic",
        stream[:-1]: "its checksum does not fit",
        lic.load("default").compress(random_images(37, 50, 3)): "ordinary stream",
        parsed._replace(fingerprint=b"abcd").pack(): "the codec 61626364, this is",
        parsed._replace(height=MAX_PIXELS, width=2).pack(): f"over {MAX_PIXELS}",
        parsed._replace(height=9000, width=9000).pack(): "too short for the size",
        parsed._replace(symbols_crc=1).pack(): "differ from those that were coded",
        parsed._replace(quality=None).pack(): "never writes",
    }
    for number, (data, words) in enumerate(cases.items()):
        (tmp_path / f"{number}.lic").write_bytes(data)
        assert words in _decode(page, tmp_path / f"{number}.lic")
        assert page.value("document.getElementById('comparison').hidden")


def _set_quality(page, quality):
    page.value(
        "(() => { document.getElementById('status').textContent = '';"
        " const slider = document.getElementById('quality');"
        f" slider.value = {quality}; slider.dispatchEvent(new Event('input')); }})()"
    )
    page.wait(f"document.getElementById('status').textContent.startsWith('dandelion-{quality}.lic')")


def test_a_slider_chooses_the_quality_of_the_sample(page, folder):
    for quality in (1, 8):
        _set_quality(page, quality)
        assert page.value("document.getElementById('chosen-quality').value") == str(quality)
        rows = page.value("document.getElementById('figures').innerText").splitlines()
        size = (folder / f"dandelion-{quality}.lic").stat().st_size
        assert [row.split("\t")[0].split(" quality")[0] for row in rows] == [
            "original, uncompressed",
            "decoded",
            "JPEG",
        ]
        assert rows[1].split("\t")[1] == f"{size:,}"
        assert 0 <= size - int(rows[2].split("\t")[1].replace(",", "")) < 0.2 * size
        page.wait("[...document.querySelectorAll('#stage img')].every((each) => each.complete && each.naturalWidth)")


def test_a_stream_of_ones_own_stands_alone(page, codec, tmp_path):
    (tmp_path / "photo.lic").write_bytes(codec.compress(random_images(70, 90, 3), quality=2))
    _decode(page, tmp_path / "photo.lic")
    assert page.value("document.getElementById('sides').hidden && document.getElementById('colours').hidden")
    assert page.value("document.querySelectorAll('#figures tr').length") == 1
    _set_quality(page, 4)
    assert not page.value("document.getElementById('sides').hidden")
