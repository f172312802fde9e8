import numpy as np
import pytest

from lic.environment import tf
from lic.layers import SwinStage
from lic.layers.swin.patches import PatchMerging
from lic.layers.swin.window_attention import StoredWeights
from lic.layers.tracing import plain_graphs
from lic.testing import check_transform
from lic.transforms import SwinTransform
from lic.weights import set_tensors
from tests.conftest import assert_near, golden_in_order

SIZES = {"width": (8, 12, 16), "latent_depth": 20, "depths": (1, 1, 3, 2), "window": 4, "head_dim": 4}


def test_a_stage_is_the_published_one():
    x, y, weights = golden_in_order("basic_layer_down")
    stage = SwinStage(32, 2, PatchMerging(32, 48), window=4)
    names = [f"blocks/{number}/{name}" for number in (0, 1) for name in StoredWeights._fields]
    names += ["end/gamma", "end/beta", "end/kernel"]
    set_tensors(stage, dict(zip(names, weights, strict=True)))
    assert_near(stage(x), y, 1e-5)
    assert_near(stage(x, training=True), y, 1e-5)


@pytest.mark.parametrize("size", [(16, 16), (48, 32), (16, 80)])
def test_any_multiple_of_its_downscale(size):
    transform = SwinTransform(**SIZES)
    latent = transform.analysis(tf.random.uniform((2, *size, 3)) * 255)
    assert latent.shape == (2, size[0] // 16, size[1] // 16, 20)
    assert transform.synthesis(latent).shape == (2, *size, 3)


@pytest.mark.parametrize("size", [(16, 16), (48, 80)])
def test_plain_graphs_give_the_same(size):
    stage = SwinStage(8, 2, PatchMerging(8, 12), window=4, head_dim=4)
    values = tf.random.normal((2, *size, 8))
    expected = stage(values)
    with plain_graphs():
        assert_near(stage(values), expected, 1e-5)


@pytest.mark.slow
def test_training_gives_gradients_to_every_weight():
    transform, images = SwinTransform(**SIZES), tf.random.uniform((1, 32, 48, 3)) * 255

    @tf.function
    def gradients(training):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((transform.synthesis(transform.analysis(images, training=training)) - images) ** 2)
        return tape.gradient(loss, transform.trainable_variables)

    transform(images)
    for ours, automatic in zip(gradients(True), gradients(False), strict=True):
        assert_near(ours, automatic, 1e-3)
        assert np.abs(ours).max() > 0


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match=r"three widths.*Received: width=\(8, 8\)"):
        SwinTransform((8, 8))
    with pytest.raises(ValueError, match=r"four depths.*depths=\(2, 2\)"):
        SwinTransform(32, depths=(2, 2))


@pytest.mark.slow
def test_with_norms_first_and_a_convolutional_end_it_obeys_the_laws_of_transforms():
    check_transform(SwinTransform(**SIZES, norm_first=True, convolutional_end=True))
