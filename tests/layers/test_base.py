import numpy as np
import pytest

from lic.entropy.residual import LatentResidualPrediction
from lic.environment import keras, policy, tf
from lic.layers import (
    GDN,
    Abs,
    Concatenate,
    Convolution,
    Padding,
    PatchEmbedding,
    PatchMerging,
    PatchSplitting,
    Scale,
    Sequential,
    SwinBlock,
    SwinStage,
    SwinStages,
)
from lic.layers.base import Layer
from lic.transforms import ConvHyperTransform, ConvTransform, KLTTransform, SwinTransform
from tests.conftest import slow_but

IMAGES, LATENTS = (None, 64, 64, 3), (None, 8, 8, 8)
LAYERS = {
    "convolution": (
        lambda: Convolution(4, 3, down=2, activation="leaky_relu_0.01", kernel_initializer="zeros"),
        LATENTS,
    ),
    "dft": (lambda: Convolution(4, 5, up=2, kernel_form="dft", bias=False), LATENTS),
    "gdn": (lambda: GDN(inverse=True, square_root=True), LATENTS),
    "sequential": (lambda: Sequential([Convolution(4, 3), keras.layers.ReLU(), GDN()], name="mine"), LATENTS),
    "concatenate": (lambda: Concatenate([Convolution(4, 3), Sequential([Abs(), Convolution(2, 1)])]), LATENTS),
    "scale": (lambda: Scale(0.5, 3.0), LATENTS),
    "padding": (lambda: Padding(16), LATENTS),
    "embedding": (lambda: PatchEmbedding(8), IMAGES),
    "merging": (lambda: PatchMerging(8, 12), LATENTS),
    "splitting": (lambda: PatchSplitting(8, 4), LATENTS),
    "block": (lambda: SwinBlock(8, window=4, shift=2, head_dim=4), LATENTS),
    "stages": (lambda: SwinStages([SwinStage(8, 2, PatchMerging(8, 8), window=4, head_dim=4)]), LATENTS),
    "residual": (lambda: LatentResidualPrediction(4, (6,), (3, 3)), LATENTS),
    "conv": (lambda: ConvTransform(8, 12), IMAGES),
    "klt": (lambda: KLTTransform(8, 12, num_blocks=1), IMAGES),
    "swin": (lambda: SwinTransform(8, 12, (1, 1, 1, 1), window=4, head_dim=4), IMAGES),
    "hyper": (lambda: ConvHyperTransform(8, 6, 4, num_syntheses=2), LATENTS),
}


def values(shape):
    return np.random.default_rng(0).uniform(0, 255, (2, *shape[1:])).astype(np.float32)


# Tracing a whole Swin transform takes long; its layers are here, and its configuration is in a law of the kit.
@pytest.mark.parametrize("name", slow_but(LAYERS, *(name for name in LAYERS if name != "swin")))
def test_a_layer_comes_back_from_its_configuration_and_from_a_keras_file(name, tmp_path):
    maker, shape = LAYERS[name]
    layer = maker()
    layer.trainable = False
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.name, again.trainable) == (layer.name, False)
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert type(loaded.layers[-1]) is type(layer)
    assert not loaded.trainable_weights
    np.testing.assert_allclose(loaded(values(shape)), model(values(shape)), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", LAYERS)
def test_build_makes_the_weights_that_a_call_makes(name):
    maker, shape = LAYERS[name]
    built, called = maker(), maker()
    built.build(shape)
    called(values(shape))
    assert [tuple(weight.shape) for weight in built.weights] == [tuple(weight.shape) for weight in called.weights]
    assert built.count_params() == called.count_params()


class Twice(Layer):
    """A layer of a user, with layers inside and a loss."""

    def __init__(self, inside, width: int = 3, **kwargs):
        super().__init__(**kwargs)
        self.inside, self.width = inside, width
        self.end = keras.layers.Conv2D(width, 1)

    def call(self, values):
        self.add_loss(tf.constant(1.0))
        return self.end(self.inside(values)) + self.end(self.inside(values))


def test_a_layer_of_a_user_needs_no_get_config():
    layer = Twice(Sequential([Convolution(4, 3), GDN()]), np.int64(5))
    again = Twice.from_config(layer.get_config())
    assert (again.width, type(again.width)) == (5, int)
    assert [type(each) for each in again.inside.layers] == [Convolution, GDN]
    layer.build((None, None, None, 2))
    assert len(layer.weights) == 6
    assert not layer.losses


def test_building_does_without_autograph():
    class Seen(Layer):
        def call(self, values):
            self.status = tf.__internal__.autograph.control_status_ctx().status
            return self.inner(values)

    layer = Seen()
    layer.inner = Convolution(4, 3)
    layer.build(LATENTS)
    assert layer.status.name == "DISABLED"


def test_building_leaves_no_loss_behind():
    layer = Twice(Convolution(4, 3))
    layer(np.zeros((1, 8, 8, 3), np.float32))
    assert len(layer.losses) == 1
    assert float(layer.losses[0]) == 1.0


def test_layers_in_lists_are_in_checkpoints(tmp_path):
    one, other = (Sequential([Convolution(4, 3), GDN()]) for _ in range(2))
    for layer in (one, other):
        layer.build(LATENTS)
    path = tf.train.Checkpoint(layer=one).save(tmp_path / "x")
    tf.train.Checkpoint(layer=other).restore(path).assert_consumed()
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_build_works_in_other_precisions():
    with policy("mixed_bfloat16"):
        layer = KLTTransform(8, 12, num_blocks=1)
        layer.build(IMAGES)
    assert all("float32" in str(weight.dtype) for weight in layer.weights)


@pytest.mark.parametrize("layer", [lambda: Convolution(4, 3), GDN])
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (1, 2, 3, 4, 5)])
def test_tensors_of_another_rank_are_refused(layer, shape):
    with pytest.raises(ValueError, match="ndim=4"):
        layer()(np.zeros(shape, np.float32))
