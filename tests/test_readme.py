"""The README's lines as they stand, and what it and other files say of the project."""

import pathlib
import re
import subprocess
import sys

import pytest
from PIL import Image

from tests.conftest import random_images

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_there_are_examples():
    assert len(BLOCKS) == 4


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_example_runs(number, tmp_path):
    Image.fromarray(random_images(64, 96, 3)).save(tmp_path / "photo.png")
    ended = subprocess.run([sys.executable, "-c", BLOCKS[number]], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]


def test_relative_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_the_commands_are_targets():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_pre_commit_has_the_same_ruff():
    pinned = re.search(r"ruff==([\d.]+)", (ROOT / "pyproject.toml").read_text())[1]
    assert f"rev: v{pinned}\n" in (ROOT / ".pre-commit-config.yaml").read_text()


def test_one_version_everywhere():
    import lic

    assert f"version: {lic.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {lic.__version__}" in (ROOT / "CHANGELOG.md").read_text()
