import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from tests.conftest import random_images, shared_codec

IMAGE = random_images(40, 56, 3)


@pytest.mark.parametrize("entropy", ["factorized", "autoregressive", "quadtree"])
def test_every_number_is_in_one_part_and_their_bits_are_the_estimate(entropy):
    codec = shared_codec("conv", entropy, lmbda=(0.002, 0.02))
    parts = lic.inspect(codec, IMAGE, quality=1.5)
    side = parts.pop("side", None)
    assert tuple(parts) == codec.parts
    assert (sum(numbers.inside.astype(int) for numbers in parts.values()) == 1).all()
    bits = codec.estimate(IMAGE, quality=1.5)
    for name, numbers in parts.items():
        assert numbers.bits.shape == codec.analyse(IMAGE).shape
        np.testing.assert_allclose(numbers.bits.sum(), bits[name], rtol=1e-4)
        assert not numbers.bits[~numbers.inside].any()
        assert (numbers.scales[numbers.inside] > 0).all() == (entropy != "factorized")
    if side:
        np.testing.assert_allclose(side.bits.sum(), bits["side"], rtol=1e-4)


def test_symbols_are_those_of_the_stream():
    codec = shared_codec("conv", "autoregressive", lmbda=(0.002, 0.02))
    side, latent = lic.inspect(codec, IMAGE, quality=2).values()
    order = codec.model.entropy.order.steps(*latent.symbols.shape[:2]).places.numpy()
    flat = latent.symbols.reshape(-1, latent.symbols.shape[-1])[order]
    symbols = np.concatenate([side.symbols.ravel(), flat.ravel()])
    Stream.parse(codec.compress(IMAGE, quality=2)).check_symbols(symbols.astype("<i4").tobytes())


def test_a_model_in_place_of_a_codec_is_refused():
    with pytest.raises(ValueError, match="inspect: expected codec to be a lic.Codec"):
        lic.inspect(shared_codec("conv", "factorized").model, IMAGE)
