"""Parts remember the arguments that they were made with, so that a configuration alone rebuilds them."""

from __future__ import annotations

import inspect
from typing import Any

from lic import registry
from lic.errors import RegistryError

_PLAIN = (bool, int, float, str, type(None))


class Configured:
    """Mixin that records the constructor's arguments: `get_config` and `from_config` need no code in a subclass."""

    registry: registry.Registry

    def __new__(cls, *args: Any, **kwargs: Any):
        """Records the arguments before the constructor runs."""
        make = super().__new__
        instance = make(cls) if make is object.__new__ else make(cls, *args, **kwargs)
        bound = inspect.signature(cls.__init__).bind(instance, *args, **kwargs)
        arguments = dict(list(bound.arguments.items())[1:])
        for name, parameter in inspect.signature(cls.__init__).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                arguments |= arguments.pop(name, {})
        object.__setattr__(instance, "_arguments", arguments)
        return instance

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data; parts among them as name and configuration."""
        return {name: _plain(value, f"{type(self).__name__}.{name}") for name, value in self._arguments.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        """Makes the same part anew, with fresh weights."""
        return cls(**{name: _restored(value) for name, value in config.items()})


def describe(part: Configured) -> dict[str, Any]:
    """Returns the registered name and the configuration of a part, as plain data."""
    kind = part.registry.kind
    return {kind: part.registry.name_of(type(part)), "config": part.get_config()}


def rebuild(description: dict[str, Any]) -> Configured:
    """Makes the part that `describe` described."""
    for kinds in (registry.transforms, registry.hyper_transforms, registry.entropy_models, registry.likelihoods):
        if kinds.kind in description:
            return kinds.get(description[kinds.kind]).from_config(description["config"])
    raise RegistryError(
        "A description of a part holds 'transform', 'hyper transform', 'entropy model' or 'likelihood'. "
        f"Received: {description!r}."
    )


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Configured):
        return describe(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    raise RegistryError(
        f"{where}: expected numbers, strings, lists of them or registered parts, which a configuration can hold. "
        f"Received: {value!r}."
    )


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return rebuild(value)
    if isinstance(value, list):
        return tuple(_restored(item) for item in value)
    return value
