import functools
import itertools

import numpy as np
import pytest

import lic
from lic.entropy import FactorizedPrior, channels
from lic.entropy.coders import Decode, Encode, Preview, part_names
from lic.environment import tf
from lic.layers import Convolution
from lic.transforms import ConvHyperTransform
from tests.conftest import ENTROPY_MODELS, FEW_ENTROPY_MODELS, VARIANTS, moved_model, set_seeds, slow_but, tiny_model


def test_every_registered_name_is_tested_here():
    assert lic.list_entropy_models() == ENTROPY_MODELS


@pytest.fixture(params=slow_but([*ENTROPY_MODELS, *VARIANTS], *FEW_ENTROPY_MODELS))
def model(request):
    """Returns a tiny model whose entropy model's weights are moved off their start, so that no network is zero."""
    return moved_model(request.param)


def coded(entropy, *size):
    """Returns a latent, its string and the tables."""
    latent, tables = tf.random.normal((1, *size, entropy.latent_depth), stddev=5.0), entropy.make_tables()
    entropy.walk(coder := Encode(latent, tables))
    return latent, coder.finish()[0], tables


def preview(entropy, string, tables, latent, parts):
    coder = Preview(string, tf.zeros_like(latent), tables, parts)
    return entropy.walk(coder).numpy(), coder.finish()[0].numpy()


@pytest.mark.parametrize("size", [(1, 1), (3, 7)])
def test_symbols_of_fewer_parts_are_the_first_ones_and_all_parts_are_the_ordinary_decode(model, size):
    entropy = model.entropy
    latent, string, tables = coded(entropy, *size)
    count = len(part_names(entropy))
    read = [preview(entropy, string, tables, latent, parts) for parts in (*range(count + 1), 99)]
    for (_, fewer), (_, more) in itertools.pairwise(read):
        np.testing.assert_array_equal(fewer, more[: len(fewer)])
    assert len(read[-1][1]) - len(read[0][1]) == latent.shape.num_elements()
    coder = Decode(string, tf.zeros_like(latent), tables)
    expected = entropy.walk(coder).numpy(), coder.finish()[0].numpy()
    for found in read[-2:]:
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


@functools.cache
def _charm():
    entropy = tiny_model("conv", "charm", residual=False).entropy
    entropy(tf.zeros((1, 4, 4, entropy.latent_depth)))
    for variable in entropy.trainable_variables:
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    set_seeds(0)  # The test draws the same numbers, no matter which test made the model.
    return entropy


@pytest.mark.parametrize("parts", range(6))
def test_charm_is_a_walk_by_hand(parts):
    entropy = _charm()
    latent, string, tables = coded(entropy, 3, 5)
    found, _ = preview(entropy, string, tables, latent, parts)
    whole = entropy.walk(Decode(string, tf.zeros_like(latent), tables))
    coder = Decode(string, tf.zeros_like(latent), tables)
    features, slices = coder.side(entropy.hyper, entropy.prior), []
    for number, networks in enumerate(entropy.slices):
        support = tf.concat([features, *slices[: entropy.max_support]], -1)
        known = whole[..., slice(*networks.part)]
        slices.append(known if number < parts else networks.mean(support))
    np.testing.assert_allclose(found, tf.concat(slices, -1), atol=1e-5)


def test_a_factorized_prior_gives_its_median():
    entropy = tiny_model("conv", "factorized").entropy
    entropy.prior.biases[-1].assign(entropy.prior.biases[-1] - 3.0)
    latent, string, tables = coded(entropy, 4, 3)
    found, symbols = preview(entropy, string, tables, latent, 0)
    assert symbols.shape == (0,)
    np.testing.assert_array_equal(found, np.broadcast_to(tables.medians(), latent.shape))
    assert np.abs(found).max() > 0


class _Late(lic.EntropyModel):
    """Codes half of the channels under a prior, and then the side information of the others."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.half, self.first = latent_depth // 2, FactorizedPrior(latent_depth // 2)
        self.parameters = Convolution(2 * (latent_depth - self.half), 1)

    def walk(self, coder):
        first = coder.code(channels(0, self.half), self.first)
        features = coder.side(self.hyper, self.prior)
        second = coder.code(channels(self.half, self.latent_depth), self.likelihood(self.parameters(features)))
        return tf.concat([first, second], -1)


def test_nothing_is_read_after_a_part_that_is_left_out():
    entropy = _Late(12, ConvHyperTransform(12, 8, 4))
    latent, string, tables = coded(entropy, 4, 4)
    whole = Decode(string, tf.zeros_like(latent), tables)
    entropy.walk(whole)
    sizes = []
    for parts in range(3):
        coder = Preview(string, tf.zeros_like(latent), tables, parts)
        entropy.walk(coder)
        sizes.append(int(tf.size(coder.finish()[0])))
        expected = np.broadcast_to(tables.medians()[-4:], whole.z_hat.shape) if parts == 0 else whole.z_hat
        np.testing.assert_array_equal(coder.z_hat, expected)
    side = int(tf.size(whole.z_hat))
    assert sizes == [0, 96 + side, 192 + side]


@pytest.mark.parametrize("entropy", ["hyperprior", "charm"])
def test_as_many_channels_as_scales_are_no_prior(entropy):
    sizes = {"num_slices": 1} if entropy == "charm" else {}
    codec = lic.Codec(tiny_model("klt", entropy, latent_depth=64, **sizes))
    flat = np.full((256, 256, 3), 128, np.uint8)
    assert codec.decompress(codec.compress(flat)).shape == flat.shape
