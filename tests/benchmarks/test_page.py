"""The pages: the content of the committed ones, and the pages of given results."""

import pytest

from tests.benchmarks.conftest import BENCHMARKS, result, write_rows
from tests.benchmarks.test_rates import evaluation

HEADLINE = {"model": "ms2020 over hzswq2021", "unit": "ratio", "median": "2.5"}


@pytest.fixture
def folder(load, tmp_path):
    """Results of every kind."""
    rows = [result(), result(**HEADLINE)]
    rows += [result(quantity="codec peak memory", unit="GiB", size=f"{side}x{side}") for side in (256, 512)]
    write_rows(tmp_path / "machine.csv", rows, load("results").COLUMNS)
    peer = result(model="mbt2018-mean", peer="mbt2018-mean", quantity="compress")
    sides = [
        peer | {"code": "lic 0.1.0", "median": "4"},
        peer | {"code": "CompressAI 1.2.8, PyTorch 2.9", "median": "1"},
    ]
    write_rows(tmp_path / "peers" / "machine.csv", sides, load("peers.pairs").PEER_COLUMNS)
    evaluation(tmp_path / "kodak", [(2.0**-0.5, 27.0)])
    return tmp_path


def test_committed_pages_equal_the_output_of_the_command(load):
    for path, text in load("page").pages().items():
        assert path.read_text() == text, f"{path}: run `make results`"


def test_there_are_results_on_the_committed_page(load):
    assert load("page").measurements(BENCHMARKS / "results")
    assert "### " in load("page").page(BENCHMARKS / "results")


def test_weights_that_shipped_earlier_are_on_no_page(load, tmp_path):
    rows = [result(weights=weights) for weights in ("fresh", "shipped", "shipped 00000000")]
    rows.append(result(weights=load("tasks").shipped_weights("default")))
    write_rows(tmp_path / "machine.csv", rows, load("results").COLUMNS)
    shown = load("page").measurements(tmp_path)
    assert [row["weights"] for row in shown] == [rows[0]["weights"], rows[3]["weights"]]


def test_without_results_the_section_is_absent(load, tmp_path):
    assert load("page").summary(tmp_path) == ""
    assert load("page").page(tmp_path) == ""


def test_the_readme_has_rates_and_peers(load, folder):
    text = load("page").summary(folder)
    assert text.startswith(
        "## Results\n\n**Bits at equal PSNR** (BD-rate: negative is fewer bits), over 1 image of kodak"
    )
    assert "| default | jpeg | +2.00 |" in text
    assert "Some CPU, 2 cores; lic 0.1.0; CompressAI 1.2.8, PyTorch 2.9:" in text
    assert "| mbt2018-mean | 0.25 (slower) |" in text


def test_the_page_has_tables_peers_and_the_plot(load, folder):
    page = load("page")
    assert "size.svg" not in page.page(folder)
    page.draw(folder)
    assert (folder / "size.svg").read_text().count("<svg") == 1
    text = page.page(folder)
    assert f"]({folder.name}/size.svg)" in text
    assert "**Codecs over the size of the image**" in text
    assert "takes 2.5 times as long as hzswq2021, a checkerboard, to decompress 768x512. The published" in text
    assert "**Rate and distortion**, means over 1 image of kodak" in text
    assert "**lic 0.1.0 and CompressAI 1.2.8, PyTorch 2.9**, with the same random weights, Some CPU, 2 cores" in text
    assert "lic is slower in: compress of mbt2018-mean." in text


def test_the_plot_goes_with_its_results(load, folder):
    page = load("page")
    page.draw(folder)
    (folder / "machine.csv").unlink()
    page.draw(folder)
    assert not (folder / "size.svg").exists()


def test_check_names_the_page_that_differs(load, capsys, monkeypatch):
    page = load("page")
    page.main(["--check"])
    monkeypatch.setattr(page, "summary", lambda folder: "other")
    with pytest.raises(SystemExit, match="2"):
        page.main(["--check"])
    assert capsys.readouterr().err == "page: README.md does not hold the results. Run `make results`.\n"
