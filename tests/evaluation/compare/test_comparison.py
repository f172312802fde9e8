import json
import warnings

import pytest

from lic.errors import EvaluationError, RegistryError
from lic.evaluation.compare.comparison import ANCHOR, BEYOND, ONE_RATE, compare
from lic.evaluation.compare.entries import entries_of
from lic.evaluation.run.results import Results
from tests.evaluation.conftest import rows


def compared(results, anchor=None, published=(), measure="psnr", method="pchip"):
    """Returns the compared entries of a run and of published curves by name."""
    comparison = compare(entries_of({"run": results}, published, measure)[0], anchor, measure, method)
    assert (comparison.measure, comparison.method) == (measure, method)
    return {each.entry.name: each for each in comparison.compared}


@pytest.mark.parametrize("measure", ["psnr", "ms_ssim_db"])
@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
def test_rates_are_as_they_were_made(results, measure, method):
    row = compared(results, measure=measure, method=method)
    assert row["jpeg"].bd_rate == pytest.approx(0, abs=1e-6)
    assert row["jpeg"].note == ANCHOR
    assert row["better"].bd_rate == pytest.approx(-20, abs=1e-6)
    assert row["worse"].bd_rate == pytest.approx(10, abs=1e-6)
    assert row["better"].bd_decibels > 0 > row["worse"].bd_decibels
    assert row["better"].bd_rate_overlap == 1
    assert row["better"].note == ""
    entry = row["better"].entry
    assert (entry.encode_seconds, entry.decode_seconds) == (pytest.approx(10), pytest.approx(2))


def test_one_rate_has_no_bd_rate_but_the_change_at_its_point(results):
    single = compared(results)["single"]
    assert (single.bd_rate, single.bd_decibels, single.note) == (None, None, ONE_RATE)
    assert single.rate_at_point == pytest.approx(-30, abs=1e-6)
    assert single.decibels_at_point > 0
    assert single.rate == single.rate_at_point


def test_a_point_beyond_the_anchor_has_a_note():
    far = [row._replace(psnr=50.0) for row in rows("far", points=1)]
    row = compared(Results(rows("jpeg") + far))["far"]
    assert row.rate_at_point is None
    assert row.decibels_at_point > 10
    assert row.note == f"{ONE_RATE}; {BEYOND}"


def test_little_overlap_is_a_note_and_no_warning():
    high = [row._replace(psnr=row.psnr + 7) for row in rows("high", 0.9)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = compared(Results(rows("jpeg") + high))["high"]
    assert row.note == "little overlap"
    assert row.bd_rate_overlap == pytest.approx(2.5 / 9.5)


def test_a_difference_that_does_not_exist_is_a_note_and_the_rest_goes_on():
    results = Results([row._replace(psnr=row.psnr + 20) for row in rows("high")] + rows("jpeg") + rows("short", 1.1, 3))
    row = compared(results)
    assert row["high"].bd_rate is None
    assert row["high"].bd_decibels == pytest.approx(20)
    assert "no range in common" in row["high"].note
    assert compared(results)["short"].bd_rate == pytest.approx(10, abs=1)
    assert "expected points at 4 rates or more for cubic" in compared(results, method="cubic")["short"].note


def test_a_published_anchor_is_a_row_too(results):
    rows_by_name = compared(results, "vtm", ["bpg444"])
    assert list(rows_by_name)[-2:] == ["published:bpg444", "published:vtm"]
    assert rows_by_name["published:bpg444"].bd_rate > 15
    assert rows_by_name["published:vtm"].note == ANCHOR
    assert rows_by_name["published:vtm"].entry.encode_seconds is None


def test_without_jpeg_an_anchor_must_be_named():
    results = Results(rows("a") + rows("b", 1.1))
    with pytest.raises(EvaluationError, match="No run has jpeg. Name an anchor: a, b, or a published curve"):
        compared(results)
    assert compared(results, "a")["b"].bd_rate == pytest.approx(10, abs=1e-6)


def test_jpeg_of_several_runs_is_the_anchor_only_if_it_is_the_same():
    runs = {"a": Results(rows("jpeg") + rows("x")), "b": Results(rows("jpeg") + rows("y", 1.1))}
    assert compare(entries_of(runs)[0]).anchor.name == "jpeg (a)"
    runs["b"] = Results(rows("jpeg", 1.2) + rows("y", 1.1))
    with pytest.raises(RegistryError, match="Several runs have 'jpeg' with different points"):
        compare(entries_of(runs)[0])


def test_an_anchor_needs_a_curve_of_the_measure(results):
    with pytest.raises(EvaluationError, match="single: expected points at 2 rates or more for pchip. Received: 1"):
        compared(results, "single")
    with pytest.raises(EvaluationError, match="published:vtm has PSNR only"):
        compared(results, "vtm", measure="ms_ssim_db")
    with pytest.raises(RegistryError, match="Did you mean 'better'"):
        compared(results, "bettr")


def test_as_data_is_plain_json(results):
    comparison = compare(entries_of({"run": results})[0])
    data = json.loads(json.dumps(comparison.as_data(), allow_nan=False))
    assert (data["anchor"], data["source"], data["measure"], data["method"]) == ("jpeg", "made up", "psnr", "pchip")
    assert data["rows"][1]["codec"] == "better"
    assert data["rows"][1]["bd_rate"] == pytest.approx(-20, abs=1e-6)
    assert data["rows"][1]["encode_seconds"] == pytest.approx(10)


@pytest.mark.parametrize("wrong", [{"measure": "ssim"}, {"method": "linear"}])
def test_a_measure_or_method_that_does_not_exist_is_an_error(results, wrong):
    with pytest.raises(EvaluationError, match=f"Received: '{next(iter(wrong.values()))}'"):
        compare(entries_of({"run": results})[0], **wrong)
