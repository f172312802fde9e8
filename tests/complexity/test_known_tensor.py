import numpy as np

from lic.complexity.known_tensor import Known, common
from lic.environment import tf


def test_equal_values_have_equal_keys():
    first, again, other = (Known.of(np.array(values)) for values in ([1, 2], [1, 2], [1, 3]))
    assert first.key == again.key
    assert first.key != other.key
    assert first.key != Known.of(np.array([1, 2], np.float32)).key
    assert first.key != Known(first.shape).key


def test_values_of_objects_have_keys_too():
    first, again, other = (Known.of(np.array([each], object)) for each in (b"a", b"a", b"b"))
    assert first.key == again.key
    assert first.key != other.key


def test_one_of_two_that_are_the_same_keeps_its_value():
    known = Known.of(np.array([4, 5]))
    assert common(known, Known.of(np.array([4, 5]))) is known


def test_one_of_two_keeps_the_lengths_that_they_share():
    found = common(Known(tf.TensorShape([1, 4, None, 3])), Known(tf.TensorShape([1, 5, None, 3])))
    assert tuple(found.shape) == (1, None, None, 3)
    assert found.value is None


def test_of_one_of_two_ranks_nothing_is_known():
    for other in (tf.TensorShape([1, 2, 3]), tf.TensorShape(None)):
        assert common(Known(tf.TensorShape([1, 2])), Known(other)).shape.rank is None
        assert common(Known(other), Known(tf.TensorShape([1, 2]))).shape.rank is None
