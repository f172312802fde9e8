import sys

import matplotlib
import pytest

from lic.evaluation.style import COLOURS, DASHES, legend_below, look, new_figure, save, styles


def drawn(path, title="A title"):
    """The bytes of a small picture."""
    with look():
        figure, axes = new_figure(2.0, title)
        axes.plot([0, 1], [1, 2])
    save(figure, path)
    return path.read_bytes()


def test_the_users_own_settings_change_nothing_and_stay(tmp_path):
    before = drawn(tmp_path / "before.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert drawn(tmp_path / "after.png") == before
        assert matplotlib.rcParams["font.size"] == 20


def test_another_title_is_another_picture(tmp_path):
    assert drawn(tmp_path / "a.png") != drawn(tmp_path / "b.png", "Another title")


def test_styles_differ_and_published_curves_are_dashed_and_hollow():
    names = ["published:vtm", *map(str, range(12)), "published:bpg444"]
    of = styles(names)
    assert len(set(of.values())) == len(names)
    assert [of[str(number)].colour for number in range(7)] == list(COLOURS)
    assert {of[name].dash for name in names[1:-1]} == {"solid"}
    assert (of["published:vtm"].dash, of["published:bpg444"].dash) == DASHES[:2]
    assert (of["published:vtm"].fill, of["0"].fill) == ("white", COLOURS[0])


@pytest.mark.parametrize(("labels", "columns"), [(5 * ["short"], 3), (4 * ["short"], 4), (3 * [23 * "W"], 1)])
def test_the_legend_has_as_many_columns_as_fit_and_the_figure_grows(labels, columns):
    with look():
        figure, axes = new_figure(2.0)
        lines = [axes.plot([0, 1])[0] for _ in labels]
        legend_below(figure, lines, labels)
    assert figure.legends[0]._ncols == columns
    assert figure.get_figheight() > 2.1


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"Install `keras-lic\[eval\]`"), look():
        pass
