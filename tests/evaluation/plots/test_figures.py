import numpy as np
import pytest
from PIL import Image

from lic.errors import EvaluationError
from lic.evaluation.compare.comparison import compare
from lic.evaluation.compare.entries import entries_of
from lic.evaluation.plots.figures import DASHED, bd_rate_bars, limits, rate_distortion, speed
from lic.evaluation.plots.theme import WIDTH, save_figure, styles
from lic.evaluation.run.results import Results
from tests.evaluation.conftest import rows

PUBLISHED = ["vtm", "bpg444", "hzswq2021-reimplementation"]


@pytest.fixture
def among(results):
    return entries_of({"run": results}, PUBLISHED)[0]


@pytest.fixture
def figures(among):
    comparison = compare(among)
    return {
        "rate-distortion": rate_distortion(among, title="Title of the picture"),
        "bd-rate": bd_rate_bars(comparison, "Title of the picture"),
        "speed": speed(comparison, "Title of the picture"),
    }


def pixels(figure, path):
    save_figure(path, figure)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def near(image, colour):
    """Returns the share of pixels that have a colour."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.mean(np.abs(image.astype(int) - wanted).max(-1) < 24)


def test_pictures_are_not_blank_and_have_their_colours(figures, among, tmp_path):
    colours = [style.colour for name, style in styles(among).items() if not name.startswith("published:")]
    for name, figure in figures.items():
        image = pixels(figure, tmp_path / f"{name}.png")
        assert image.shape[1] == pytest.approx(300 * WIDTH, abs=2), name
        assert 0.02 < np.mean(image.min(-1) < 128) < 0.5, name
        assert image.std() > 25, name
        drawn = [colour for colour in colours if near(image, colour) > 0.0005]
        # The anchor has no bar, and the bar of a codec with one rate is paler.
        assert len(drawn) >= len(colours) - 2 * (name == "bd-rate"), name


def test_nothing_touches_the_edges(figures, tmp_path):
    for name, figure in figures.items():
        image = pixels(figure, tmp_path / f"{name}.png")
        for edge in (image[:2], image[-2:], image[:, :2], image[:, -2:]):
            assert edge.min() > 250, name


def test_svg_is_the_same_again_with_text_as_text(figures, among, tmp_path):
    texts = {
        "rate-distortion": [
            "Title of the picture",
            "Bits per pixel",
            "PSNR in dB",
            "better",
            "BPG 4:4:4",
            DASHED,
        ],
        "bd-rate": ["BD-rate in % against jpeg", "(negative: fewer bits at equal PSNR)", "\N{MINUS SIGN}20.0", "+10.0"],
        "speed": ["Seconds per megapixel", "decode", "encode", "single", "(one rate)"],
    }
    for name, figure in figures.items():
        save_figure(tmp_path / f"{name}.svg", figure)
        drawn = (tmp_path / f"{name}.svg").read_text()
        for text in texts[name]:
            assert text in drawn, (name, text)
        assert "<dc:date>" not in drawn
    save_figure(tmp_path / "again.svg", rate_distortion(among, title="Title of the picture"))
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "rate-distortion.svg").read_bytes()


def test_the_legend_is_below_the_axes(figures):
    for figure in figures.values():
        (legend,) = figure.legends
        assert legend.get_window_extent().y1 < figure.axes[0].get_window_extent().y0


def test_bars_are_sorted_and_one_rate_is_hatched(among):
    figure = bd_rate_bars(compare(among))
    bars = figure.axes[0].patches
    widths = [bar.get_width() for bar in bars]
    assert widths == sorted(widths, reverse=True)
    names = [text.get_text().replace("\n", " ") for text in figure.axes[0].get_yticklabels()]
    hatched = {name for name, bar in zip(names, bars) if bar.get_hatch()}
    assert hatched == {"single", "Checkerboard on ms2020, public TensorFlow code, one lambda"}
    assert "jpeg" not in names


def test_values_are_within_the_axes(figures):
    axes = figures["bd-rate"].axes[0]
    inside = axes.get_window_extent()
    for text in axes.texts:
        assert inside.x0 <= text.get_window_extent().x0
        assert text.get_window_extent().x1 <= inside.x1


@pytest.mark.parametrize("factors", [(0.8, 1.0), (1.0, 1.0), (1.1, 14.0), (0.9, 0.7)])
def test_values_stay_within_whatever_the_signs(factors):
    every = [row for number, factor in enumerate(factors) for row in rows(f"codec-{number}", factor)]
    figure = bd_rate_bars(compare(entries_of({"run": Results(rows("jpeg") + every)})[0]))
    inside = figure.axes[0].get_window_extent()
    for text in figure.axes[0].texts:
        assert "\N{MINUS SIGN}0.0" not in text.get_text()
        assert inside.x0 <= text.get_window_extent().x0
        assert text.get_window_extent().x1 <= inside.x1


def test_the_axis_of_rates_ends_with_the_runs(among):
    (left, right), (low, high) = limits(among)
    assert (left, right) == (0, pytest.approx(1.04 * 1.4 * 1.1))
    assert low < 28
    assert high < 48  # Published curves go up to 55 dB.
    assert limits(among, 0.5)[0] == (0, 0.5)
    assert limits(among, 0.5)[1][1] < 37
    with pytest.raises(EvaluationError, match=r"No curve has points below 0.01 bits per pixel"):
        limits(among, 0.01)
    with pytest.raises(EvaluationError, match="no curves"):
        limits([])


def test_a_comparison_without_figures_is_an_error(results):
    alone = compare(entries_of({"run": Results(rows("jpeg"))})[0])
    with pytest.raises(EvaluationError, match="No codec has a BD-rate against jpeg"):
        bd_rate_bars(alone)
    with pytest.raises(EvaluationError, match="No codec but the anchor has both a BD-rate and times"):
        speed(alone)
