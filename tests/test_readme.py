"""The README: its own parts mix with all others, its links and commands exist; test_docs.py runs its examples."""

import pathlib
import re

import numpy as np
import pytest

import lic
from lic import registry
from lic.environment import tf
from lic.testing.walks import Walks
from tests.conftest import INEXACT, random_images, slow_but, tiny_model

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
# Replacements that make the example of training small.
SMALLER = {
    1: {
        '"width": 32, "latent_depth": 48, "num_slices": 4': '"width": 8, "latent_depth": 12, "num_slices": 2',
        "(8, 64, 64, 3)": "(2, 64, 64, 3)",
        "batch_size=4": "batch_size=1",
    }
}


def examples() -> list[str]:
    """Returns the code of each example."""
    smaller = []
    for number, code in enumerate(BLOCKS):
        for large, small in SMALLER.get(number, {}).items():
            assert large in code, f"block {number} does not contain {large!r}"
            code = code.replace(large, small)
        smaller.append(code)
    return smaller


# The definitions of README's own parts, each without the lines below it that check it.
OWN = [block.rpartition("\n\n\n")[0] for block in BLOCKS if "@lic.register_" in block]
# README's parts, each with every part of the other two kinds. The cases that are not slow hold each of the three parts.
OWN_MIXES = slow_but(
    [
        ("conv", "two-halves", "hyperbolic-secant"),
        ("conv", "two-halves", "generalized-normal"),
        ("klt", "two-halves", "generalized-normal-per-channel"),
        ("bottleneck", "two-halves", "laplace"),
        ("mixed", "two-halves", "laplace"),
        ("partial", "two-halves", "normal"),
        ("residual", "two-halves", "laplace"),
        ("rwkv", "two-halves", "normal"),
        ("swin", "two-halves", "logistic"),
        ("klt", "two-halves", "normal-mixture"),
        ("patches", "two-halves", "normal"),
        ("patches", "autoregressive", "hyperbolic-secant"),
        ("patches", "charm", "hyperbolic-secant"),
        ("patches", "checkerboard", "hyperbolic-secant"),
        ("patches", "dual", "hyperbolic-secant"),
        ("patches", "factorized", None),
        ("patches", "hierarchical", "hyperbolic-secant"),
        ("patches", "hyperprior", "hyperbolic-secant"),
        ("patches", "multi-reference", "hyperbolic-secant"),
        ("patches", "parametric", "hyperbolic-secant"),
        ("patches", "quadtree", "hyperbolic-secant"),
        ("patches", "space-channel", "hyperbolic-secant"),
    ],
    ("patches", "checkerboard", "hyperbolic-secant"),
    ("patches", "two-halves", "normal"),
)


@pytest.fixture
def own_parts(monkeypatch):
    """Registers README's own parts, for one test only."""
    for each in (registry.transforms, registry.entropy_models, registry.likelihoods):
        each.names()  # All parts are registered before the entries are copied.
        monkeypatch.setattr(each, "_entries", dict(each._entries))
    for definition in OWN:
        exec(compile(definition, "README.md", "exec"), {})


def test_there_are_examples():
    assert len(BLOCKS) == 5


def test_own_parts_are_short_and_checked():
    assert len(OWN) == 3
    for definition, check in zip(OWN, ("check_entropy_model", "check_likelihood", "check_transform")):
        assert len(definition.splitlines()) <= 25
        assert re.search(rf"^lic\.testing\.{check}\(", README, re.MULTILINE)


def test_own_parts_are_mixed_with_all_parts(own_parts):
    mixes = {case.values for case in OWN_MIXES}
    entropy_models = set(lic.list_entropy_models())
    assert {entropy for transform, entropy, _ in mixes if transform == "patches"} == entropy_models
    assert {entropy for _, entropy, likelihood in mixes if likelihood == "hyperbolic-secant"} == entropy_models - {
        "factorized"
    }
    of_two_halves = [(transform, likelihood) for transform, entropy, likelihood in mixes if entropy == "two-halves"]
    transforms, likelihoods = (set(names) for names in zip(*of_two_halves))
    assert transforms == set(lic.list_transforms())
    assert likelihoods == set(lic.list_likelihoods())


@pytest.mark.parametrize(("transform", "entropy", "likelihood"), OWN_MIXES)
def test_own_parts_code_images_with_others(own_parts, transform, entropy, likelihood):
    """Mixes code images at a variable rate, and in whole numbers; their three walks agree to the bit."""
    model = tiny_model(transform, entropy, lmbda=(0.002, 0.02), **{"likelihood": likelihood} if likelihood else {})
    image = random_images(40, 56, 3)
    exact = transform not in ("mixed", "rwkv", "swin") and entropy not in INEXACT  # Attention needs floats.
    codec = lic.Codec(model, deterministic=exact, calibration=[image] if exact else None)
    assert codec.decompress(codec.compress(image, quality=1.5)).shape == image.shape
    x_hat, *_, bits = model(image[None].astype("float32"), training=True)
    assert all(np.all(np.isfinite(each)) for each in (x_hat, *bits.values()))
    # The latents of fresh patches are all near zero; these are not.
    walks, latent = Walks(model.entropy), tf.random.normal((1, 3, 4, model.transform.depth), stddev=3.0)
    encoded = walks.encode(latent)
    assert np.any(encoded.symbols)
    for walked in (walks.estimate(latent), walks.decode(encoded.string, tf.zeros_like(latent))):
        np.testing.assert_array_equal(walked.y_hat, encoded.y_hat)


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
    assert f"version: {lic.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {lic.__version__}" in (ROOT / "CHANGELOG.md").read_text()
