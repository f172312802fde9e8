"""Models from names: of a published system, or of parts that are mixed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

from lic import registry
from lic.config import Configured
from lic.entropy.distributions.base import Likelihood
from lic.errors import RegistryError
from lic.models.base import CompressionModel
from lic.models.published import PublishedSystem


def create_model(
    name: str | None = None,
    *,
    transform: str | None = None,
    entropy: str | None = None,
    hyper: str | None = None,
    likelihood: str | None = None,
    lmbda: float | Sequence[float] | None = None,
    distortion: Literal["mse", "ms-ssim"] = "mse",
    quality: int | None = None,
    **sizes: Any,
) -> CompressionModel:
    """Makes a registered model, with overrides where given, or one from parts; its weights are fresh.

    Args:
      name: A registered model, see `lic.list_models()`.
      transform: A registered transform; needed where there is no name.
      entropy: A registered entropy model; needed where there is no name.
      hyper: A registered hyper transform; default: the one named like the transform, else "conv".
      likelihood: A registered likelihood; default "normal". The entropy model "factorized" has none.
      lmbda: Weight of the distortion against bits per pixel, default 0.01 (mean squared error on 0..255); or one for
        each quality, rising, such as `lic.LAMBDAS["mse"]`, for one model that covers all rates between.
      distortion: "mse", or "ms-ssim" for one minus MS-SSIM, whose lmbda is some hundred times larger.
      quality: Of a published system that comes in several, such as "compressai-mbt2018-mean" from 1 to 8: its sizes and
        its lmbda.
      **sizes: Arguments of the parts' constructors, each handed to every part that has it.

    Raises:
      RegistryError: A name, a size or a quality is unknown, or neither a name nor both parts were given.
    """
    recipe = published_system(name, quality)
    transform, entropy = transform or recipe.transform, entropy or recipe.entropy
    if not transform or not entropy:
        raise RegistryError(
            "create_model: expected a name, or both transform and entropy. "
            f"Received: name={name!r}, transform={transform!r}, entropy={entropy!r}. "
            f"Models: {', '.join(registry.list_models())}; transforms: {', '.join(registry.list_transforms())}; "
            f"entropy models: {', '.join(registry.list_entropy_models())}."
        )
    hyper = hyper or recipe.hyper or (transform if transform in registry.list_hyper_transforms() else "conv")
    makers = [registry.transforms.get(transform), registry.entropy_models.get(entropy)]
    if "hyper" in parameters(makers[1]):
        makers.insert(1, registry.hyper_transforms.get(hyper))
    if "likelihood" in parameters(makers[-1]):
        makers.insert(-1, registry.likelihoods.get(likelihood or "normal"))
    elif likelihood:
        raise RegistryError(
            f"create_model: the entropy model {entropy!r} learns its densities and has no likelihood. "
            f"Received: likelihood={likelihood!r}. Leave it out, or take another entropy model."
        )
    _check_sizes(sizes, makers)
    lmbda = recipe.lmbda if lmbda is None else lmbda
    return _assemble(makers, {**recipe.sizes, **sizes}, lmbda=lmbda, distortion=distortion)


def published_system(name: str | None, quality: int | None = None) -> PublishedSystem:
    """Returns the recipe of a registered model, at a quality where it has several; without a name an empty one.

    Raises:
      RegistryError: There is no such model, or it has no such quality.
    """
    maker = registry.models.get(name) if name else functools.partial(PublishedSystem, "", "")
    if quality is None:
        return maker()
    if "quality" not in inspect.signature(maker).parameters:
        raise RegistryError(
            f"create_model: expected no quality, which {name or 'a mix of parts'!r} has not. Received: {quality!r}. "
            "A list of lmbda makes a model of several qualities."
        )
    return maker(quality=quality)


def _assemble(makers: list[Callable], sizes: dict[str, Any], **loss: Any) -> CompressionModel:
    """Makes the parts, each with those of the sizes that it has, and the model from them."""
    made = makers[0](**_fitting(makers[0], sizes))
    given = dict(sizes, latent_depth=made.depth)
    for maker in makers[1:-1]:
        role = "likelihood" if issubclass(maker, Likelihood) else "hyper"
        given[role] = maker(**_fitting(maker, given))
    return CompressionModel(made, makers[-1](**_fitting(makers[-1], given)), **loss)


def parameters(maker: Callable) -> set[str]:
    """Returns the names that a part's constructor takes.

    Where it passes keywords on to its bases, their keyword-only arguments count too; the others it sets itself.
    """
    names: set[str] = set()
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    for base in maker.__mro__[: maker.__mro__.index(Configured)]:
        if "__init__" not in vars(base):
            continue
        found = inspect.signature(base.__init__).parameters.values()
        names |= {each.name for each in found if each.kind in kinds}
        if not any(each.kind is each.VAR_KEYWORD for each in found):
            break
        kinds = {inspect.Parameter.KEYWORD_ONLY}
    return names - {"self"}


def _fitting(maker: Callable, sizes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sizes.items() if name in parameters(maker)}


def _check_sizes(sizes: dict[str, Any], makers: list[Callable]) -> None:
    allowed = set().union(*(parameters(maker) for maker in makers)) - {"hyper", "likelihood"} | {"latent_depth"}
    for name in sizes:
        if name not in allowed:
            made_of = ", ".join(maker.__name__ for maker in makers)
            raise RegistryError(
                f"create_model: no part of this model ({made_of}) has the size {name!r}. "
                f"{registry.suggestion(name, allowed)}"
            )
