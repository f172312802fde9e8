"""A page in headless Chromium, spoken to over a pipe in the protocol of its developer tools."""

import json
import os
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """A page in a Chromium of its own; a context manager.

    Args:
      address: The page's address.
    """

    def __init__(self, address):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs, self._write = os.pipe()
        self._read, theirs_too = os.pipe()
        options = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe --no-first-run"
        command = f"exec {PROGRAM} {options} --user-data-dir={self._profile.name} 3<&{theirs} 4>&{theirs_too}"
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(["bash", "-c", command], pass_fds=(theirs, theirs_too), **silent)
        os.close(theirs)
        os.close(theirs_too)
        self._count, self._received, self._session = 0, b"", {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        self.call("Page.enable")
        self.call("Page.navigate", url=address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def call(self, method, **parameters):
        """Calls a method of the protocol and returns its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters, **self._session}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._received:
                self._received += os.read(self._read, 1 << 16)
            text, self._received = self._received.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def value(self, expression):
        """Returns the value of an expression of JavaScript; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression, seconds=60):
        """Waits until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"{expression} is not true: {self.value('document.body.innerText')}"
            time.sleep(0.02)

    def choose(self, identity, file):
        """Chooses a file in an input element."""
        found = self.call("Runtime.evaluate", expression=f"document.getElementById({identity!r})")
        self.call("DOM.setFileInputFiles", files=[str(file)], objectId=found["result"]["objectId"])

    def drop(self, identity, file):
        """Drops a file on an element."""
        place = self.value(
            f"(() => {{ const box = document.getElementById({identity!r}).getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, data=data, **place)
