import itertools
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text

from lic.evaluation.inspect.figure import inspection_figure
from lic.evaluation.plots.theme import save_figure
from tests.evaluation.conftest import make_inspection

KINDS = {
    "two parts": {},
    "ten parts": {"parts": 10},
    "portrait": {"height": 300, "width": 80, "parts": 5},
    "strip": {"height": 40, "width": 700, "parts": 4},
    "one pixel": {"height": 1, "width": 1, "parts": 1},
    "grey": {"grey": True, "parts": 3},
    "quality map": {"maps": True},
}


@pytest.fixture(scope="module", params=KINDS)
def inspection_and_figure(request):
    inspection = make_inspection(**KINDS[request.param])
    return inspection, inspection_figure(inspection, "a $title_ with $ in it")


@pytest.fixture(scope="module")
def pixels(inspection_and_figure):
    """The figure's pixels."""
    return _drawn(inspection_and_figure[1])


def _drawn(figure):
    """Returns the figure's pixels [height, width, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def _labels_of_ticks_outside(figure):
    """Returns the labels of the ticks beyond an axis's ends, which exist but are not drawn."""
    every = [*figure.get_axes(), *(inner for axes in figure.get_axes() for inner in axes.child_axes)]
    labels = []
    for axis in (axis for axes in every for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        outside = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
        labels += [label for tick in outside for label in (tick.label1, tick.label2)]
    return labels


def test_no_text_lies_on_another_or_outside(inspection_and_figure, pixels):
    _, figure = inspection_and_figure
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    unseen = _labels_of_ticks_outside(figure)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text not in unseen]
    for text, box in boxes:
        assert min(box.x0, box.y0) >= -1, text
        assert box.x1 <= pixels.shape[1] + 1, text
        assert box.y1 <= pixels.shape[0] + 1, text
    for (first, one), (second, other) in itertools.combinations(boxes, 2):
        width = min(one.x1, other.x1) - max(one.x0, other.x0)
        height = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(width, height) <= 1, (first, second)


def test_all_is_drawn_and_nothing_is_blank(inspection_and_figure, pixels):
    inspection, figure = inspection_and_figure
    pictures = [axes for axes in figure.get_axes() if axes.images]
    assert len(pictures) == 3 + 3 + 1 + (inspection.quality is not None) + len(inspection.previews)
    flat = inspection.original.pixels.shape[:2] == (1, 1)
    for axes in pictures:
        box = axes.get_window_extent()
        rows = slice(int(pixels.shape[0] - box.y1) + 2, int(pixels.shape[0] - box.y0) - 2)
        part = pixels[rows, int(box.x0) + 2 : int(box.x1) - 2]
        assert flat or part.std() > 3, axes.get_title()


def test_bars_are_labelled_with_bits_and_shares(inspection_and_figure):
    inspection, figure = inspection_and_figure
    (bars,) = [axes for axes in figure.get_axes() if axes.patches and not axes.images]
    names = [label.get_text() for label in bars.get_yticklabels()]
    assert names == ["side information", *(name for name, _ in inspection.bits.parts)]
    total = inspection.bits.side + sum(bits for _, bits in inspection.bits.parts)
    written = [text.get_text() for text in bars.texts]
    assert written[0] == f"321  ({321 / total:.1%})"
    assert [patch.get_width() for patch in bars.patches] == [321.0, *(bits for _, bits in inspection.bits.parts)]


def test_titles_have_the_figures_of_pictures(inspection_and_figure):
    inspection, figure = inspection_and_figure
    titles = "\n".join(axes.get_title() for axes in figure.get_axes())
    assert inspection.decoded.figures in titles
    assert inspection.jpeg.figures in titles
    for preview in inspection.previews:
        assert f"{preview.name}\n{preview.bpp:.3f} bpp so far, {preview.psnr:.2f} dB" in titles


def test_models_without_side_information_have_no_bar_for_it():
    inspection = make_inspection()
    figure = inspection_figure(inspection._replace(bits=inspection.bits._replace(side=0.0)), "title")
    (bars,) = [axes for axes in figure.get_axes() if axes.patches and not axes.images]
    assert len(bars.patches) == 2


def test_pyplot_is_left_alone(inspection):
    was_there = "matplotlib.pyplot" in sys.modules
    inspection_figure(inspection, "title")
    assert ("matplotlib.pyplot" in sys.modules) == was_there


def test_the_same_inspection_is_the_same_file_whatever_the_users_settings(inspection, tmp_path):
    def save(name):
        figure = inspection_figure(inspection, "title")
        for form in ("png", "svg"):
            save_figure(tmp_path / f"{name}.{form}", figure)

    save("before")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "image.cmap": "gray"}):
        save("after")
    for form in ("png", "svg"):
        assert (tmp_path / f"before.{form}").read_bytes() == (tmp_path / f"after.{form}").read_bytes()
