import contextlib

import numpy as np
import pytest

from lic.testing.laws import (
    LawError,
    Trial,
    each,
    ends_if_broken,
    keeps_weights,
    name_of,
    require,
    require_finite,
    require_near,
    require_same,
)


def two_is_two(number):
    require(number == 2, f"{number} is not 2")


def three_is_three(number):
    raise TypeError(f"no {number}")


def test_all_laws_are_tried_and_broken_ones_are_named():
    with pytest.raises(LawError) as caught:
        Trial("The number", [two_is_two, three_is_three, lambda number: None], 1).check()
    assert caught.value.broken == {"two is two": "1 is not 2", "three is three": "TypeError was raised: no 1"}
    assert str(caught.value).splitlines() == [
        "The number breaks 2 of the laws:",
        "  two is two: 1 is not 2",
        "  three is three: TypeError was raised: no 1",
    ]


def test_a_law_without_which_no_other_can_be_tried_ends_the_check():
    @ends_if_broken
    def one_is_one(number):
        require(number == 1, f"{number} is not 1")

    with pytest.raises(LawError) as caught:
        Trial("The number", [one_is_one, two_is_two], 3).check()
    assert caught.value.broken == {"one is one": "3 is not 1"}
    with pytest.raises(LawError) as caught:
        Trial("The number", [one_is_one, two_is_two], 1).check()
    assert caught.value.broken == {"two is two": "1 is not 2"}


def test_laws_that_keep_weights_are_tried_outside_of_the_context():
    inside = []

    @contextlib.contextmanager
    def during():
        inside.append(True)
        yield
        inside.clear()

    @keeps_weights
    def it_is_outside(number):
        require(not inside, "it is inside")

    def it_is_inside(number):
        require(bool(inside), "it is outside")

    trial = Trial("The number", [it_is_outside, it_is_inside, two_is_two], 1, during=during)
    with pytest.raises(LawError) as caught:
        trial.check()
    assert caught.value.broken == {"two is two": "1 is not 2"}
    trial.check(it_is_outside)


def test_some_laws_can_be_tried_alone():
    trial = Trial("The number", [two_is_two, three_is_three], 2)
    trial.check(two_is_two)
    with pytest.raises(LawError, match="three is three"):
        trial.check(three_is_three)


def test_it_is_an_assertion_error():
    assert issubclass(LawError, AssertionError)


def test_differing_numbers_are_named_with_their_place():
    require_same("numbers", np.ones((2, 3)), np.ones((2, 3)))
    require_same("nothing", None, None)
    other = np.ones((2, 3))
    other[1, 2] = 5
    with pytest.raises(AssertionError, match=r"numbers: 1 of 6 numbers differ, first .*1.0.* and .*5.0.* at \(1, 2\)"):
        require_same("numbers", np.ones((2, 3)), other)
    with pytest.raises(AssertionError, match=r"shapes \(2, 3\) and \(3, 2\)"):
        require_same("numbers", np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(AssertionError, match="one is there and the other is None"):
        require_same("numbers", None, np.ones(3))


def test_near_is_relative_to_the_largest():
    require_near("numbers", [1000.0, 0.0], [1000.5, 0.5], 1e-3)
    with pytest.raises(AssertionError, match=r"numbers up to 1000 differ by up to 2, more than 0.001 of that"):
        require_near("it", [1002.0, 0.0], [1000.0, 0.0], 1e-3)
    with pytest.raises(AssertionError, match="differ by up to nan"):
        require_near("it", [float("nan")], [1.0], 1e-3)


def test_numbers_that_are_not_finite_are_counted():
    require_finite("it", [1.0, -2.0])
    with pytest.raises(AssertionError, match="it: 2 of 3 numbers are not finite"):
        require_finite("it", [1.0, float("nan"), float("inf")])


def test_names_and_sizes_are_in_words():
    assert name_of(two_is_two) == "two is two"
    assert list(each([(3, 7)])) == [("at 3x7", (3, 7))]
