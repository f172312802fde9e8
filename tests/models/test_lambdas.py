import itertools

import pytest

import lic
from lic.models.lambdas import beta_of_lmbda, lmbda_of_beta


@pytest.mark.parametrize("distortion", ["mse", "ms-ssim"])
def test_a_lmbda_for_each_of_eight_qualities_rises(distortion):
    lmbdas = lic.LAMBDAS[distortion]
    assert len(lmbdas) == 8
    assert all(low < high for low, high in itertools.pairwise(lmbdas))


def test_the_published_beta_is_the_lmbda_that_the_two_losses_give():
    bpp, mse, pixels = 0.7, 40.0, 256**2
    beta = 0.0003
    assert (mse + beta * bpp * pixels) / (beta * pixels) == pytest.approx(bpp + lmbda_of_beta(beta, 256) * mse)
    assert lmbda_of_beta(beta, 256) == pytest.approx(0.0509, abs=5e-5)


@pytest.mark.parametrize("patch", [64, 256])
def test_there_and_back(patch):
    assert beta_of_lmbda(lmbda_of_beta(0.0003, patch), patch) == pytest.approx(0.0003)


@pytest.mark.parametrize(
    ("convert", "arguments", "message"),
    [
        (lmbda_of_beta, (0, 256), "lmbda_of_beta: expected beta over 0. Received: beta=0"),
        (lmbda_of_beta, (0.1, -1), "lmbda_of_beta: expected patch over 0. Received: patch=-1"),
        (beta_of_lmbda, (float("nan"), 256), "beta_of_lmbda: expected lmbda over 0. Received: lmbda=nan"),
    ],
)
def test_numbers_that_are_not_positive_are_refused(convert, arguments, message):
    with pytest.raises(ValueError, match=message):
        convert(*arguments)
