"""`make demo-web`: the portable codec `default` as a page, served with the headers that its threads need."""

from __future__ import annotations

import functools
import http.server
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lic.cli.export import RUNTIME_FILES
from lic.codec.codec import Codec, load
from lic.images import sample_image, write_image

_log = logging.getLogger("lic.cli.demo_web")
RUNTIME = "onnxruntime-web@1.30.0"
SAMPLE = "dandelion"
PORT = 8000


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files with the headers without which a browser gives WebAssembly one thread only."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        """Sends the headers of each answer."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Logs a request."""
        _log.debug(format, *values)


def build(folder: pathlib.Path) -> None:
    """Writes the page: the portable codec, onnxruntime-web from the npm registry, and the sample at every quality.

    Args:
      folder: The folder that is written.
    """
    from lic.interop.portable import export_portable

    codec = load("default", deterministic=True)
    folder.mkdir(parents=True, exist_ok=True)
    export_portable(codec, folder, [_sample_at(codec, quality, folder) for quality in codec.qualities])
    add_runtime(folder)


def _sample_at(codec: Codec, quality: int, folder: pathlib.Path) -> dict[str, Any]:
    """Writes the sample's stream at a quality and its pictures beside it, and returns what the page shows of them."""
    from lic.evaluation.inspect import comparison_of, inspect_image

    image, stream = sample_image(), f"{SAMPLE}-{quality}.lic"
    (folder / stream).write_bytes(codec.compress(image, quality=quality))

    def address(name: str, pixels: np.ndarray) -> str | None:
        if name == "decoded":  # The page decodes it.
            return None
        file = f"{SAMPLE}.png" if name == "original" else f"{SAMPLE}-{quality}-{name}.png"
        write_image(folder / file, pixels)
        return file

    comparison = comparison_of(inspect_image(codec, image, quality=quality), address)
    return {"quality": quality, "stream": stream, "comparison": comparison}


def add_runtime(folder: pathlib.Path) -> None:
    """Copies the files of onnxruntime-web that the page needs into its folder, if they are not there."""
    if all((folder / name).exists() for name in RUNTIME_FILES):
        return
    with tempfile.TemporaryDirectory() as aside:
        subprocess.run(["npm", "pack", "--silent", RUNTIME], cwd=aside, check=True, stdout=subprocess.DEVNULL)
        (packed,) = pathlib.Path(aside).glob("*.tgz")
        with tarfile.open(packed) as archive:
            for name in RUNTIME_FILES:
                with archive.extractfile(f"package/dist/{name}") as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)


def server(folder: pathlib.Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """Returns a server of a folder on this machine alone; a port of 0 is any that is free."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def main(folder: str = ".web") -> None:
    """Builds the page and serves it until it is interrupted."""
    build(pathlib.Path(folder))
    with server(pathlib.Path(folder), PORT) as serving:
        _log.info("Open http://localhost:%d and drop one of %s/*.lic there. Ctrl-C ends it.", PORT, folder)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            _log.info("stopped")


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stdout)
    _log.setLevel(logging.INFO)
    main(*sys.argv[1:])
