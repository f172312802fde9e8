"""Helpers of all tests: small parts, random images, and filters that keep Keras's messages out of the output."""

import contextlib
import functools
import gc
import itertools
import os
import pathlib
import random
import signal
from collections.abc import Iterable
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # One thread for each worker: tests take a third less time.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np
import pytest

from lic.testing.images import random_images as random_images

# Graphs are many small objects. At the usual thresholds, collecting garbage takes a twentieth of the time.
gc.set_threshold(50_000, 20, 100)

DATA = pathlib.Path(__file__).parent / "data"

# Sizes of every part at which a model is made and run in a moment.
TINY = {
    "width": 8,
    "latent_depth": 12,
    "num_blocks": 1,
    "outer_width": 8,
    "hyper_width": 8,
    "side_depth": 4,
    "features": 8,
    "num_slices": 5,
    "max_support": 2,
    "slice_widths": (8, 6),
    "group_depths": (2, 3, 7),
    "context_width": 8,
    "parameter_widths": (10,),
    "residual": True,
    "depths": (2, 1, 1, 1),
    "window": 4,
    "head_dim": 4,
    "hyper_depths": (2, 1),
    "hyper_window": 2,
    "prior_blocks": ((1, 1), (1, 1)),
}
ENTROPY_MODELS = [
    "autoregressive",
    "charm",
    "checkerboard",
    "dual",
    "factorized",
    "hierarchical",
    "hyperprior",
    "multi-reference",
    "parametric",
    "quadtree",
    "space-channel",
]


# Entropy models whose attention gives other numbers on other machines, so that no deterministic codec can have them.
INEXACT = ("hierarchical", "multi-reference")

# Entropy models that have no side information.
WITHOUT_HYPER = ("factorized", "parametric")

# Texts that a damaged or made-up file of JSON may hold, none of which is what `lic` writes.
DAMAGED_JSON = ["", "{}", "[]", "7", "null", "[" * 200_000, "\xff"]


def slow_but(cases: Iterable[str | tuple], *ordinary: str | tuple) -> list:
    """Returns the cases of a test, each a value or a tuple of values; all but the ordinary ones are marked as slow."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)), marks=() if case in ordinary else pytest.mark.slow
        )
        for case in cases
    ]


# Each transform and each entropy model is in one of these mixes; all other mixes are slow.
SPREAD = [
    ("bottleneck", "space-channel"),
    ("conv", "factorized"),
    ("conv", "quadtree"),
    ("klt", "autoregressive"),
    ("klt", "checkerboard"),
    ("mixed", "charm"),
    ("klt", "hierarchical"),
    ("klt", "multi-reference"),
    ("partial", "parametric"),
    ("residual", "dual"),
    ("rwkv", "factorized"),
    ("swin", "hyperprior"),
]
TRANSFORMS = ("bottleneck", "conv", "klt", "mixed", "partial", "residual", "rwkv", "swin")
ALL_MIXES = [*itertools.product(TRANSFORMS, ENTROPY_MODELS)]
MIXES = slow_but(ALL_MIXES, *SPREAD)
# Entropy models that differ in kind, and few mixes, for what a codec or a coder does around any of them. The kit's laws
# find a part that does something else; tests/testing and tests/entropy/test_mixes.py try them on every part.
FEW_ENTROPY_MODELS = ("autoregressive", "charm", "factorized", "hyperprior", "quadtree")
FEW_MIXES = slow_but(
    ALL_MIXES,
    ("conv", "factorized"),
    ("conv", "quadtree"),
    ("klt", "autoregressive"),
    ("klt", "checkerboard"),
    ("swin", "hyperprior"),
)

# Options of the parts that published systems have, which the mixes do not.
VARIANTS = {
    "bls2017": (
        "factorized",
        {"analysis_strides": (4, 2, 2), "analysis_kernel_sizes": (9, 5, 5), "latent_bias": False},
    ),
    "bmshj2018": (
        "hyperprior",
        {
            "features": 12,
            "features_activation": None,
            "absolute_latent": True,
            "parameter_network": False,
            "zero_mean": True,
            "residual": False,
        },
    ),
    "mbt2018-mean": (
        "hyperprior",
        {
            "hyper_synthesis_widths": (12, 18),
            "features": 24,
            "hyper_activation": "leaky_relu",
            "features_activation": None,
            "parameter_network": False,
            "residual": False,
        },
    ),
    "zero-mean": ("hyperprior", {"zero_mean": True}),
    "compressai-factorized": (
        "factorized",
        {"square_root": True, "prior_filters": (3, 3, 3, 3), "prior_medians": True, "likelihood_bound": 1e-9},
    ),
    "compressai-mean": (
        "hyperprior",
        {
            "square_root": True,
            "hyper_synthesis_widths": (12, 18),
            "features": 24,
            "hyper_activation": "leaky_relu_0.01",
            "features_activation": None,
            "side_bias": True,
            "parameter_network": False,
            "residual": False,
            "predicted_scale": True,
            "scales": (64, 0.11, 256.0, "up"),
            "prior_filters": (3, 3, 3, 3),
            "prior_medians": True,
            "likelihood_bound": 1e-9,
        },
    ),
}


def tiny_sizes(*parts, **sizes) -> dict[str, Any]:
    """Returns tiny sizes, or those given, of what these parts' constructors take, with few blocks."""
    from lic.config import constructor_arguments

    taken = {name: argument for part in parts for name, argument in constructor_arguments(part).items()}
    few = {}
    for name in {"blocks", "hyper_blocks"} & taken.keys():
        default = taken[name].default  # Of each stage, or of all: two, so that every other window is shifted.
        few[name] = (1,) * len(default) if isinstance(default, tuple) else min(default, 2)
    return {name: size for name, size in (TINY | few | sizes).items() if name in taken}


def shallow(transform: str, entropy: str) -> dict[str, tuple[int, ...]]:
    """Returns sizes with one Swin block in each stage, since these take long to trace."""
    if transform != "swin":
        return {}
    return {"depths": (1, 1, 1, 1)} | ({} if entropy in WITHOUT_HYPER else {"hyper_depths": (1, 1)})


def _hyper_like(transform: str) -> str:
    from lic import registry

    return transform if transform in registry.hyper_transforms.names() else "conv"


def tiny_model(transform: str, entropy: str, **sizes):
    """Returns a model of these parts at tiny widths; sizes that its parts do not have are left out."""
    from lic import registry
    from lic.models.create import create_model

    makers = [
        registry.transforms.get(transform),
        registry.entropy_models.get(entropy),
        registry.hyper_transforms.get(sizes.get("hyper", _hyper_like(transform))),
    ]
    makers = makers[:2] if entropy in WITHOUT_HYPER else makers
    fewer = {"num_slices": 2} if entropy == "multi-reference" else {}  # A slice of it takes long to trace.
    return create_model(transform=transform, entropy=entropy, **tiny_sizes(*makers) | fewer | sizes)


@functools.lru_cache(maxsize=8)
def moved_model(name: str):
    """Returns a model of an entropy model or variant whose weights are moved off their start, so that none is zero.

    It is made once in a process, so tests must leave it as it is.
    """
    from lic.environment import tf

    set_seeds(1)
    entropy, sizes = VARIANTS.get(name, (name, {}))
    model = tiny_model("conv", entropy, **sizes)
    for variable in model.entropy.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    if not sizes.get("parameter_network", True):
        _start_at_scales_of_one(model.entropy)
    set_seeds(0)  # The test draws the same numbers, no matter which test made the model.
    return model


@functools.lru_cache(maxsize=8)
def shared_codec(transform: str, entropy: str, **sizes):
    """Returns a codec of a tiny model.

    It is made once in a process, so tests must leave it and its model as they are.
    """
    from lic import Codec

    set_seeds(1)
    codec = Codec(tiny_model(transform, entropy, **sizes))
    set_seeds(0)  # The test draws the same numbers, no matter which test made the codec.
    return codec


@functools.lru_cache(maxsize=8)
def shipped_codec(name: str = "default", **options):
    """Returns a codec that ships; it is loaded once in a process, so tests must leave it as it is."""
    from lic import load

    return load(name, **options)


def _start_at_scales_of_one(entropy) -> None:
    """Moves scale indexes, or scales, that are features to the values at which a parameter network would start."""
    bias = entropy.hyper.synthesis.layers[-1].bias
    index = 1.0 if entropy.likelihood.predicted_scale else entropy.likelihood.scales.index_of(1.0)
    bias.assign(bias + np.repeat([0.0, index], [bias.shape[0] - entropy.latent_depth, entropy.latent_depth]))


def golden(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Returns input, output and weights (by the end of their names) of a published layer."""
    with np.load(DATA / "golden" / f"{name}.npz") as arrays:
        weights = {key.rsplit("/", 1)[-1]: arrays[key] for key in arrays if key.startswith("weights/")}
        return arrays["x"], arrays["y"], weights


def golden_in_order(name: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Returns the same with the weights in the order in which the published layer made them."""
    with np.load(DATA / "golden" / f"{name}.npz") as arrays:
        return arrays["x"], arrays["y"], [arrays[key] for key in arrays if key.startswith("weights/")]


def assert_near(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Compares to a tolerance relative to the largest expected value."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


def set_seeds(seed: int, tensorflow_too: bool = True) -> None:
    """Seeds Python, numpy, Keras and, if asked, TensorFlow.

    TensorFlow optimises each graph anew after its seed was set, which takes a quarter of a second for a codec. So its
    seed is left alone if it is the same and nothing has been drawn since.
    """
    from tensorflow.python.eager.context import context

    from lic.environment import keras

    tensorflow = context()
    unused = tensorflow._seed == seed and tensorflow._rng.getstate() == random.Random(seed).getstate()
    left_alone = unused or not tensorflow_too
    with mock.patch.object(tensorflow, "_set_global_seed") if left_alone else contextlib.nullcontext():
        keras.utils.set_random_seed(seed)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    """Fixtures of a module draw the same weights whichever test needs them first, and others than tests draw."""
    if fixturedef.scope != "function":
        set_seeds(1, tensorflow_too=False)


@pytest.fixture
def ctrl_c_raises():
    """Ctrl-C raises KeyboardInterrupt, here and in processes that are started; a shell's background job ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Every test draws the same random numbers, alone or after others."""
    set_seeds(0)
