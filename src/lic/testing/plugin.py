"""A pytest plugin that makes one test of each law for each part of a dictionary.

The plugin is active wherever `lic` is installed. A test module holds the names of parts and functions that make them:

    lic_parts = {"corners": lambda: Corners(16, hyper), "haar": HaarTransform}

    def test_laws(lic_law):
        lic_law()
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ARGUMENT, PARTS = "lic_law", "lic_parts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--lic-quick`."""
    parser.getgroup("lic").addoption("--lic-quick", action="store_true", help="leave out lic's laws that take long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrises tests that take `lic_law` over the laws of the module's `lic_parts`."""
    if ARGUMENT not in metafunc.fixturenames:
        return
    parts = getattr(metafunc.module, PARTS, None)
    if not isinstance(parts, dict) or not parts:
        raise ValueError(
            f"{metafunc.module.__name__}: a test takes {ARGUMENT}, so the module needs {PARTS}: a dict from names to "
            f"functions that make parts. Received: {parts!r}."
        )
    quick = metafunc.config.getoption("--lic-quick")
    laws = {f"{name}: {law}": check for name, make in parts.items() for law, check in laws_of(make(), quick).items()}
    metafunc.parametrize(ARGUMENT, list(laws.values()), ids=list(laws))


def laws_of(part: Any, quick: bool = False) -> dict[str, Callable[[], None]]:
    """Returns the name of each law, and a function that checks it.

    Args:
      part: A part, a pair of layers, a compression model or a codec.
      quick: Whether laws that take long are left out.

    Raises:
      ValueError: `part` is none of these.
    """
    from lic.testing.laws import name_of

    trials = trials_of(part)
    return {
        f"{kind}: {name_of(law)}" if len(trials) > 1 else name_of(law): functools.partial(trial.check, law)
        for kind, trial in trials.items()
        for law in trial.laws_for(quick)
    }


def trials_of(part: Any) -> dict[str, Any]:
    """Returns the laws of a part by kind; only a compression model has laws of several kinds."""
    from lic.codec.codec import Codec
    from lic.entropy.base import EntropyModel
    from lic.entropy.distributions.base import Likelihood
    from lic.models.base import CompressionModel
    from lic.testing.codec_laws import trial_of_codec
    from lic.testing.entropy_laws import trial_of_entropy_model
    from lic.testing.likelihood_laws import trial_of_likelihood
    from lic.testing.model_laws import trials_of_model
    from lic.testing.transform_laws import trial_of_transform

    if isinstance(part, CompressionModel):
        return trials_of_model(part)
    if isinstance(part, EntropyModel):
        return {"entropy model": trial_of_entropy_model(part)}
    if isinstance(part, Likelihood):
        return {"likelihood": trial_of_likelihood(part)}
    if isinstance(part, Codec):
        return {"codec": trial_of_codec(part)}
    layers = part if isinstance(part, tuple) else (part,)
    return {"transform": trial_of_transform(*layers)}
