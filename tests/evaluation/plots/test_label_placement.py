import numpy as np
import pytest
from matplotlib.text import Text

from lic.evaluation.plots.label_placement import Label, _annotation, _cost, place_labels
from lic.evaluation.plots.theme import column_figure, theme


@pytest.fixture
def axes():
    with theme():
        axes = column_figure(3.0)[1]
        axes.set(xlim=(0, 10), ylim=(0, 10))
        yield axes


def boxes(axes):
    """Returns the box of each text, without its leader."""
    return [Text.get_window_extent(text) for text in axes.texts]


def test_labels_of_one_point_are_apart_and_within(axes):
    place_labels(axes, [Label(9.9, 5, f"label {number}", "black") for number in range(8)])
    found, inside = boxes(axes), axes.get_window_extent()
    assert [text.get_text() for text in axes.texts] == [f"label {number}" for number in range(8)]
    for number, box in enumerate(found):
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert not any(box.overlaps(other) for other in found[:number])


def test_labels_cover_no_line(axes):
    axes.plot([0, 10], [5, 5])
    axes.plot([5, 5, 6], [5, 10, 10], marker="o")
    place_labels(axes, [Label(5, 5, "a long label", "black")])
    (box,) = boxes(axes)
    for x, y in ([5, 7], [5, 10], [6, 10]):
        assert not box.contains(*axes.transData.transform((x, y)))
    line_height = axes.transData.transform((0, 5))[1]
    assert not box.y0 < line_height < box.y1


def test_only_a_far_label_has_a_line_to_its_point(axes):
    place_labels(axes, [Label(5, 5, "near", "black")])
    assert axes.texts[0].arrow_patch is None
    axes.plot(*np.meshgrid(np.linspace(3, 7, 40), np.linspace(3, 7, 40)), color="black")
    place_labels(axes, [Label(5, 5, "far", "red")])
    assert axes.texts[1].arrow_patch is not None


@pytest.mark.parametrize(("side", "crosses"), [((0, 1), True), ((1, 0), False), ((0, -1), False)])
def test_a_line_to_a_label_that_crosses_a_marker_costs(axes, side, crosses):
    place_labels(axes, [])
    label, clear = Label(5, 5, "far", "black"), np.empty((0, 2))
    marker = axes.transData.transform((5, 6))[None]
    note = _annotation(axes, label, side, 80)
    assert (_cost(note, axes, marker, []) > _cost(note, axes, clear, [])) == crosses
