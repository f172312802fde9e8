import numpy as np
import pytest

import lic
from lic.environment import keras, tf
from tests.conftest import MIXES, TINY, random_images, tiny_model


@pytest.fixture(scope="module")
def images():
    return random_images(4, 64, 64, 3).astype(np.float32)


# Swin transforms train with one entropy model only, since they are slow to trace.
@pytest.mark.parametrize(("transform", "entropy"), [mix for mix in MIXES if mix[0] != "swin" or mix[1] == "factorized"])
def test_a_few_steps_of_fit_lower_the_loss(transform, entropy, images):
    model = tiny_model(transform, entropy)
    model.compile(keras.optimizers.Adam(3e-3))
    before = model.evaluate(images, batch_size=2, verbose=0, return_dict=True)
    model.fit(images, batch_size=2, epochs=15, verbose=0, shuffle=False)
    after = model.evaluate(images, batch_size=2, verbose=0, return_dict=True)
    assert before.keys() == {"loss", "bpp", "mse", "psnr"}
    assert after["loss"] < 0.9 * before["loss"]


@pytest.mark.parametrize("size", [(1, 1), (1, 257), (63, 65), (64, 64), (500, 333)])
@pytest.mark.parametrize("transform", ["conv", "klt", "swin"])
def test_any_size_comes_back(size, transform):
    compressed = tiny_model(transform, "checkerboard")(random_images(1, *size, 3).astype(np.float32))
    assert compressed.x_hat.shape == (1, *size, 3)
    assert compressed.y.shape == compressed.y_hat.shape == (1, -(-size[0] // 16), -(-size[1] // 16), 12)
    assert compressed.z_hat.shape[-1] == TINY["side_depth"]
    assert set(compressed.bits) == {"side", "anchors", "others"}
    assert all(bits.shape == (1,) and bits.dtype == "float32" for bits in compressed.bits.values())


def test_without_side_information_z_hat_is_none(images):
    assert tiny_model("conv", "factorized")(images).z_hat is None


def test_losses_are_what_they_say(images):
    model = tiny_model("klt", "hyperprior", lmbda=0.03)
    compressed, values = model(images), model.losses_of(images)
    bpp = sum(float(tf.reduce_mean(bits)) for bits in compressed.bits.values()) / 64**2
    mse = np.mean((images - compressed.x_hat) ** 2)
    assert float(values["bpp"]) == pytest.approx(bpp, rel=1e-4)
    assert float(values["mse"]) == pytest.approx(mse, rel=1e-4)
    assert float(values["loss"]) == pytest.approx(bpp + 0.03 * mse, rel=1e-4)
    each = [10 * np.log10(255**2 / np.mean((a - b) ** 2)) for a, b in zip(images, compressed.x_hat, strict=True)]
    assert float(values["psnr"]) == pytest.approx(np.mean(each), rel=1e-4)


def test_weights_are_saved_and_loaded_by_keras(images, tmp_path):
    first, second = tiny_model("klt", "charm"), tiny_model("klt", "charm")
    expected = first(images).x_hat
    assert np.any(second(images).x_hat != expected)
    first.save_weights(tmp_path / "model.weights.h5")
    second.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(second(images).x_hat, expected)


def test_reported_means_are_no_weights(images):
    model = tiny_model("conv", "hyperprior")
    model(images)
    assert len(model.weights) == len(model.trainable_weights)


def test_fit_takes_datasets_of_images(images):
    model = tiny_model("klt", "hyperprior")
    model.compile()
    dataset = tf.data.Dataset.from_tensor_slices(images.astype(np.uint8)).batch(2)
    assert np.isfinite(model.fit(dataset, verbose=0, shuffle=False).history["loss"]).all()


def test_mixed_precision_keeps_the_latent_in_float32(images):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = tiny_model("conv", "checkerboard")
        model.compile()
        compressed = model(images)
        history = model.fit(images, batch_size=2, verbose=0, shuffle=False).history
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {value.dtype for value in compressed[:4]} == {tf.float32}
    assert np.isfinite(history["loss"]).all()


def test_parts_that_do_not_fit_are_refused():
    transform, entropy = tiny_model("conv", "hyperprior").transform, tiny_model("conv", "factorized").entropy
    with pytest.raises(ValueError, match="depth=12 and latent_depth=8"):
        lic.CompressionModel(transform, type(entropy)(8))
    with pytest.raises(ValueError, match="Received: ConvTransform and ConvTransform"):
        lic.CompressionModel(transform, transform)
    with pytest.raises(ValueError, match="lmbda=0"):
        lic.CompressionModel(transform, entropy, 0)


def test_a_transform_without_its_layers_is_refused():
    class Unfinished(lic.Transform):
        def __init__(self):
            super().__init__(12)
            self.analysis = keras.layers.Identity() if hasattr(keras.layers, "Identity") else None

    with pytest.raises(ValueError, match="Unfinished: expected the constructor to set synthesis"):
        lic.CompressionModel(Unfinished(), tiny_model("conv", "factorized").entropy)
