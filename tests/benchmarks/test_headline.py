import pytest

from tests.benchmarks.conftest import result


def rows(rate_after="102", **changes):
    slow = result(model="ms2020", median="6", least="5", most="8", repeats="5", rate_before="98")
    return [
        slow,
        result(model="hzswq2021", median="2", least="1", most="4", repeats="3", rate_after=rate_after, **changes),
    ]


def test_it_is_the_ratio_of_both_decompression_times(load):
    (row,) = load("headline").headlines([*rows(), result(model="ms2020", quantity="compress")])
    assert (row["model"], row["quantity"], row["unit"]) == ("ms2020 over hzswq2021", "decompress", "ratio")
    assert [row[name] for name in ("median", "least", "most", "repeats")] == ["3", "1.25", "8", "3"]
    assert (row["rate_before"], row["rate_after"]) == ("98", "102")


def test_its_rates_are_those_before_the_first_and_after_the_last(load):
    (row,) = load("headline").headlines(rows()[::-1])
    assert (row["rate_before"], row["rate_after"]) == ("100", "100")


def test_an_unsteady_machine_is_marked(load):
    headline = load("headline")
    sentence = headline.sentence(headline.headlines(rows(rate_after="130"))[0])
    assert (
        "takes 3 times as long as hzswq2021, a checkerboard, to decompress 768x512, on an unsteady machine. "
        in sentence
    )


@pytest.mark.parametrize("changes", [{"size": "64x64"}, {"weights": "imported"}, {"precision": "bfloat16"}])
def test_it_is_of_results_that_are_alike(load, changes):
    assert load("headline").headlines(rows(**changes)) == []


def test_without_both_there_is_none(load):
    assert load("headline").headlines(rows()[:1]) == []
    assert load("headline").headlines([]) == []


def test_it_stands_beside_the_figures_of_others(load):
    headline = load("headline")
    assert headline.published_here() == pytest.approx(2.67 / 0.87)
    sentence = headline.sentence(headline.headlines(rows())[0])
    assert sentence.startswith("ms2020, ten slices one after the other, takes 3 times as long as hzswq2021, a")
    assert "checkerboard, to decompress 768x512. The" in sentence
    assert "1.88 on an A100" in sentence
    assert sentence.endswith("3.1 (baseline.csv)")
