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

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lic.codec.codec import load
from lic.images import sample_image

_log = logging.getLogger("lic.cli.demo_web")
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
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
    """Writes the page: the portable codec, onnxruntime-web from the npm registry, and streams of the sample.

    Args:
      folder: The folder that is written.
    """
    from lic.interop.portable import export_portable

    codec = load("default", deterministic=True)
    export_portable(codec, folder)
    add_runtime(folder)
    for quality in codec.qualities:
        (folder / f"{SAMPLE}-{quality}.lic").write_bytes(codec.compress(sample_image(), quality=quality))


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
