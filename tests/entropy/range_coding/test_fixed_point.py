"""The constants of mixtures in whole numbers: near floats, and the same in every environment."""

import math
import zlib

import numpy as np

from lic.entropy.distributions import ScaleTable
from lic.entropy.range_coding.fixed_point import exponentials, normal_cdf, reaches, slopes

SCALES = ScaleTable()[:3]


def test_the_distribution_function_is_that_of_math():
    values = (np.arange(len(normal_cdf())) - 1024) / 128
    expected = [0.5 * math.erfc(-value * 0.5**0.5) * 2**24 for value in values]
    np.testing.assert_allclose(normal_cdf(), expected, atol=0.5 + 1e-6)
    assert normal_cdf()[[0, 1024, -1]].tolist() == [0, 2**23, 2**24]


def test_exponentials_slopes_and_reaches_are_those_of_floats():
    np.testing.assert_allclose(exponentials(512, 32, 20), np.exp(-np.arange(512) / 32) * 2**20, atol=0.5 + 1e-6)
    scales = np.array(ScaleTable().scales())
    np.testing.assert_allclose(slopes(*SCALES), 128 * 2**12 / scales, atol=0.5 + 1e-6)
    np.testing.assert_allclose(reaches(*SCALES), 4.5 * 256 * scales, atol=0.5 + 1e-6)


def test_extreme_scales_stay_within_int32():
    assert slopes(2, 1e-9, 1e9).tolist() == [1 << 30, 0]
    assert reaches(2, 1e-9, 1e9).tolist() == [0, 1 << 24]


def test_they_are_the_same_in_every_environment():
    arrays = normal_cdf(), exponentials(512, 32, 20), slopes(*SCALES), reaches(*SCALES)
    assert [zlib.crc32(array.astype("<i8").tobytes()) for array in arrays] == CHECKSUMS


CHECKSUMS = [2396816290, 2561286589, 2777869225, 1434528823]
