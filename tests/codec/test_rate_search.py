import pytest

from lic.codec.rate_search import STEP, highest_quality, refine_to_size
from lic.errors import LicError


class Encoder:
    """Makes streams whose size a function of the quality gives, and counts them."""

    def __init__(self, size):
        self.size, self.asked = size, []

    def __call__(self, quality):
        self.asked.append(quality)
        return b"x" * self.size(quality)


@pytest.mark.parametrize("max_bytes", [100, 101, 250, 399, 799, 800, 10_000])
def test_the_highest_quality_that_fits_is_found(max_bytes):
    encode = Encoder(lambda quality: int(100 * quality))
    quality, stream = highest_quality(encode, (1, 2, 3, 4, 5, 6, 7, 8), max_bytes)
    assert stream == encode(quality)
    assert len(stream) <= max_bytes
    assert quality == 8 or len(encode(quality + STEP)) > max_bytes


def test_some_ten_streams_are_made():
    encode = Encoder(lambda quality: int(100 * quality))
    highest_quality(encode, range(1, 9), 512)
    assert len(encode.asked) <= 12
    assert all(1 <= quality <= 8 and quality * 256 == round(quality * 256) for quality in encode.asked)


def test_a_stream_that_fits_is_found_although_sizes_do_not_rise():
    encode = Encoder(lambda quality: int(100 * quality) + 37 * (round(quality * 256) % 3))
    for max_bytes in range(140, 330, 7):
        assert len(highest_quality(encode, (1, 2, 3), max_bytes)[1]) <= max_bytes


def test_the_lowest_quality_may_be_the_only_one_that_fits():
    assert highest_quality(Encoder(lambda quality: 10 if quality == 1 else 99), (1, 2), 50) == (1, b"x" * 10)


@pytest.mark.parametrize("max_bytes", [-1, 0, 99])
def test_an_impossible_size_is_refused_with_the_least_possible(max_bytes):
    with pytest.raises(LicError, match=f"takes 100 bytes at the lowest quality, more than the {max_bytes} "):
        highest_quality(Encoder(lambda quality: int(100 * quality)), (1, 2), max_bytes)


def test_bytes_that_refinement_saves_are_spent_on_quality():
    encode = Encoder(lambda quality: int(1000 * quality))
    known = highest_quality(encode, (1, 2, 3), 2000)
    refined = refine_to_size(
        encode, lambda quality, stream, progress: stream[: len(stream) * 9 // 10], (1, 2, 3), 2000, *known
    )
    assert 1980 < len(refined) <= 2000


def test_one_quality_is_refined_once_where_no_higher_one_is_possible():
    encode, refined, shares = Encoder(lambda quality: int(100 * quality)), [], []

    def refine(quality, stream, progress):
        refined.append(quality)
        return stream[:-1]

    known = highest_quality(encode, (1, 2), 500)
    assert len(refine_to_size(encode, refine, (1, 2), 500, *known, progress=shares.append)) == 199
    assert refined == [2]
    assert shares[-1] == 1.0


def test_a_stream_that_fits_is_refined_although_the_lowest_quality_takes_more():
    encode = Encoder(lambda quality: 1005 if quality == 1 else 1000 if quality == 1.5 else 1100)
    refined = refine_to_size(encode, lambda quality, stream, progress: stream[:-1], (1, 2), 1005, 1.5, encode(1.5))
    assert len(refined) == 999


def test_a_refinement_that_saves_nothing_is_not_taken():
    encode = Encoder(lambda quality: int(100 * quality))
    known = highest_quality(encode, range(1, 9), 400)
    assert refine_to_size(encode, lambda _, stream, progress: stream + b"x", range(1, 9), 400, *known) == known[1]
