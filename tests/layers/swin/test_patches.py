import numpy as np

from lic.environment import keras, tf
from lic.layers.swin.patches import PatchEmbedding, PatchMerging, PatchSplitting, PatchUnpacking
from lic.weights import set_tensors
from tests.conftest import assert_near, golden_in_order


def check(name, layer, weight_names):
    x, y, weights = golden_in_order(name)
    set_tensors(layer, dict(zip(weight_names, weights, strict=True)))
    assert_near(layer(x), y, 1e-5)
    assert_near(layer(x, training=True), y, 1e-5)


def test_merging_is_the_published_one():
    check("patch_merging", PatchMerging(16, 24), ("gamma", "beta", "kernel"))


def test_splitting_is_the_published_one():
    check("patch_splitting", PatchSplitting(16, 12), ("gamma", "beta", "kernel"))


def test_unpacking_is_the_published_one():
    check("patch_unpack", PatchUnpacking(16, 3), ("kernel", "bias"))


def test_embedding_is_a_convolution_of_two_by_two():
    x = tf.random.normal((2, 6, 8, 3))
    layer, published = PatchEmbedding(5), keras.layers.Conv2D(5, 2, 2)
    published(x)
    layer(x)
    set_tensors(layer, {"kernel": published.kernel.numpy(), "bias": np.arange(5, dtype=np.float32)})
    assert_near(layer(x), published(x) + np.arange(5), 1e-6)
