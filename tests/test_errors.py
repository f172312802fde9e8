import inspect

import pytest

import lic
from lic import errors

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass)]


def test_one_except_catches_them_all():
    assert all(issubclass(error, lic.LicError) for error in ALL)
    assert not issubclass(lic.LicError, (ValueError, OSError))


@pytest.mark.parametrize("error", ALL)
def test_each_is_public_and_says_what_it_is_for(error):
    assert getattr(lic, error.__name__) is error
    assert error.__doc__
