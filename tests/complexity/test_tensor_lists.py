from lic.environment import tf
from tests.complexity.test_interpreter import counted, shapes_of

MATRIX = tf.ones((3, 5))


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
