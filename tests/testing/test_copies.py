import numpy as np
import pytest

from lic.environment import tf
from lic.testing.copies import fresh, holding, moved, require_same_variables
from lic.weights import get_tensors, set_tensors
from tests.conftest import tiny_model


@pytest.fixture
def layer():
    """A part whose last layer starts at zero."""
    model = tiny_model("klt", "hyperprior")
    return model.transform


def _same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_a_fresh_part_has_its_own_weights(layer):
    copy = fresh(layer)
    assert copy is not layer
    assert copy.get_config() == layer.get_config()
    assert not {id(variable) for variable in copy.weights} & {id(variable) for variable in layer.weights}


def test_weights_are_moved_off_one_number_only_within(layer):
    before = get_tensors(layer)
    with moved(layer):
        within = get_tensors(layer)
    constant = {name for name, values in before.items() if values.size > 1 and np.ptp(values) == 0}
    assert constant
    assert {name for name in before if not np.array_equal(before[name], within[name])} == constant
    assert _same(get_tensors(layer), before)


def test_weights_come_back_after_an_error(layer):
    before = get_tensors(layer)
    with (
        pytest.raises(RuntimeError, match="within"),
        holding(layer, {name: value + 1 for name, value in before.items()}),
    ):
        assert not _same(get_tensors(layer), before)
        raise RuntimeError("within")
    assert _same(get_tensors(layer), before)


def test_a_changed_variable_is_named(layer):
    before = get_tensors(layer)
    require_same_variables("nothing", layer, before)
    name = next(iter(before))
    set_tensors(layer, before | {name: before[name] + 1})
    with pytest.raises(AssertionError, match=f"a call: changed the variable '{name}'"):
        require_same_variables("a call", layer, before)


def test_a_new_variable_is_named(layer):
    before = get_tensors(layer)
    layer.extra = tf.Variable(1.0)
    with pytest.raises(AssertionError, match="a call: made the variable 'extra'"):
        require_same_variables("a call", layer, before)
