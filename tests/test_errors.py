import inspect
import zlib

import pytest

import lic
from lic import errors
from lic.errors import CheckpointError, RegistryError, as_checkpoint_error

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__]


def test_one_except_catches_them_all():
    assert all(issubclass(error, lic.LicError) for error in ALL)
    assert not issubclass(lic.LicError, (ValueError, OSError))


@pytest.mark.parametrize("error", ALL)
def test_each_is_public_and_has_a_docstring(error):
    assert getattr(lic, error.__name__) is error
    assert error.__doc__


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("odd"), RuntimeError("odd"), zlib.error("odd")])
def test_whatever_a_reader_raises_becomes_one_error(error):
    message = rf"x.codec is damaged \({type(error).__name__}: .*odd.*\). Get it anew."
    with (
        pytest.raises(CheckpointError, match=message) as raised,
        as_checkpoint_error("x.codec is damaged", "Get it anew."),
    ):
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [RegistryError("no name"), ImportError("no package"), SystemExit()])
def test_errors_with_better_messages_pass(error):
    with pytest.raises(type(error)) as raised, as_checkpoint_error("x.codec is damaged"):
        raise error
    assert raised.value is error
