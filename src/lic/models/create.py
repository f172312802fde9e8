"""Models from names and parts: a published system by its name, or parts that are mixed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from lic import registry
from lic.config import Configured, constructor_arguments
from lic.entropy.base import EntropyModel
from lic.entropy.distributions.base import Likelihood
from lic.errors import RegistryError
from lic.models.base import CompressionModel
from lic.models.published import PublishedSystem
from lic.transforms.base import HyperTransform, Transform

_KINDS = {
    "transform": registry.transforms,
    "hyper": registry.hyper_transforms,
    "likelihood": registry.likelihoods,
    "hyper_entropy": registry.entropy_models,
    "entropy": registry.entropy_models,
}


def create_model(
    name: str | None = None,
    *,
    transform: str | Transform | None = None,
    entropy: str | EntropyModel | None = None,
    hyper: str | HyperTransform | None = None,
    likelihood: str | Likelihood | None = None,
    hyper_entropy: str | EntropyModel | None = None,
    lmbda: float | Sequence[float] | None = None,
    distortion: Literal["mse", "ms-ssim"] = "mse",
    quality: int | None = None,
    size: str | None = None,
    channels: int | None = None,
    **sizes: Any,
) -> CompressionModel:
    """Makes a published system, with other parts and sizes where they are given, or a mix of parts, with fresh weights.

    Args:
      name: A registered model, see `lic.list_models()`.
      transform: A registered transform, or an instance; needed if there is no name.
      entropy: A registered entropy model, or an instance, which has a hyper transform and a likelihood of its own;
        needed if there is no name.
      hyper: A registered hyper transform, or an instance; default: the one named like the transform, else "conv".
      likelihood: A registered likelihood, or an instance; default: the one of the entropy model, usually "normal".
        The entropy model "factorized" has none.
      hyper_entropy: A registered entropy model of the side information, or an instance; default: "factorized". One that
        is given by name gets the same sizes as other parts, and a hyper transform of its own if it needs one.
      lmbda: Weight of the distortion against bits per pixel, default 0.01 (mean squared error on 0..255); or one weight
        for each quality, rising, such as `lic.LAMBDAS["mse"]`, for one model that covers all rates between.
      distortion: "mse", or "ms-ssim" for one minus MS-SSIM, whose lmbda is some hundred times larger.
      quality: The quality of a published system that comes in several, such as "compressai-mbt2018-mean" from 1 to 8.
        It sets sizes and lmbda.
      size: The size of a published system that comes in several: "tcm" in "small", "middle" and "large" (default).
      channels: Channels of the images, to 4096; default: those of an instance of a transform, else 3. 1 is grey.
      **sizes: Arguments of the constructors of all parts that are given by name, each handed to every part that has it.

    Raises:
      RegistryError: A name, a size or a quality is unknown, a part is neither a name nor an instance, or neither a name
        nor both parts were given.
      ValueError: The parts do not fit each other, or MS-SSIM comes without an lmbda.
    """
    system = published_system(name, quality, size)
    given = {
        "transform": transform,
        "hyper": hyper,
        "likelihood": likelihood,
        "hyper_entropy": hyper_entropy,
        "entropy": entropy,
    }
    parts = _makers_or_instances(system, given, {**system.sizes, **sizes})
    _check_sizes(sizes, parts)
    # The depth of `hyper_entropy` is that of the side information.
    depths = [_depth_of(parts[argument]) for argument in ("transform", "entropy")]
    depth = next((depth for depth in depths if depth), None)
    if depth and sizes.get("latent_depth", depth) != depth:
        raise RegistryError(
            f"create_model: expected latent_depth={depth}, which the given instance has. "
            f"Received: latent_depth={sizes['latent_depth']!r}. Leave it out, or make the instance with it."
        )
    sizes = {**system.sizes, **sizes} | ({"latent_depth": depth} if depth else {})
    asked = sizes.get("latent_depth")
    made = _made(parts, sizes, channels)
    if asked is not None and made["transform"].depth != asked:
        owner = type(made["transform"]).__name__
        raise RegistryError(
            f"create_model: expected a transform of latent_depth={asked!r}. Received: {owner}, whose latents have "
            f"{made['transform'].depth} channels. Call the argument of its constructor latent_depth."
        )
    if lmbda is None and distortion == "ms-ssim":
        raise ValueError(
            f"create_model: expected lmbda beside distortion='ms-ssim', since the default, {system.lmbda}, weighs "
            "the mean squared error. Give one such as lic.LAMBDAS['ms-ssim'][3]."
        )
    lmbda = system.lmbda if lmbda is None else lmbda
    return CompressionModel(made["transform"], made["entropy"], lmbda=lmbda, distortion=distortion)


def published_system(name: str | None, quality: int | None = None, size: str | None = None) -> PublishedSystem:
    """Returns a registered published system, at a quality and in a size if it has several.

    Without a name, the system has no parts.

    Raises:
      RegistryError: There is no such model, or the model has no such quality or size, or its system lists a size that
        none of its parts has.
    """
    maker = registry.models.get(name) if name else functools.partial(PublishedSystem, "", "")
    advice = {
        "quality": "A list of lmbda makes a model of several qualities.",
        "size": "Sizes of parts have names of their own, such as width.",
    }
    asked = {key: value for key, value in (("quality", quality), ("size", size)) if value is not None}
    for key, value in asked.items():
        if key not in inspect.signature(maker).parameters:
            raise RegistryError(
                f"create_model: expected no {key}, which {name or 'a mix of parts'!r} does not have. "
                f"Received: {key}={value!r}. {advice[key]}"
            )
    system = maker(**asked)
    if name:
        _check_own_sizes(name, system)
    return system


def _check_own_sizes(name: str, system: PublishedSystem) -> None:
    """Raises a RegistryError if a published system lists a size that none of its own parts has.

    The check comes with the first use, not with the registration, which must not import TensorFlow.
    """
    parts = _makers_or_instances(system, dict.fromkeys(_KINDS), system.sizes).values()
    makers = [part for part in parts if isinstance(part, type)]
    allowed = set().union(*map(constructor_arguments, makers))
    for size in system.sizes:
        if size not in allowed:
            raise RegistryError(
                f"The published system {name!r} lists the size {size!r}, which none of its parts has "
                f"({', '.join(maker.__name__ for maker in makers)}). {registry.suggestion(size, allowed)}"
            )


def _makers_or_instances(system: PublishedSystem, given: dict[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a class for each part that is given by name, and each instance as it is; in the order of making them.

    Args:
      system: The published system that names the parts that are not given.
      given: The parts by the names of `create_model`'s arguments.
      sizes: All sizes; without one of its own the default likelihood of the entropy model is taken as it is.
    """
    for argument, part in given.items():
        _check_part(argument, part)
    found = {name: getattr(system, name, None) if given[name] is None else given[name] for name in _KINDS}
    if not found["transform"] or not found["entropy"]:
        raise RegistryError(
            "create_model: expected a name, or both transform and entropy. Received: "
            f"transform={given['transform']!r}, entropy={given['entropy']!r}. "
            f"Models: {', '.join(registry.list_models())}; transforms: {', '.join(registry.list_transforms())}; "
            f"entropy models: {', '.join(registry.list_entropy_models())}."
        )
    entropy = found["entropy"] = _by_name("entropy", found["entropy"])
    taken = constructor_arguments(entropy) if isinstance(entropy, type) else {}
    for argument in ("hyper", "likelihood", "hyper_entropy"):
        if argument in taken and (argument != "hyper_entropy" or "hyper" in taken):
            continue
        if given[argument] is not None:
            raise RegistryError(_untaken(argument, given[argument], entropy))
        del found[argument]
    found["transform"] = _by_name("transform", found["transform"])
    if "hyper" in found and found["hyper"] is None:
        found["hyper"] = _hyper_like(found["transform"])
    if "likelihood" in found and found["likelihood"] is None:
        default = taken["likelihood"].default
        found["likelihood"] = default if isinstance(default, Likelihood) else registry.likelihoods.get("normal")()
        if sizes.keys() & constructor_arguments(type(found["likelihood"])).keys():
            found["likelihood"] = type(found["likelihood"])
    if found.get("hyper_entropy") in (None, "factorized"):  # The factorized prior is every entropy model's own.
        found.pop("hyper_entropy", None)
    return {argument: _by_name(argument, part) for argument, part in found.items()}


def _hyper_like(transform: Transform | type[Transform]) -> str:
    """Returns the name of the hyper transform that is registered under the name of a transform, else "conv"."""
    maker = transform if isinstance(transform, type) else type(transform)
    names = [name for name in registry.list_hyper_transforms() if name in registry.list_transforms()]
    return next((name for name in names if registry.transforms.get(name) is maker), "conv")


def _by_name(argument: str, part: str | Configured) -> Any:
    return _KINDS[argument].get(part) if isinstance(part, str) else part


def _check_part(argument: str, part: Any) -> None:
    """Raises a RegistryError unless a part is absent, a name, or an instance of the right kind."""
    kind = _KINDS[argument]
    if part is None or isinstance(part, str) or getattr(type(part), "registry", None) is kind:
        return
    if isinstance(part, type):
        received, advice = f"the class {part.__name__}", f"Make an instance of it: {part.__name__}(...)."
    else:
        received, advice = f"{part!r}", f"Names: {', '.join(kind.names())}."
    raise RegistryError(
        f"create_model: expected {argument} to be the name of a registered {kind.kind.replace('_', ' ')} or an "
        f"instance. Received: {received}. {advice}"
    )


def _untaken(argument: str, part: Any, entropy: EntropyModel | type[EntropyModel]) -> str:
    if isinstance(entropy, type):
        reason, advice = f"{entropy.__name__} takes none", "Leave it out, or choose another entropy model"
    else:
        name = type(entropy).__name__
        reason, advice = f"the instance of {name} brings its own", f"Give it to the constructor of {name}"
    received = part if isinstance(part, str) else type(part).__name__
    return f"create_model: expected no {argument}, since {reason}. Received: {argument}={received!r}. {advice}."


def _check_sizes(sizes: dict[str, Any], parts: dict[str, Any]) -> None:
    makers = {argument: part for argument, part in parts.items() if isinstance(part, type)}
    allowed = set().union(*map(constructor_arguments, makers.values())) - set(_KINDS) | {"latent_depth"}
    for name in sizes:
        if name in allowed:
            continue
        for argument, part in parts.items():
            if argument not in makers and name in constructor_arguments(type(part)):
                owner = type(part).__name__
                raise RegistryError(
                    f"create_model: the size {name!r} is one of {owner}, which was given as an instance. "
                    f"Pass it there: {argument}={owner}({name}={sizes[name]!r})."
                )
        made_of = ", ".join(maker.__name__ for maker in makers.values()) or "all parts are instances"
        raise RegistryError(
            f"create_model: no part of this model ({made_of}) has the size {name!r}. "
            f"{registry.suggestion(name, allowed | set(inspect.signature(create_model).parameters) - {'sizes'})}"
        )


def _check_channels(transform: Transform, channels: int | None) -> None:
    """Raises a RegistryError if a transform is not for images of the channels that are asked for."""
    if channels is not None and transform.channels != channels:
        raise RegistryError(
            f"create_model: expected channels={transform.channels}, which {type(transform).__name__} takes. Received: "
            f"channels={channels!r}. Leave it out, or choose a transform that is made for as many."
        )


def _depth_of(part: Any) -> int | None:
    """Returns how many channels the latent of an instance has, or None for a class."""
    if isinstance(part, EntropyModel):
        return part.latent_depth
    return part.depth if isinstance(part, Transform) and not isinstance(part, HyperTransform) else None


def _made(parts: dict[str, Any], sizes: dict[str, Any], channels: int | None) -> dict[str, Any]:
    """Makes the parts that are classes, each with those of the sizes and of the parts before it that it takes."""
    made: dict[str, Any] = {}
    for argument, part in parts.items():
        own = {"channels": channels} if argument == "transform" and channels is not None else {}
        if argument == "hyper_entropy" and isinstance(part, type):
            own = _of_side_information(part, parts, sizes, made)
        made[argument] = part(**_fitting(part, sizes | made | own)) if isinstance(part, type) else part
        if argument == "transform":
            _check_channels(made[argument], channels)
            sizes = sizes | {"latent_depth": made[argument].depth}
    return made


def _of_side_information(
    maker: type[EntropyModel], parts: dict[str, Any], sizes: dict[str, Any], made: dict[str, Any]
) -> dict[str, Any]:
    """Returns the arguments of an entropy model of side information that differ from those of the latent's.

    Raises:
      RegistryError: An instance was given that is for the latent, and not for the side information.
    """
    depth, taken = made["hyper"].depth, constructor_arguments(maker)
    own: dict[str, Any] = {"latent_depth": depth}
    for argument in ("hyper", "likelihood"):
        part = parts.get(argument)
        if isinstance(part, type):
            own[argument] = part(**_fitting(part, sizes | {"latent_depth": depth}))
        elif argument in taken and (argument == "hyper" or getattr(part, "channels", None) not in (None, depth)):
            raise RegistryError(
                f"create_model: expected hyper_entropy to be an instance, since the given {argument}, an instance of "
                f"{type(part).__name__}, is for the latent and not for the {depth} channels of the side information. "
                f"Received: the name of {maker.__name__}. Pass hyper_entropy={maker.__name__}(latent_depth={depth}, "
                f"...) with parts of its own, or give {argument} by name."
            )
    return own


def _fitting(maker: Callable, sizes: dict[str, Any]) -> dict[str, Any]:
    """Returns the sizes that a part takes; one that has no default and is not there is a RegistryError."""
    arguments = constructor_arguments(maker)
    for name, argument in arguments.items():
        if argument.default is argument.empty and name not in sizes:
            raise RegistryError(
                f"create_model: expected {name}, an argument of {maker.__name__} that has no default. Received: no "
                f"{name}. Pass {name}=..., or give it a default."
            )
    return {name: value for name, value in sizes.items() if name in arguments}
