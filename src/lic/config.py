"""Parts and layers record every argument that they are made with, so that a configuration alone makes them again."""

from __future__ import annotations

import collections
import functools
import inspect
import numbers
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from lic import registry
from lic.argument_types import check_argument
from lic.environment import keras, saving, set_name, track_lists
from lic.errors import RegistryError

KERAS_ARGUMENTS = frozenset({"name", "dtype", "trainable"})  # Arguments of every Keras layer, which shape no stream.
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Configured:
    """Mixin that records the constructor's arguments: `get_config` and `from_config` need no code in a subclass.

    A configuration lists every argument, those at their defaults too, so that a default which changes later changes no
    file. Every subclass is registered with Keras under its package and name, so that Keras saves and loads it.

    Attributes:
      added_arguments: The arguments that were added to the constructor after files of the part were written, each with
        the value that a file without it stands for. Such a value never changes, whatever the default becomes.
    """

    registry: registry.Registry  # Only kinds of parts have one. Layers have none.
    added_arguments: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any):
        """Makes the constructor of a subclass record its arguments before it runs."""
        super().__init_subclass__(**kwargs)
        if not hasattr(cls.__init__, "records_arguments"):  # Else it is a base's, which records them already.
            cls.__init__ = _recording(cls, cls.__init__)
        saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)

    def configuration(self) -> dict[str, Any]:
        """Returns all arguments of the constructor as plain data; a part among them as kind, name and configuration.

        Files hold this form, from which nothing but registered parts is made.
        """
        return self._described(_plain)

    def get_config(self) -> dict[str, Any]:
        """Returns all arguments as Keras needs them, with the names and states of all layers, and its own arguments."""
        is_layer = isinstance(self, keras.layers.Layer)
        keras_config = keras.layers.Layer.get_config(self) if is_layer else {}  # Keras 2 has none for models.
        return keras_config | self._described(_plain_or_serialized)

    def configuration_as(self, base: type[Configured]) -> dict[str, Any]:
        """Returns `configuration` as that of a base class, without the arguments that subclasses add.

        Args:
          base: The class, whose constructor keeps each of its arguments as an attribute of the same name.
        """
        names = constructor_arguments(base)
        return self._described(_plain, {name: self._arguments.get(name, getattr(self, name)) for name in names})

    def _described(self, plain: Callable, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        parameters = constructor_arguments(type(self))
        return {
            name: plain(self._argument(name, value), _hint(parameters.get(name)), f"{type(self).__name__}.{name}")
            for name, value in (self._arguments if arguments is None else arguments).items()
        }

    def _constructed(self) -> None:
        """Is called when the whole constructor has run, with those of all subclasses."""
        if isinstance(self, keras.layers.Layer):
            track_lists(self)

    def _argument(self, name: str, value: Any) -> Any:
        """Returns a recorded argument, or the part that the constructor made because it was given None."""
        made = getattr(self, name, None) if value is None else None
        return made if isinstance(made, Configured) else value

    @classmethod
    def from_configuration(cls, config: dict[str, Any]):
        """Makes the same part again, with fresh weights.

        Args:
          config: A complete configuration, as `configuration` returns it. It may come from an untrusted file.

        Raises:
          ValueError: The configuration lacks an argument.
          RegistryError: A part in the configuration is not registered.
        """
        return _made(cls, config, _restored)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: None = None):
        """Makes the same part or layer again, with fresh weights; Keras calls this method.

        Args:
          config: A complete configuration, as `get_config` or `configuration` returns it.
          custom_objects: Keras passes this argument; it is not used.

        Raises:
          ValueError: The configuration lacks an argument.
        """
        keras_config = {name: config[name] for name in KERAS_ARGUMENTS & config.keys()}
        own = {name: value for name, value in config.items() if name not in KERAS_ARGUMENTS}
        parameters = inspect.signature(cls.__init__).parameters
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        frozen = keras_config.pop("trainable", True) is False
        passed = {name: value for name, value in keras_config.items() if takes_all or name in parameters}
        part = _made(cls, own, _restored_or_deserialized, **passed)
        if "name" in keras_config:
            set_name(part, keras_config["name"])
        if frozen:
            part.trainable = False
        return part


def _made(
    part: type[Configured], config: dict[str, Any], restored: Callable[[Any], Any], **keras_arguments: Any
) -> Configured:
    """Makes a part from a configuration, whose values a function restores."""
    own, added = inspect.signature(part.__init__).parameters, _added(part)
    config = {name: value for name, value in added.items() if name in own} | config
    _check_complete(part, config, [name for name in constructor_arguments(part) if name in own])
    made = part(**{name: restored(value) for name, value in config.items()}, **keras_arguments)
    # Only an instance knows which arguments of its bases a class takes, and which it sets itself.
    late = {name: added[name] for name in made._arguments if name in added and name not in config}
    if late:
        return _made(part, config | late, restored, **keras_arguments)
    _check_complete(part, config, made._arguments)
    return made


def _recording(owner: type[Configured], constructor: Callable) -> Callable:
    """Returns a constructor that records its arguments, and then runs.

    The outermost constructor records its own arguments and the keywords that it was given. Each constructor of a base
    adds those of its keywords that it was not passed, at their defaults. A keyword that a subclass sets itself is
    therefore not recorded: it is no argument of the subclass.
    """

    @functools.wraps(constructor)
    def recording(self: Configured, *args: Any, **kwargs: Any) -> None:
        outermost = "_arguments" not in vars(self)
        if outermost:
            bound = _checked(type(self), args, kwargs)
            args, kwargs = bound.args[1:], bound.kwargs
            # Keras tracks attributes that are set, and saves what it finds in a dict.
            vars(self)["_arguments"] = collections.UserDict(_recorded(type(self), bound))
        taken = constructor_arguments(type(self))
        for parameter in _parameters(owner):
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in kwargs and parameter.name in taken:
                self._arguments.setdefault(parameter.name, parameter.default)
        constructor(self, *args, **kwargs)
        if outermost:
            self._constructed()

    recording.__signature__ = inspect.signature(constructor)  # Keras 3 reads the signature of the outermost function.
    recording.records_arguments = True
    return recording


def _checked(part: type[Configured], args: tuple, kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """Binds the arguments of a constructor, checks their types, and gives numbers the types of their annotations."""
    bound = inspect.signature(part.__init__).bind(None, *args, **kwargs)
    for name, value in list(bound.arguments.items())[1:]:
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            bound.arguments[name] = {key: _checked_argument(part, key, each) for key, each in value.items()}
        else:
            bound.arguments[name] = _checked_argument(part, name, value)
    return bound


def _checked_argument(part: type[Configured], name: str, value: Any) -> Any:
    value = _as_kept(value)
    parameter = constructor_arguments(part).get(name)
    if parameter is None or value is parameter.default:
        return value
    check_argument(part.__name__, name, value, parameter.annotation)
    return _of_type(value, _hint(parameter), name)


def checked_value(owner: str, name: str, value: Any, hint: Any) -> Any:
    """Returns an argument as it is kept: a tuple in place of a list, and numbers of the types of its annotation.

    Arguments and errors are those of `check_argument`.
    """
    value = _as_kept(value)
    check_argument(owner, name, value, hint)
    return _of_type(value, hint, name)


def _as_kept(value: Any) -> Any:
    # The caller may change the list, and use up the iterator.
    is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes, tuple))
    return tuple(value) if is_list or isinstance(value, Iterator) else value


def _of_type(value: Any, hint: Any, name: str) -> Any:
    return _restored(_plain(value, hint, name)) if _is_numeric(value) else value


def _is_numeric(value: Any) -> bool:
    """Returns whether a value is a number, or a sequence of numbers."""
    if isinstance(value, (list, tuple)) and not _is_named_tuple(type(value)):
        return bool(value) and all(map(_is_numeric, value))
    return isinstance(value, (numbers.Real, np.generic, np.ndarray))


def _check_complete(part: type[Configured], config: dict[str, Any], arguments: Iterable[str]) -> None:
    missing = [name for name in arguments if name not in config]
    if missing:
        raise ValueError(
            f"{part.__name__}: expected a configuration with every argument. "
            f"Received one without {', '.join(missing)}. Take what get_config returns."
        )


@functools.cache
def constructor_arguments(part: type[Configured]) -> Mapping[str, inspect.Parameter]:
    """Returns the arguments that a part's constructor takes, by name, without Keras's own.

    Where the constructor passes keywords on to its bases, their keyword-only arguments count too. A subclass sets the
    other arguments of its bases itself.
    """
    found: dict[str, inspect.Parameter] = {}
    kinds = _BY_NAME
    for base in _bases(part):
        parameters = _parameters(base)
        for parameter in parameters:
            if parameter.kind in kinds and parameter.name not in KERAS_ARGUMENTS:
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
        kinds = (inspect.Parameter.KEYWORD_ONLY,)
    return types.MappingProxyType(found)


def describe(part: Configured) -> dict[str, Any]:
    """Returns the kind, the registered name and the configuration of a part, as plain data."""
    kind = part.registry.kind
    return {"kind": kind, "name": part.registry.name_of(type(part)), "config": part.configuration()}


def rebuild(description: dict[str, Any]) -> Configured:
    """Makes the part that `describe` described, with fresh weights.

    Raises:
      ValueError: It is not the description of a part.
      RegistryError: No part of this name is registered.
    """
    return _class_of(description).from_configuration(description["config"])


def without_added_arguments(part: type[Configured], config: dict[str, Any]) -> dict[str, Any]:
    """Returns a configuration without each added argument that stands at its declared value.

    A fingerprint is made over this form, so that a file keeps its fingerprint when a part gets a new argument.

    Args:
      part: The class that the configuration is of.
      config: The configuration, as a file holds it.
    """
    added = {name: _reduced(_plain(value, Any, name)) for name, value in _added(part).items()}
    reduced = {name: _reduced(value) for name, value in config.items()}
    return {name: value for name, value in reduced.items() if name not in added or value != added[name]}


def _reduced(value: Any) -> Any:
    """Applies `without_added_arguments` to all parts in a value of a configuration."""
    if isinstance(value, dict):
        return value | {"config": without_added_arguments(_class_of(value), value["config"])}
    return [_reduced(item) for item in value] if isinstance(value, list) else value


def _class_of(description: dict[str, Any]) -> type[Configured]:
    if not isinstance(description, dict) or description.keys() != {"kind", "name", "config"}:
        raise ValueError(f"Expected the kind, name and config of a part. Received: {description!r}.")
    if description["kind"] not in registry.PARTS:
        raise ValueError(f"Expected the kind of a part, one of {', '.join(registry.PARTS)}. Received: {description!r}.")
    return registry.PARTS[description["kind"]].get(description["name"])


def _recorded(part: type[Configured], bound: inspect.BoundArguments) -> dict[str, Any]:
    """Returns the arguments that a constructor names, at their values or defaults, and the keywords of its bases."""
    given = dict(list(bound.arguments.items())[1:])
    own = {}
    for name, parameter in list(bound.signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= given.pop(name, {})
        elif parameter.kind in _BY_NAME:
            own[name] = parameter.default
    _check_recorded(part, given, own)
    return {name: value for name, value in (own | given).items() if name not in KERAS_ARGUMENTS}


def _check_recorded(part: type[Configured], given: dict[str, Any], own: dict[str, Any]) -> None:
    """Raises a TypeError for an argument that the configuration would not hold: a copy would compute otherwise."""
    known = {parameter.name for base in _bases(part) for parameter in _parameters(base)} | KERAS_ARGUMENTS
    variadic = {parameter.name for parameter in _parameters(part) if parameter.kind is inspect.Parameter.VAR_POSITIONAL}
    lost = [name for name in given if (name not in known and name not in own) or name in variadic]
    if lost:
        raise TypeError(
            f"{part.__name__}: expected arguments that its configuration can hold. Received: {', '.join(lost)}, which "
            "the constructor takes through * or **. Name each argument in the constructor, such as a sequence or a "
            "keyword with a default."
        )


def _bases(part: type[Configured]) -> list[type]:
    """Returns the part's class and those of its bases, up to `Configured`, that have a constructor of their own."""
    bases = part.__mro__[: part.__mro__.index(Configured)]
    return [base for base in bases if "__init__" in vars(base)]


@functools.cache
def _parameters(base: type) -> tuple[inspect.Parameter, ...]:
    """Returns the parameters of a class's own constructor; their annotations are types where these can be found."""
    hints = _type_hints(base.__init__)
    _, *parameters = inspect.signature(base.__init__).parameters.values()
    return tuple(parameter.replace(annotation=hints.get(parameter.name, parameter.empty)) for parameter in parameters)


def _type_hints(constructor: Callable) -> dict[str, Any]:
    try:
        return typing.get_type_hints(constructor, include_extras=True)
    except (NameError, TypeError):  # An annotation may name what is imported for type checkers only.
        return {}


def _added(part: type[Configured]) -> dict[str, Any]:
    """Returns the added arguments of a class and of its bases."""
    return {
        name: value for base in reversed(part.__mro__) for name, value in vars(base).get("added_arguments", {}).items()
    }


def _hint(parameter: inspect.Parameter | None) -> Any:
    """Returns the type that an argument has: that of its annotation, or else that of its default."""
    if parameter is None:
        return Any
    if _is_named_tuple(type(parameter.default)) or parameter.annotation is parameter.empty:
        return _hint_of(parameter.default)
    return parameter.annotation


def _hint_of(default: Any) -> Any:
    if isinstance(default, (list, tuple)) and default and not _is_named_tuple(type(default)):
        return Sequence[typing.Union[tuple(_hint_of(item) for item in default)]]  # noqa: UP007
    return type(default)


def _plain(value: Any, hint: Any, where: str) -> Any:
    """Returns a value as JSON can hold it, its numbers of the types in a hint: 8 and 8.0 are one argument."""
    value = value.tolist() if hasattr(value, "tolist") else value  # A number or an array of numpy.
    if isinstance(value, Configured) and hasattr(value, "registry"):
        return describe(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    members = _members(hint)
    if isinstance(value, numbers.Real):
        return _number(value, members)
    if isinstance(value, (list, tuple)):
        named = next((member for member in members if _is_named_tuple(member)), None)
        items = named(*value) if named else value  # A named tuple fills in its own defaults.
        hints = _item_hints((named,) if named else members, len(items))
        return [_plain(item, each, where) for item, each in zip(items, hints)]
    raise RegistryError(
        f"{where}: expected numbers, strings, lists of them or registered parts, which a configuration can hold. "
        f"Received: {value!r}."
    )


def _plain_or_serialized(value: Any, hint: Any, where: str) -> Any:
    """Returns a value as `_plain` does, or as Keras serialises it, such as a layer or an initialiser."""
    if isinstance(value, (list, tuple)) and any(hasattr(item, "get_config") for item in value):
        return [_plain_or_serialized(item, Any, where) for item in value]
    if hasattr(value, "get_config"):
        return saving.serialize_keras_object(value)
    return _plain(value, hint, where)


def _restored_or_deserialized(value: Any) -> Any:
    if isinstance(value, dict) and "class_name" in value:
        return saving.deserialize_keras_object(value)
    if isinstance(value, list):
        return [_restored_or_deserialized(item) for item in value]
    return _restored(value)


def _members(hint: Any) -> tuple:
    """Returns the types that a hint allows."""
    if typing.get_origin(hint) is typing.Annotated:
        return _members(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(member for each in typing.get_args(hint) for member in _members(each))
    return (hint,)


def _number(value: numbers.Real, members: tuple) -> int | float:
    if float in members:
        return float(value)
    return int(value) if int in members and float(value).is_integer() else value


def _item_hints(members: tuple, count: int) -> Sequence[Any]:
    """Returns the hint of each item of a sequence, where `members` are the types that the sequence may have."""
    inner: list[Any] = []
    for member in members:
        if _is_named_tuple(member):
            return list(typing.get_type_hints(member).values())
        arguments = typing.get_args(member)
        if typing.get_origin(member) is tuple and arguments[-1] is not Ellipsis:
            if len(arguments) == count:
                return arguments
        elif arguments and typing.get_origin(member) is not typing.Literal:
            inner.append(arguments[0])
    return [typing.Union[tuple(inner)] if inner else Any] * count  # noqa: UP007


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_field_defaults")


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return rebuild(value)
    if isinstance(value, list):
        return tuple(_restored(item) for item in value)
    return value
