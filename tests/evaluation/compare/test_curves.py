import math
import sys

import numpy as np
import pytest

from lic.errors import EvaluationError, RegistryError
from lic.evaluation.compare.curves import (
    Curve,
    bd_psnr,
    bd_rate,
    measured_curve,
    point_difference,
    published_curve,
    published_curves,
)
from lic.evaluation.run.results import Results
from tests.evaluation.conftest import rows

RATES, DECIBELS = (0.1, 0.25, 0.5, 0.9, 1.4), (28.0, 31.0, 33.5, 35.8, 37.5)
CURVE = Curve("codec", RATES, DECIBELS)


@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
def test_a_curve_is_no_better_than_itself(method):
    rate = bd_rate(CURVE, CURVE, method)
    assert (rate.value, rate.method, rate.overlap) == (pytest.approx(0, abs=1e-9), method, 1)
    assert bd_psnr(CURVE, CURVE, method).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
@pytest.mark.parametrize("percent", [10, -35])
def test_more_bits_at_each_point_are_so_many_percent(method, percent):
    other = CURVE._replace(bpp=tuple(rate * (1 + percent / 100) for rate in RATES))
    assert bd_rate(CURVE, other, method).value == pytest.approx(percent, abs=1e-6)


def test_half_a_decibel_at_each_point_is_half_a_decibel():
    other = CURVE._replace(decibels=tuple(each + 0.5 for each in DECIBELS))
    assert bd_psnr(CURVE, other).value == pytest.approx(0.5, abs=1e-9)


def test_the_order_and_number_of_points_do_not_matter():
    reverse = Curve("codec", RATES[::-1], DECIBELS[::-1])
    assert bd_rate(CURVE, reverse).value == pytest.approx(0, abs=1e-9)
    middle = Curve("codec", RATES[:1] + RATES[2:], DECIBELS[:1] + DECIBELS[2:])
    assert abs(bd_rate(CURVE, middle).value) < 2


def test_little_overlap_is_a_warning_with_the_share():
    other = Curve("other", (1.2, 2.0, 3.0), (37.0, 40.0, 42.0))
    with pytest.warns(UserWarning, match="other and codec share only 10% of their range"):
        assert bd_rate(CURVE, other).overlap == pytest.approx(0.1)


def test_no_overlap_is_an_error():
    with pytest.raises(EvaluationError, match="other and codec have no range in common"):
        bd_rate(CURVE, Curve("other", (2.0, 3.0), (40.0, 42.0)))


def test_too_few_points_are_an_error():
    with pytest.raises(EvaluationError, match="one: expected points at 2 rates or more for pchip. Received: 1"):
        bd_rate(CURVE, Curve("one", (0.5,), (33.0,)))
    with pytest.raises(EvaluationError, match="expected points at 4 rates or more for cubic"):
        bd_rate(CURVE, Curve("three", RATES[:3], DECIBELS[:3]), "cubic")


def test_rates_of_zero_and_a_point_of_two_are_errors():
    with pytest.raises(EvaluationError, match="codec: expected rates over 0. Received: 0.0 bpp"):
        bd_rate(CURVE._replace(bpp=(0.0, *RATES[1:])), CURVE)
    with pytest.raises(EvaluationError, match="codec: expected a single point. Received: 5"):
        point_difference(CURVE, CURVE)


def test_decibels_that_fall_are_an_error():
    falling = Curve("bumpy", RATES, (*DECIBELS[:3], 33.4, 37.5))
    for difference in (bd_rate, bd_psnr):
        with pytest.raises(
            EvaluationError, match="bumpy: expected decibels that rise.*33.500 dB at 0.5000 bpp, 33.400 dB"
        ):
            difference(CURVE, falling)
    with pytest.raises(EvaluationError, match="twice: expected decibels that rise"):
        bd_rate(CURVE, Curve("twice", (0.1, 0.5, 0.5), (28.0, 33.0, 33.5)))


@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
def test_a_point_is_as_far_as_it_was_moved(method):
    # Decibels are linear in the logarithm of rate, so that every method interpolates exactly.
    rates = np.geomspace(0.1, 1.6, 5)
    anchor = Curve("anchor", tuple(rates), tuple(30 + 6 * np.log2(rates)))
    rate, decibels = point_difference(anchor, Curve("point", (0.33 * 0.8,), (30 + 6 * np.log2(0.33),)), method)
    assert rate == pytest.approx(-20, abs=1e-6)
    assert decibels == pytest.approx(6 * np.log2(1 / 0.8), abs=1e-6)


def test_a_point_beyond_the_anchor_is_not_extrapolated():
    assert point_difference(CURVE, Curve("fine", (1.0,), (39.0,))).rate is None
    assert point_difference(CURVE, Curve("fine", (1.0,), (39.0,))).decibels > 2
    assert point_difference(CURVE, Curve("coarse", (0.05,), (28.5,))).decibels is None
    assert point_difference(CURVE, Curve("coarse", (0.05,), (28.5,))).rate < -50
    with pytest.raises(EvaluationError, match="one: expected points at 2 rates or more"):
        point_difference(Curve("one", (0.5,), (33.0,)), CURVE._replace(bpp=(0.5,), decibels=(33.0,)))


def test_without_bjontegaard_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "bjontegaard", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-lic\[eval\]'"):
        bd_rate(CURVE, CURVE)


def test_published_curves_rise_and_have_sources():
    curves = published_curves()
    assert {"bpg444", "vtm", "jpeg420", "ms2020", "mbt2018-mean"} <= curves.keys()
    for name, curve in curves.items():
        assert curve.source, name
        assert len(curve.bpp) == len(curve.decibels), name
        assert np.all(np.diff(np.array(curve.decibels)[np.argsort(curve.bpp)]) > -0.2), name
        assert all(math.isfinite(value) for value in curve.bpp + curve.decibels), name


def test_published_curves_differ_as_the_papers_report():
    rate = bd_rate(published_curve("bpg444"), published_curve("mbt2018-mean")).value
    assert rate == pytest.approx(-3, abs=2)
    assert bd_rate(published_curve("bpg444"), published_curve("vtm")).value < -15


def test_an_unknown_published_curve_is_an_error_with_similar_names():
    with pytest.raises(RegistryError, match="no published curve named 'bpg44'. Did you mean 'bpg444'"):
        published_curve("bpg44")


def test_measured_curves_rise_in_rate_and_have_their_settings(results):
    curve = measured_curve(Results(reversed(results.rows), (), results.facts), "jpeg")
    assert curve == ("jpeg", RATES, DECIBELS, "made up")
    assert measured_curve(results, "better", "ms_ssim_db").decibels == tuple(each - 16 for each in DECIBELS)


def test_a_measured_curve_that_does_not_exist_is_an_error(results):
    with pytest.raises(EvaluationError, match="no codec named 'c'"):
        measured_curve(results, "c")
    with pytest.raises(EvaluationError, match="no ms_ssim_db for a"):
        measured_curve(Results(rows("a", similarity=False)), "a", "ms_ssim_db")
    with pytest.raises(EvaluationError, match="psnr or ms_ssim_db. Received: 'ssim'"):
        measured_curve(results, "jpeg", "ssim")


def test_an_unknown_interpolation_is_an_error():
    with pytest.raises(EvaluationError, match="pchip, akima, cubic. Received: 'linear'"):
        bd_rate(CURVE, CURVE, "linear")
