from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pytest

import lic
from lic.argument_types import Count, CountOrZero, check_argument
from lic.layers import Convolution
from lic.transforms import ConvTransform, KLTTransform


class Range(NamedTuple):
    low: float
    high: float = 2.0


RIGHT = [
    (Count, [1, 8.0, np.int64(3), np.float32(4)]),
    (CountOrZero, [0, 1]),
    (int, [-1, 0, np.uint8(3)]),
    (float, [1, 0.5, np.float64(2), float("inf")]),
    (bool, [True, np.bool_(False)]),
    (str, ["a"]),
    (str | None, ["a", None]),
    (Literal["a", "b", 3], ["a", 3]),
    (Sequence[Count], [(1, 2), [3.0], np.array([4, 5]), ()]),
    (Sequence[Count] | Sequence[Sequence[Count]], [(1, 2), ((1, 2), (3, 4))]),
    (Count | Sequence[Count], [3, (3, 4)]),
    (tuple[Count, float], [(1, 0.5), [1, 2]]),
    (tuple[Count, ...], [(), (1,), (1, 2)]),
    (Range, [(1,), (1, 2), Range(0)]),
    (object, [object()]),
    ("NoSuchName", [3]),
]
WRONG = [
    (Count, [0, -1, 12.5, "8", None, True, float("nan"), float("inf"), [1]], "a whole number of at least 1"),
    (CountOrZero, [-1, 0.5], "a whole number of at least 0"),
    (int, ["8", None, 0.5, False], "a whole number"),
    (float, ["1", None, True, 1j], "a number"),
    (bool, [1, "yes", None], "True or False"),
    (str, [1, None, b"a"], "a string"),
    (str | None, [1], "a string or None"),
    (Literal["a", "b"], ["c", 1, None], "one of 'a', 'b'"),
    (
        Sequence[Count],
        [3, "12", (1, 0), (1, "2"), None, {1, 2}, frozenset({3}), {1: 2}],
        "a sequence whose items are each a whole number of at least 1",
    ),
    (tuple[Count, Count], [(1,), (1, 2, 3), (1, 0), 1], "2 values, each a whole number of at least 1"),
    (Range, [1, (1, 2, 3)], "Range"),
]


@pytest.mark.parametrize(("hint", "values"), RIGHT)
def test_values_of_the_type_are_taken(hint, values):
    for value in values:
        check_argument("Part", "size", value, hint)


@pytest.mark.parametrize(("hint", "values", "described"), WRONG)
def test_other_values_are_refused_with_the_type_in_words(hint, values, described):
    for value in values:
        with pytest.raises(ValueError, match="Part: expected size to be ") as caught:
            check_argument("Part", "size", value, hint)
        assert str(caught.value) == f"Part: expected size to be {described}. Received: size={value!r}."


@pytest.mark.parametrize("value", ["8", 0, -1, 12.5, None])
@pytest.mark.parametrize(
    ("maker", "argument"),
    [
        (ConvTransform, "width"),
        (KLTTransform, "latent_depth"),
        (lambda **sizes: Convolution(**{"filters": 4, "kernel_size": 3} | sizes), "filters"),
        (lambda **sizes: Convolution(**{"filters": 4, "kernel_size": 3} | sizes), "kernel_size"),
        (lambda **sizes: lic.create_model(transform="conv", entropy="charm", **sizes), "num_slices"),
    ],
)
def test_wrong_sizes_are_refused_when_a_part_is_made(maker, argument, value):
    with pytest.raises(
        ValueError, match=f"expected {argument} to be a whole number of at least 1.*Received: {argument}="
    ):
        maker(**{argument: value})


def test_numbers_of_numpy_are_taken_and_kept_as_numbers():
    model = lic.create_model(
        transform="klt", entropy="checkerboard", width=np.int64(8), latent_depth=12.0, residual=np.bool_(True)
    )
    assert (model.transform.depth, type(model.transform.depth)) == (12, int)
    codec = lic.Codec(model)
    image = np.zeros((32, 32, 3), np.uint8)
    assert codec.decompress(codec.compress(image)).shape == image.shape


@pytest.mark.parametrize("channels", [0, 4097, 2.5])
def test_a_number_beyond_its_bounds_is_refused(channels):
    with pytest.raises(
        ValueError, match=f"expected channels to be a whole number from 1 to 4096. Received: .*{channels}"
    ):
        lic.transforms.ConvTransform(channels=channels)
