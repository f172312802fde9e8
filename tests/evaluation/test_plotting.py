import sys

import numpy as np
import pytest
from PIL import Image

from lic.errors import ImageError
from lic.evaluation.plotting import in_colours, new_figure, write_figure


def _figure():
    figure = new_figure(3, 2)
    figure.subplots().plot([1, 3, 2])
    return figure


def test_a_figure_is_written_by_its_ending(tmp_path):
    write_figure(tmp_path / "a.png", _figure())
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("L")).std() > 5
    write_figure(tmp_path / "a.svg", _figure())
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"a.gif.*\.png or \.svg"):
        write_figure(tmp_path / "a.gif", _figure())
    assert not list(tmp_path.iterdir())


def test_colours_rise_in_lightness_and_are_told_apart():
    colours = in_colours(np.linspace(2, 6, 5), 2, 6)
    assert (colours.dtype, colours.shape) == (np.uint8, (5, 3))
    lightness = colours @ [0.3, 0.6, 0.1]
    assert np.all(np.diff(lightness) > 20)
    np.testing.assert_array_equal(in_colours(np.array([1.0, 7.0]), 2, 6), colours[[0, -1]])
    assert in_colours(np.zeros((2, 3)), 0, 0).shape == (2, 3, 3)


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (lambda: new_figure(1, 1), lambda: in_colours(np.zeros(3), 0, 1)):
        with pytest.raises(ImportError, match=r"needs matplotlib.*keras-lic\[eval\]"):
            draw()
