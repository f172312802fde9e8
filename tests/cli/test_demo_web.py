"""`make demo-web`: what its server sends. The page itself is tested in tests/interop/portable/test_page.py."""

import threading
import urllib.request

from lic.cli import demo_web


def test_files_come_with_their_types_and_the_headers_of_threads(tmp_path):
    for name in demo_web.RUNTIME_FILES:
        (tmp_path / name).write_bytes(b"content")
    demo_web.add_runtime(tmp_path)  # What is there is not fetched again.
    types = {}
    with demo_web.server(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        for name in demo_web.RUNTIME_FILES:
            with urllib.request.urlopen(f"http://127.0.0.1:{serving.server_port}/{name}") as answer:
                assert answer.read() == b"content"
                types[name.partition(".")[2].rpartition(".")[2] or name] = answer.headers["Content-Type"]
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        serving.shutdown()
    assert types == {"mjs": "text/javascript", "wasm": "application/wasm"}
