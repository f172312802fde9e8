import re
import sys

import pytest

from lic.evaluation.compare.entries import entries_of
from lic.evaluation.plots.curves_page import curves_page_figure, write_curves_page


@pytest.fixture
def groups(results):
    return {
        "psnr": entries_of({"run": results}, ["vtm"])[0],
        "ms_ssim_db": entries_of({"run": results}, measure="ms_ssim_db")[0],
    }


def test_the_page_needs_no_network(groups, tmp_path):
    write_curves_page(tmp_path / "page.html", groups, "A <b>title</b>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>A &lt;b&gt;title&lt;/b&gt;</title>" in page
    assert "Plotly.newPlot" in page
    assert len(page) > 1_000_000  # plotly.js itself is inside.
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    write_curves_page(tmp_path / "again.html", groups, "A <b>title</b>")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_points_show_codec_quality_rate_and_decibels(groups):
    figure = curves_page_figure(groups)
    jpeg, vtm = figure.data[0], figure.data[4]
    assert (jpeg.name, jpeg.mode, jpeg.text[1]) == ("jpeg", "lines+markers", "quality 1<br>")
    assert "<b>jpeg</b>" in jpeg.hovertemplate
    assert "bpp" in jpeg.hovertemplate
    assert "dB" in jpeg.hovertemplate
    assert vtm.name == "VTM 4:4:4 (VVC intra)"
    assert "CompressAI" in vtm.text[0]
    assert figure.data[3].mode == "markers"


def test_each_codec_is_once_in_the_legend_and_alike_in_both_measures(groups):
    traces = curves_page_figure(groups).data
    assert [trace.showlegend for trace in traces] == 5 * [True] + 4 * [False]
    assert [trace.line.color for trace in traces[:4]] == [trace.line.color for trace in traces[5:]]
    assert [trace.yaxis for trace in traces] == 5 * ["y"] + 4 * ["y2"]


def test_without_plotly_the_error_names_the_package(groups, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.subplots", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-lic\[eval\]'"):
        curves_page_figure(groups)
