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
from lic.codec.bitstream import Stream
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
            page.wait("document.getElementById('status')?.textContent.includes('is ready')")
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
        parsed._replace(height=20_000, width=20_000).pack(): "over 178000000",
        parsed._replace(height=9000, width=9000).pack(): "too short for the size",
        parsed._replace(symbols_crc=1).pack(): "differ from those that were coded",
        parsed._replace(quality=None).pack(): "never writes",
    }
    for number, (data, words) in enumerate(cases.items()):
        (tmp_path / f"{number}.lic").write_bytes(data)
        assert words in _decode(page, tmp_path / f"{number}.lic")
        assert page.value("document.getElementById('canvas').hidden")
