import numpy as np

from lic.complexity.abstract_tensor import AbstractTensor, join
from lic.environment import tf
from tests.complexity.test_interpreter import counted, shapes_of

MATRIX = tf.ones((3, 5))


def test_equal_values_have_equal_keys():
    first, again, other = (AbstractTensor.of(np.array(values)) for values in ([1, 2], [1, 2], [1, 3]))
    assert first.key == again.key
    assert first.key != other.key
    assert first.key != AbstractTensor.of(np.array([1, 2], np.float32)).key
    assert first.key != AbstractTensor(first.shape).key


def test_values_of_objects_have_keys_too():
    first, again, other = (AbstractTensor.of(np.array([each], object)) for each in (b"a", b"a", b"b"))
    assert first.key == again.key
    assert first.key != other.key


def test_one_of_two_that_are_the_same_keeps_its_value():
    known = AbstractTensor.of(np.array([4, 5]))
    assert join(known, AbstractTensor.of(np.array([4, 5]))) is known


def test_one_of_two_keeps_the_lengths_that_they_share():
    found = join(AbstractTensor(tf.TensorShape([1, 4, None, 3])), AbstractTensor(tf.TensorShape([1, 5, None, 3])))
    assert tuple(found.shape) == (1, None, None, 3)
    assert found.value is None


def test_of_one_of_two_ranks_nothing_is_known():
    for other in (tf.TensorShape([1, 2, 3]), tf.TensorShape(None)):
        assert join(AbstractTensor(tf.TensorShape([1, 2])), AbstractTensor(other)).shape.rank is None
        assert join(AbstractTensor(other), AbstractTensor(tf.TensorShape([1, 2]))).shape.rank is None


def test_rows_of_a_concatenation_are_added_up():
    def ragged(values):
        array = tf.TensorArray(tf.float32, 3, element_shape=(None, 3), infer_shape=False)
        for number in range(3):
            array = array.write(number, values[: number + 1])
        return tf.matmul(array.concat(), MATRIX)

    assert shapes_of(ragged, [4, 3]) == [[6, 5]]
    assert counted(ragged, [4, 3]) == 6 * 3 * 5


def test_items_are_stacked():
    def stacked(values):
        array = tf.TensorArray(tf.float32, 4, infer_shape=False)
        _, array = tf.while_loop(
            lambda number, _: number < 4, lambda number, array: (number + 1, array.write(number, values)), (0, array)
        )
        return tf.matmul(array.stack(), MATRIX)

    assert counted(stacked, [2, 3]) == 4 * 2 * 3 * 5


def test_an_item_has_its_own_shape():
    def second(values):
        array = tf.TensorArray(tf.float32, 2, element_shape=(None, 3), infer_shape=False, clear_after_read=False)
        array = array.write(0, values).write(1, values[1:])
        return tf.matmul(array.read(1), MATRIX)

    assert counted(second, [4, 3]) == 3 * 3 * 5


def test_a_tensor_is_taken_apart():
    def folded(values):
        return tf.foldl(lambda total, row: total + tf.matmul(row, MATRIX), values, tf.zeros((2, 5)))

    assert counted(folded, [7, 2, 3]) == 7 * 2 * 3 * 5


def test_items_that_are_pushed_and_popped():
    def last(values):
        handle = tf.raw_ops.EmptyTensorList(element_shape=[-1, 3], max_num_elements=-1, element_dtype=tf.float32)
        for rows in (4, 2):
            handle = tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=values[:rows])
        _, item = tf.raw_ops.TensorListPopBack(input_handle=handle, element_shape=[-1, 3], element_dtype=tf.float32)
        length = tf.raw_ops.TensorListLength(input_handle=handle)
        return tf.matmul(tf.tile(item, [length, 1]), MATRIX)

    assert counted(last, [4, 3]) == 2 * 2 * 3 * 5
