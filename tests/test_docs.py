"""The documentation: examples run, commands parse, links and paths exist, and every part has a page."""

import importlib
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import typer
from PIL import Image

import lic
from lic import registry
from lic.cli import app
from lic.entropy.range_coding.range_coder import coder_name
from lic.testing import (
    codec_laws,
    entropy_laws,
    hyper_laws,
    layer_laws,
    likelihood_laws,
    model_laws,
    transform_laws,
)
from lic.testing.laws import name_of
from tests import test_readme
from tests.conftest import random_images, slow_but

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
FENCE = re.compile(r"^(?P<note>(?:<!-- [^\n]* -->\n)?)```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)

# Notes above blocks that the tests do not run; each gives the reason.
NOT_RUN = {
    ("training.md", "<!-- not run by the tests: needs the package wandb -->"),
    ("training.md", "<!-- not run by the tests: needs the package mlflow -->"),
}
# Fences that hold no code of ours.
OTHER_FENCES = {("own-transform.md", "toml"), ("testing.md", "text")}
# First words of commands that are not `lic`.
OTHER_COMMANDS = {"cp", "npm", "pip", "python", "tar"}
# The page of all likelihoods, which are too short for a page each.
LIKELIHOODS = "parts/likelihoods.md"
# Replacements that make examples of long work small.
SMALLER = {
    "training.md": {
        "steps=20_000, crop=256, batch=4": "steps=2, crop=64, batch=2",
        '"hzswq2021"': "tiny",
        "crop=256, batch=8": "crop=64, batch=2",
        "stop=10_000": "stop=2",
        "lic.create_model(tiny)": "tiny",
    },
    "fine-tuning.md": {
        "steps=2000, crop=256, batch=8": "steps=2, crop=64, batch=2",
        'lic.load("default")': "lic.Codec(tiny)",
        '"hyper_width": 96, "side_depth": 64, "num_slices": 10': '"hyper_width": 8, "side_depth": 4, "num_slices": 2',
    },
    "own-training.md": {'weights="imagenet"': "weights=None"},
}
TINY = (
    "import lic\n"
    "tiny = lic.create_model(transform='klt', entropy='factorized', width=8, latent_depth=12, num_blocks=1)\n"
)
# Pages by subject. Pages share a process, because the start of TensorFlow takes longer than most of them.
GROUPS = {
    "parts": [page for page in PAGES if page.startswith("parts/")],
    "own": ["own-transform.md", "own-entropy-model.md", "own-likelihood.md", "testing.md"],
    "look": ["own-training.md", "fine-tuning.md", "inspect.md", "latents.md"],
    "use": [
        "index.md",
        "concepts.md",
        "codec.md",
        "complexity.md",
        "evaluation.md",
        "training.md",
        "codec-file.md",
        "stream.md",
        "deterministic.md",
        "compressai.md",
        "systems.md",
        "export.md",
        "images.md",
        "regions.md",
    ],
}
# Pages whose examples need the coder's operations, which numba's coder cannot stand in for.
NEED_OPERATIONS = {"export.md"}
# A codec that ships is loaded once, and its graphs are traced once; no page changes it. Pages that train, and have no
# graph of their own, do so eagerly, since tracing takes longer than their few steps.
RUNNER = """
import functools, os, pathlib, runpy, sys
import lic
from lic.environment import tf
load, shipped = lic.load, functools.cache(lic.load)
lic.load = lambda path, **options: (shipped if path == "default" else load)(path, **options)
for page in sys.argv[1:]:
    os.chdir(pathlib.Path(page).parent)
    tf.config.run_functions_eagerly(pathlib.Path(page).parent.name in ("training", "fine-tuning"))
    runpy.run_path(page)
    print("ran", page, flush=True)
"""


def blocks(page):
    """Returns the note above, the kind and the text of each fenced block."""
    return [match.groups() for match in FENCE.finditer((DOCS / page).read_text())]


def example(page):
    """Returns the code of a page's python blocks, each on the lines that it has on the page."""
    text = (DOCS / page).read_text()
    lines = [""] * (text.count("\n") + 1)
    for match in FENCE.finditer(text):
        if match["kind"] == "python" and (page, match["note"].strip()) not in NOT_RUN:
            first = text[: match.start("text")].count("\n")
            own = match["text"].splitlines()
            lines[first : first + len(own)] = own
    code = "\n".join(lines)
    for large, small in SMALLER.get(page, {}).items():
        assert large in code, f"{page} does not contain {large!r}"
        code = code.replace(large, small)
    return TINY.replace("\n", "; ", 1).rstrip() + code if page in SMALLER else code


@pytest.mark.parametrize("groups", slow_but(["README use", "parts look", "own"], "README use"))
def test_examples_run(groups, tmp_path):
    left_out = NEED_OPERATIONS if coder_name() == "numba" else set()
    examples = {
        page: example(page) for group in groups.split() for page in GROUPS.get(group, []) if page not in left_out
    }
    if "README" in groups:  # Each block of the README is an example of its own.
        examples |= {f"README-{number}": code for number, code in enumerate(test_readme.examples())}
    scripts = []
    for page, code in examples.items():
        folder = tmp_path / page.replace("/", "-").removesuffix(".md")
        for photograph in ("photo.png", "PHOTOGRAPHS/a.png", "HELD_OUT/b.png"):
            (folder / photograph).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random_images(70, 90, 3)).save(folder / photograph)  # Sizes that are no multiples of 16.
        (folder / "page.py").write_text(code)
        scripts.append(folder / "page.py")
    ended = subprocess.run([sys.executable, "-c", RUNNER, *scripts], capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert len(re.findall("^ran ", ended.stdout, re.MULTILINE)) == len(scripts) > 3


def test_every_page_with_examples_is_in_a_group():
    with_examples = {page for page in PAGES if any(kind == "python" for _, kind, _ in blocks(page))}
    assert with_examples == {page for group in GROUPS.values() for page in group}


def test_no_block_is_skipped_in_silence():
    skipped, others = set(), set()
    for page in PAGES:
        for note, kind, _ in blocks(page):
            if note:
                assert kind == "python", f"{page}: the note {note!r} is above a block of {kind}"
                skipped.add((page, note.strip()))
            if kind not in ("python", "bash"):
                others.add((page, kind))
        assert len(re.findall(r"^ *```", (DOCS / page).read_text(), re.MULTILINE)) == 2 * len(blocks(page)), page
    assert skipped == NOT_RUN
    assert others == OTHER_FENCES


@pytest.mark.parametrize(("page", "note"), sorted(NOT_RUN))
def test_blocks_that_do_not_run_are_python(page, note):
    (text,) = [text for above, _, text in blocks(page) if above.strip() == note]
    compile(text, page, "exec")


COMMANDS = [
    (page, line)
    for page in PAGES
    for _, kind, text in blocks(page)
    if kind == "bash"
    for line in text.replace("\\\n", " ").splitlines()
]


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_command_parses(page, line):
    words = shlex.split(line, comments=True)
    program, *words = words[words[0].startswith("LIC_PARTS=") :]
    if program in OTHER_COMMANDS:
        return
    assert program == "lic", f"{page}: {line}"
    verb, *arguments = words
    verbs = typer.main.get_command(app).commands
    assert verbs[verb].make_context(f"lic {verb}", arguments).params


def test_every_law_is_on_the_page_of_laws():
    page = (DOCS / "testing.md").read_text().partition("## The laws\n")[2]
    modules = (entropy_laws, likelihood_laws, transform_laws, hyper_laws, layer_laws, model_laws, codec_laws)
    laws = [*(law for module in modules for law in module.LAWS), transform_laws.configuration_and_weights_make_it_anew]
    rows = [f"| {name_of(law)} | {law.__doc__.splitlines()[0]} |" for law in laws]
    assert [row for row in rows if row not in page] == []


def test_every_published_system_is_on_the_pages_of_its_parts():
    for name in registry.list_models():
        system = registry.models.get(name)()
        if name.startswith("compressai-") or name.endswith(("-s", "-l")):  # Pages name these by their kind.
            continue
        for part in (system.transform, system.entropy):
            assert f"`{name}`" in (DOCS / "parts" / f"{part}.md").read_text(), f"{part}.md: {name}"


def test_links_lead_somewhere():
    count = 0
    for page in PAGES:
        text = FENCE.sub("", (DOCS / page).read_text())
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            target, _, anchor = link.partition("#")
            count += 1
            file = (DOCS / page).parent / target if target else DOCS / page
            assert file.exists(), f"{page}: {link}"
            assert not anchor or f"# {anchor.replace('-', ' ')}\n" in file.read_text().lower(), f"{page}: {link}"
    assert count > 30


def test_navigation_lists_every_page():
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2].partition("\n\n")[0]
    listed = re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)
    notebooks = [path.relative_to(DOCS).with_suffix(".md").as_posix() for path in NOTEBOOKS]
    assert sorted(listed) == sorted(PAGES + notebooks)


def test_api_has_every_public_name():
    text = (DOCS / "api.md").read_text()
    assert [name for name in lic.__all__ if f"lic.{name}" not in text] == []


@pytest.mark.parametrize("package", ["lic", "lic.codec", "lic.entropy", "lic.layers", "lic.models", "lic.testing"])
def test_api_has_public_names_only(package):
    """A name in the documentation is one that the package's door lists, so that files behind it may move."""
    names = re.findall(rf"^::: {re.escape(package)}\.([A-Za-z_]\w*)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert names
    assert set(names) <= set(importlib.import_module(package).__all__)


def test_every_name_that_pages_take_docstrings_from_exists():
    names = [name for page in PAGES for name in re.findall(r"^::: (\S+)$", (DOCS / page).read_text(), re.MULTILINE)]
    assert len(names) > 150
    for name in names:
        package, *attributes = name.split(".")
        value = importlib.import_module(package)
        for attribute in attributes:
            value = getattr(value, attribute)
        assert value.__doc__, name


@pytest.mark.parametrize("package", ["complexity", "entropy", "interop", "layers", "training", "transforms"])
def test_public_names_have_an_entry(package):
    names = importlib.import_module(f"lic.{package}").__all__
    text = "".join((DOCS / page).read_text() for page in PAGES)
    known = {name for name in names if f"lic.{package}.{name}" in text or f"lic.{name}" in text}
    assert set(names) - known == set()


def test_extras_that_are_named_exist():
    """Every extra that a page or a message names can be installed, in any shell."""
    extras = set(
        re.findall(
            r"^([a-z]+) = \[", (ROOT / "pyproject.toml").read_text().partition("optional-dependencies]")[2], re.M
        )
    )
    texts = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "src").rglob("*.py")]
    named = {
        (path.name, *found) for path in texts for found in re.findall(r"(.)keras-lic\[([a-z,]+)\]", path.read_text())
    }
    assert len(named) > 10
    for name, before, group in named:
        assert before in "'`\"", f"{name}: {group}"
        assert set(group.split(",")) <= extras, f"{name}: {group}"


def test_contributing_shows_the_packages_and_modules_there_are():
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    tree = contributing.partition("```\nsrc/lic/\n")[2].partition("```")[0]
    packages, modules, outer = set(), set(), ""
    for line in tree.splitlines():
        names = re.split(r"  +", line.strip())[0].split()
        if line.startswith("    "):
            packages.add(outer + names[0].rstrip("/"))
        elif names[0].endswith("/"):
            outer = names[0]
            packages.add(outer.rstrip("/"))
        else:
            modules |= set(names)
    source = ROOT / "src" / "lic"
    inits = [path.parent.relative_to(source).as_posix() for path in source.rglob("__init__.py")]
    assert packages == set(inits) - {"."}
    assert modules == {path.stem for path in source.glob("*.py") if not path.stem.startswith("_")}


def test_contributing_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    tables = [line for line in text.partition("## Where to change")[2].splitlines() if line.startswith("| ")]
    paths = {path for line in tables for path in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.py)`", line)}
    assert len(paths) > 30
    for path in paths:
        assert any((ROOT / root / path).exists() for root in ("", "src/lic", "tests")), path
    for path, name in re.findall(r"`([\w./]+\.py)` \(`(\w+)`\)", text):
        assert re.search(rf"\b(class|def) {name}\b", (ROOT / "src" / "lic" / path).read_text()), f"{name} in {path}"


def test_every_part_has_a_page():
    expected = {}
    registries = (("", registry.transforms), ("hyper-", registry.hyper_transforms), ("", registry.entropy_models))
    for prefix, entries in registries:
        for name, part in [(name, entries.get(name)) for name in entries.names()]:
            if part.__module__.startswith("lic."):
                package = ".".join(part.__module__.split(".")[:2])
                expected[f"parts/{prefix}{name}.md"] = f"::: {package}.{part.__name__}\n"
    assert sorted([*expected, LIKELIHOODS]) == GROUPS["parts"]
    for page, directive in expected.items():
        assert directive in (DOCS / page).read_text()
    likelihoods = {name: registry.likelihoods.get(name) for name in registry.likelihoods.names()}
    for name, likelihood in likelihoods.items():
        if likelihood.__module__.startswith("lic."):
            assert f"\n| `{name}` |" in (DOCS / LIKELIHOODS).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook, tmp_path):
    import nbclient
    import nbformat

    loaded = nbformat.read(notebook, 4)
    client = nbclient.NotebookClient(loaded, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_holds_its_results(notebook):
    import nbformat

    loaded = nbformat.read(notebook, 4)
    nbformat.validate(loaded)
    code = [cell for cell in loaded.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert all(output.output_type != "error" and output.get("name") != "stderr" for output in outputs)
    assert notebook.stat().st_size < 300_000
