import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lic.entropy import EVERYTHING, anchors, channels, every, non_anchors, positions, repeated, union, within
from lic.layers.tracing import plain_graphs
from tests.conftest import DATA

PARTITIONS = {
    "everything": [EVERYTHING],
    "channels": [channels(0, 2), channels(2, 3), channels(3, 5)],
    "checkerboard": [anchors(), non_anchors()],
    "stripes": [positions(f"stripe {k}", lambda row, column, k=k: (row + 2 * column) % 3 == k) for k in range(3)],
    "rows": [positions(f"rows {k}", lambda row, column, k=k: row % 2 == k) for k in range(2)],
    "corners": [every(f"corner {place}", 2, *divmod(place, 2)) for place in range(4)],
    "of three": [every(f"place {place}", 3, *divmod(place, 3)) for place in range(9)],
    "repeated": [
        repeated(f"step {step}", np.indices((3, 2, 5)).sum(0) % 4 == step)
        for step in range(5)  # The last is empty.
    ],
    "unions": [
        union("one", within(channels(0, 2), anchors()), within(channels(2, 5), non_anchors())),
        union("other", within(channels(0, 2), non_anchors()), within(channels(2, 5), anchors())),
    ],
    "both": [within(group, half) for group in (channels(0, 2), channels(2, 5)) for half in (anchors(), non_anchors())],
}
sizes = st.integers(1, 9)


@pytest.mark.parametrize("name", PARTITIONS)
@settings(max_examples=25, deadline=None)
@given(height=sizes, width=sizes)
def test_parts_partition_the_latent(name, height, width):
    latent = np.arange(2 * height * width * 5, dtype=np.float32).reshape(2, height, width, 5)
    taken = [np.asarray(part.take(latent)) for part in PARTITIONS[name]]
    assert sorted(np.concatenate([values.ravel() for values in taken])) == sorted(latent.ravel())
    rebuilt = np.full_like(latent, -1)
    for part, values in zip(PARTITIONS[name], taken, strict=True):
        rebuilt = part.put(rebuilt, values)
    np.testing.assert_array_equal(rebuilt, latent)


@pytest.mark.parametrize("name", PARTITIONS)
def test_put_changes_nothing_else(name):
    latent = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5)
    for part in PARTITIONS[name]:
        values = part.take(latent)
        changed = part.put(latent, values + 1000.0)
        np.testing.assert_array_equal(part.take(changed), values + 1000.0)
        np.testing.assert_array_equal(part.put(changed, values), latent)


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (5, 2)])
@pytest.mark.parametrize("name", PARTITIONS)
def test_graphs_for_other_formats_put_the_same(name, size):
    latent = np.random.default_rng(0).normal(size=(2, *size, 5)).astype(np.float32)
    for part in PARTITIONS[name]:
        values = part.take(latent) + 1.0
        expected = part.put(latent, values)
        with plain_graphs():
            np.testing.assert_array_equal(part.put(latent, values), expected)


def test_anchors_have_an_odd_sum_of_row_and_column():
    rows, columns = np.indices((3, 4))
    latent = ((rows + columns) % 2).astype(np.float32)[None, ..., None]
    assert (anchors().take(latent).numpy() == 1).all()
    assert (non_anchors().take(latent).numpy() == 0).all()


def test_a_part_within_another_takes_the_common_numbers():
    latent = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5)
    part = within(channels(1, 3), anchors())
    np.testing.assert_array_equal(part.take(latent), anchors().take(latent)[..., 1:3])
    assert part.name == "channels 1-2 anchors"


def test_positions_come_in_raster_order():
    latent = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    np.testing.assert_array_equal(anchors().take(latent).numpy().ravel(), [1, 3, 4, 6, 9, 11])
    np.testing.assert_array_equal(non_anchors().take(latent).numpy().ravel(), [0, 2, 5, 7, 8, 10])


@pytest.mark.parametrize("part", [anchors(), non_anchors()])
def test_positions_are_those_of_the_published_code(part):
    with np.load(DATA / "golden" / "checkerboard_split.npz") as arrays:
        name = "anchors" if part.name == "anchors" else "others"
        latent, in_place, packed = (arrays[key] for key in ("y", f"{name}_in_place", f"{name}_packed"))
    np.testing.assert_array_equal(part.put(np.zeros_like(latent), part.take(latent)), in_place)
    np.testing.assert_array_equal(np.sort(part.take(latent).numpy(), None), np.sort(packed, None))


def test_a_union_holds_its_parts_one_after_the_other():
    latent = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5)
    part = union("both", channels(1, 3), within(channels(4, 5), anchors()))
    expected = np.concatenate([latent[..., 1:3].ravel(), np.asarray(anchors().take(latent[..., 4:])).ravel()])
    np.testing.assert_array_equal(part.take(latent), expected[None, None, :, None])
    assert part.name == "both"


def test_repeated_numbers_come_in_raster_order():
    latent = np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2)
    pattern = np.array([[[True, False], [False, False]], [[False, True], [True, False]]])
    found = repeated("some", pattern).take(latent)
    assert found.shape == (1, 1, 8, 1)
    np.testing.assert_array_equal(np.ravel(found), [0, 4, 9, 10, 13, 14, 16, 20])


def test_patterns_of_another_depth_are_refused():
    part = repeated("some", np.ones((2, 2, 3), bool))
    latent = np.zeros((1, 4, 4, 2), np.float32)
    for call in (lambda: part.take(latent), lambda: part.put(latent, np.zeros((1, 1, 48, 1), np.float32))):
        with pytest.raises(ValueError, match="repeated: expected pattern to be 2 channels, as the latent has.* 3"):
            call()


@pytest.mark.parametrize("pattern", [np.ones((2, 2), bool), np.ones((2, 2, 3)), np.ones((0, 2, 3), bool)])
def test_patterns_that_are_no_masks_of_three_axes_are_refused(pattern):
    with pytest.raises(ValueError, match="repeated: expected pattern to be bool"):
        repeated("some", pattern)


def test_positions_know_their_places():
    np.testing.assert_array_equal(anchors().places(3, 4), [1, 3, 4, 6, 9, 11])
    assert EVERYTHING.places is None
    assert within(channels(0, 1), anchors()).places is None


@pytest.mark.parametrize(("step", "row", "column"), [(2, 2, 0), (2, 3, 1), (3, 4, 5), (1, 1, 0)])
def test_rows_and_columns_may_begin_behind_the_first_step(step, row, column):
    latent = np.random.default_rng(0).normal(size=(1, 7, 8, 2)).astype(np.float32)
    part = every("x", step, row, column)
    expected = latent.copy()
    expected[:, row::step, column::step] += 9.0
    np.testing.assert_array_equal(part.put(latent, part.take(latent) + 9.0), expected)
    with plain_graphs():
        np.testing.assert_array_equal(part.put(latent, part.take(latent) + 9.0), expected)


@pytest.mark.parametrize(("arguments", "name"), [((0, 0, 0), "step"), ((2, -1, 0), "row and column")])
def test_rows_and_columns_that_are_none_are_refused(arguments, name):
    with pytest.raises(ValueError, match=f"every: expected {name} to be at least"):
        every("x", *arguments)
