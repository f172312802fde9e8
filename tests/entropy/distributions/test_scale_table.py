import math

import numpy as np
import pytest

from lic.entropy import ScaleTable
from lic.environment import tf
from lic.layers.tracing import plain_graphs


def test_it_is_geometric_from_end_to_end():
    scales = ScaleTable().scales()
    assert (scales[0], scales[-1]) == (pytest.approx(0.11), pytest.approx(256))
    np.testing.assert_allclose(np.diff(np.log(scales)), math.log(256 / 0.11) / 63, rtol=1e-6)
    np.testing.assert_allclose(ScaleTable().scale_at(tf.range(64.0)), scales, rtol=1e-5)
    assert ScaleTable().index_of(scales[17]) == pytest.approx(17)


def test_indexes_are_rounded_and_clipped():
    index = tf.constant([-3.0, 0.4, 0.6, 62.6, 99.0, float("inf"), float("-inf")])
    np.testing.assert_array_equal(ScaleTable().row(index), [0, 0, 1, 63, 63, 63, 0])
    assert 0 <= int(ScaleTable().row(tf.constant(float("nan")))) <= 63


def test_indexes_are_rounded_up_in_a_table_that_rounds_up():
    scales = ScaleTable(rounding="up")
    index = tf.constant([-3.0, 0.0, 0.01, 0.6, 7.0, 62.1, 99.0])
    np.testing.assert_array_equal(scales.row(index), [0, 0, 1, 1, 7, 63, 63])
    assert ScaleTable(64, 0.11, 256.0, "nearest") == ScaleTable()


def test_real_indexes_are_those_of_scales():
    table = ScaleTable()
    scales = np.array([1e-9, -3.0, 0.0, 0.11, 0.5, 17.0, 256.0], np.float32)
    expected = [0, 0, 0, 0, *(table.index_of(scale) for scale in (0.5, 17.0, 256.0))]
    np.testing.assert_allclose(table.index_at(scales), expected, atol=1e-4)
    # With rounding up, the least difference from zero would give the next scale.
    np.testing.assert_array_equal(table.index_at(scales)[:4], 0)


def test_scales_below_the_table_have_a_gradient_back_to_it():
    scale = tf.Variable([0.01, 0.01])
    with tf.GradientTape() as tape:
        index = ScaleTable().index_at(tf.convert_to_tensor(scale)) * [1.0, -1.0]
    np.testing.assert_array_equal(tape.gradient(index, scale) != 0, [False, True])


@pytest.mark.parametrize("rounding", ["nearest", "up"])
def test_comparisons_find_the_row_that_the_index_of_a_scale_is_rounded_to(rounding):
    table = ScaleTable(rounding=rounding)
    scales = np.exp(np.random.default_rng(0).uniform(np.log(0.01), np.log(1000), (3, 4, 50))).astype(np.float32)
    rows = table.row_of(tf.constant(scales))
    assert rows.shape == scales.shape
    np.testing.assert_array_equal(rows, table.row(table.index_at(scales)))
    assert table.row_of(tf.constant([-3.0])).numpy() == [0]


@pytest.mark.parametrize("table", [ScaleTable(), ScaleTable(2), ScaleTable(65, rounding="up")])
def test_plain_graphs_find_the_same_row_without_a_search(table):
    bounds = np.array(table.scales(), np.float32)
    scales = np.concatenate([bounds, np.nextafter(bounds, np.inf), [-3.0, 0.0, 1e30, np.inf]]).astype(np.float32)

    @tf.function
    def rows(scale):
        with plain_graphs():
            return table.row_of(scale)

    np.testing.assert_array_equal(rows(tf.constant(scales)), table.row_of(tf.constant(scales)))
    operations = rows.get_concrete_function(tf.TensorSpec([None])).graph.get_operations()
    assert not {"LowerBound", "SearchSorted"} & {operation.type for operation in operations}
