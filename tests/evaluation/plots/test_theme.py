import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from lic.errors import EvaluationError
from lic.evaluation.compare.curves import Curve, published_curves
from lic.evaluation.compare.entries import Entry
from lic.evaluation.plots.theme import (
    COLOURS,
    DASHES,
    column_figure,
    heat_colours,
    legend_below,
    new_figure,
    save_figure,
    styles,
    theme,
)
from lic.evaluation.run.classical import CLASSICAL


def drawn(path, title="A title"):
    """Draws a small figure into a file and returns its bytes."""
    with theme():
        figure, axes = column_figure(2.0, title)
        axes.plot([0, 1], [1, 2])
    save_figure(path, figure)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_users_own_settings_change_nothing_and_stay(tmp_path, form):
    before = drawn(tmp_path / f"before.{form}")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert drawn(tmp_path / f"after.{form}") == before
        assert matplotlib.rcParams["font.size"] == 20


def test_another_title_is_another_figure(tmp_path):
    assert drawn(tmp_path / "a.png") != drawn(tmp_path / "b.png", "Another title")


def test_pyplot_is_left_alone(tmp_path):
    was_imported = "matplotlib.pyplot" in sys.modules
    drawn(tmp_path / "a.png")
    assert ("matplotlib.pyplot" in sys.modules) == was_imported


KNOWN = ["default", *CLASSICAL]
PUBLISHED = [f"published:{name}" for name in published_curves()]


def styles_of(*names):
    return styles(Entry(name, name, Curve(name, (1.0,), (30.0,)), (None,)) for name in names)


def test_styles_differ_and_published_curves_are_dashed_and_hollow():
    runs = [*KNOWN, *map(str, range(12))]
    style_of = styles_of(*PUBLISHED, *runs)
    assert len(set(style_of.values())) == len(PUBLISHED) + len(runs)
    assert {style_of[name].colour for name in runs} == set(COLOURS)
    assert {style_of[name].dash for name in runs} == {"solid"}
    assert {style_of[name].dash for name in PUBLISHED} == set(DASHES)
    assert {style_of[name].fill for name in PUBLISHED} == {"white"}
    assert style_of["jpeg"].fill == style_of["jpeg"].colour


def test_a_codec_has_the_same_style_in_all_figures():
    alone = {name: styles_of(name)[name] for name in [*KNOWN, *PUBLISHED, "mine"]}
    assert styles_of(*alone) == styles_of(*reversed(alone)) == alone
    assert styles_of("unlike", *alone)["jpeg"] == alone["jpeg"]


def test_own_codecs_of_a_figure_have_their_own_colours_while_there_are_any():
    own = len(COLOURS) - len(KNOWN)
    colours = [style.colour for style in styles_of(*KNOWN, *map(str, range(own))).values()]
    assert len(set(colours)) == len(COLOURS)


def test_a_codec_of_several_runs_has_one_colour_and_a_marker_for_each():
    before, after, alone = styles_of("jpeg (before)", "jpeg (after)", "jpeg").values()
    assert before.colour == after.colour == alone.colour
    assert len({before.marker, after.marker, alone.marker}) == 3


@pytest.mark.parametrize(("labels", "columns"), [(5 * ["short"], 3), (4 * ["short"], 4), (3 * [23 * "W"], 1)])
def test_the_legend_has_as_many_columns_as_fit_and_the_figure_grows(labels, columns):
    with theme():
        figure, axes = column_figure(2.0)
        lines = [axes.plot([0, 1])[0] for _ in labels]
        legend_below(figure, lines, labels)
    assert figure.legends[0]._ncols == columns
    assert figure.get_figheight() > 2.1


def test_a_figure_is_written_by_the_ending_of_its_path(tmp_path):
    with theme():
        figure = new_figure(3, 2)
        figure.subplots().plot([1, 3, 2])
    save_figure(tmp_path / "a.png", figure)
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert image.size == (900, 600)
        assert np.asarray(image.convert("L")).std() > 5
    save_figure(tmp_path / "a.svg", figure)
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]


def test_another_ending_is_refused(tmp_path):
    with theme():
        figure = new_figure(3, 2)
    with pytest.raises(EvaluationError, match=r"a.gif.*\.png or \.svg"):
        save_figure(tmp_path / "a.gif", figure)
    assert not list(tmp_path.iterdir())


def test_heat_colours_rise_in_lightness_and_differ():
    colours = heat_colours(np.linspace(2, 6, 5), 2, 6)
    assert (colours.dtype, colours.shape) == (np.uint8, (5, 3))
    lightness = colours @ [0.3, 0.6, 0.1]
    assert np.all(np.diff(lightness) > 20)
    np.testing.assert_array_equal(heat_colours(np.array([1.0, 7.0]), 2, 6), colours[[0, -1]])
    assert heat_colours(np.zeros((2, 3)), 0, 0).shape == (2, 3, 3)


def test_without_matplotlib_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*keras-lic\[eval\]"), theme():
        pass
    with pytest.raises(ImportError, match=r"needs matplotlib.*keras-lic\[eval\]"):
        heat_colours(np.zeros(3), 0, 1)
