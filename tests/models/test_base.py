import functools
import re

import numpy as np
import pytest

import lic
from lic.environment import KERAS_3, keras, tf
from lic.layers import Convolution
from lic.models.rate import SingleRate
from lic.training import start_scales
from lic.weights import value_of
from tests.conftest import ALL_MIXES, TINY, TRANSFORMS, random_images, slow_but, tiny_model

LMBDAS = (0.002, 0.01, 0.05)


@pytest.fixture(scope="module")
def images():
    return random_images(4, 64, 64, 3).astype(np.float32)


@pytest.mark.parametrize(("transform", "entropy"), slow_but(ALL_MIXES, ("klt", "checkerboard"), ("residual", "dual")))
def test_60_steps_on_three_images_lower_the_loss(transform, entropy, images):
    shallow = {"depths": (1, 1, 1, 1)} if transform == "swin" else {}  # These take long to trace.
    model = tiny_model(transform, entropy, **shallow)
    model.compile(lic.Adam(3e-3), seed=0)
    data = tf.data.Dataset.from_tensors(images[:3]).repeat()
    losses = model.fit(data, epochs=60, steps_per_epoch=1, verbose=0).history["loss"]
    assert np.mean(losses[-5:]) < 0.7 * losses[0]


def test_evaluate_reports_the_losses(images):
    model = tiny_model("klt", "factorized")
    model.compile()
    measured = model.evaluate(images, batch_size=2, verbose=0, return_dict=True)
    wanted = {name: float(np.mean(values)) for name, values in model.losses_of(images).items()}
    assert measured == pytest.approx(wanted, rel=1e-4)


@functools.cache
def _of_transform(transform):
    shallow = {"depths": (1, 1, 1, 1), "hyper": "conv"} if transform == "swin" else {}  # These take long to trace.
    return tiny_model(transform, "checkerboard", **shallow)


@pytest.mark.parametrize("size", [(1, 1), (1, 257), (63, 65), (64, 64), (500, 333)])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_any_size_comes_back(size, transform):
    compressed = _of_transform(transform)(random_images(1, *size, 3).astype(np.float32))
    assert compressed.x_hat.shape == (1, *size, 3)
    assert compressed.y.shape == compressed.y_hat.shape == (1, -(-size[0] // 16), -(-size[1] // 16), 12)
    assert compressed.z_hat.shape[-1] == TINY["side_depth"]
    assert set(compressed.bits) == {"side", "anchors", "non-anchors"}
    assert all(bits.shape == (1,) and bits.dtype == "float32" for bits in compressed.bits.values())


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (40, 72), (100, 52)])
def test_crops_of_any_size_train_all_positions_also_at_padded_borders(size):
    model = _of_transform("klt")
    images = tf.constant(random_images(2, *size, 3).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        compressed = model(images, training=True)
        bits, errors = tf.add_n(list(compressed.bits.values())), model.distortion_of(images, compressed.x_hat)
    for part in (bits, errors):  # Rate and distortion reach each position, and with it the side information above it.
        assert np.all(np.any(np.asarray(tape.gradient(part, compressed.y)) != 0, -1))


def test_without_side_information_z_hat_is_none(images):
    assert tiny_model("conv", "factorized")(images).z_hat is None


def test_summary_has_the_parts_and_all_parameters():
    model, lines = tiny_model("klt", "checkerboard", lmbda=LMBDAS), []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    printed = "\n".join(lines).replace(",", "")
    layers = (model.transform, model.entropy, model.rate)
    for layer in layers:
        assert re.search(rf"{layer.name} .* {layer.count_params()}\b", printed), printed
    assert f"Total params: {sum(layer.count_params() for layer in layers)} " in printed
    assert "unused" not in printed
    assert "unbuilt" not in printed
    assert len(printed.splitlines()) < 20


def test_losses_follow_their_definitions(images):
    model = tiny_model("klt", "hyperprior", lmbda=0.03)
    compressed, values = model(images), model.losses_of(images)
    bpp = sum(np.asarray(bits) for bits in compressed.bits.values()) / 64**2
    mse = np.mean((images - compressed.x_hat) ** 2, (1, 2, 3))
    np.testing.assert_allclose(values["bpp"], bpp, rtol=1e-4)
    np.testing.assert_allclose(values["mse"], mse, rtol=1e-4)
    np.testing.assert_allclose(values["loss"], bpp + 0.03 * mse, rtol=1e-4)
    each = [10 * np.log10(255**2 / np.mean((a - b) ** 2)) for a, b in zip(images, compressed.x_hat, strict=True)]
    np.testing.assert_allclose(values["psnr"], each, rtol=1e-4)


def test_weights_are_saved_and_loaded_by_keras(images, tmp_path):
    first, second = (tiny_model("klt", "charm", num_slices=2) for _ in range(2))
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
    model = tiny_model("klt", "factorized")
    model.compile()
    dataset = tf.data.Dataset.from_tensor_slices(images.astype(np.uint8)).batch(2)
    assert np.isfinite(model.fit(dataset, verbose=0, shuffle=False).history["loss"]).all()


def test_mixed_precision_keeps_the_latent_in_float32(images):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = tiny_model("conv", "hyperprior", residual=False)
        model.compile(run_eagerly=True)
        compressed = model(images)
        history = model.fit(images, batch_size=2, verbose=0, shuffle=False).history
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {value.dtype for value in compressed[:4]} == {tf.float32}
    assert np.isfinite(history["loss"]).all()


@pytest.fixture(scope="module")
def variable_rate(images):
    model = tiny_model("klt", "hyperprior", lmbda=LMBDAS)
    start_scales(model, images)
    return model


def test_bits_rise_and_errors_fall_with_quality(variable_rate, images):
    losses = [variable_rate.losses_of(images, quality=quality) for quality in (1, 1.5, 2, 2.5, 3)]
    assert np.all(np.diff([values["bpp"] for values in losses], axis=0) > 0)
    assert np.all(np.diff([values["psnr"] for values in losses], axis=0) > 0)


def test_each_image_of_a_batch_has_its_own_quality(variable_rate, images):
    together = variable_rate(images[:2], quality=[1.0, 2.75])
    for number, quality in enumerate([1.0, 2.75]):
        alone = variable_rate(images[number : number + 1], quality=quality)
        np.testing.assert_allclose(together.x_hat[number], alone.x_hat[0], atol=1e-3)
        np.testing.assert_allclose(together.y[number], alone.y[0], atol=1e-4)


def test_the_middle_quality_is_the_default(variable_rate, images):
    np.testing.assert_array_equal(variable_rate(images).x_hat, variable_rate(images, quality=2).x_hat)


@pytest.mark.parametrize("quality", [1, 3])
def test_in_training_the_loss_is_divided_by_the_root_of_lmbda(variable_rate, images, quality):
    values = variable_rate.losses_of(images[:1], training=True, quality=quality)
    lmbda, mean = LMBDAS[quality - 1], np.prod(LMBDAS) ** (1 / 3)
    loss = float((values["bpp"] + lmbda * values["mse"])[0]) * (mean / lmbda) ** 0.5
    assert float(values["loss"][0]) == pytest.approx(loss, rel=1e-4)


def test_the_loss_weighs_each_image_by_the_lmbda_of_its_quality(variable_rate, images):
    one, three = (variable_rate.losses_of(images[:1], quality=quality) for quality in (1, 3))
    for lmbda, values in ((LMBDAS[0], one), (LMBDAS[2], three)):
        np.testing.assert_allclose(values["loss"], values["bpp"] + lmbda * values["mse"], rtol=1e-4)
    both = variable_rate.losses_of(np.repeat(images[:1], 2, 0), quality=[1, 3])
    np.testing.assert_allclose(both["loss"], [one["loss"][0], three["loss"][0]], rtol=1e-4)


def test_training_draws_qualities_between_the_first_and_the_last(variable_rate):
    drawn = variable_rate.rate.qualities(1000, training=True).numpy()
    assert 1 <= drawn.min() < 1.1
    assert 2.9 < drawn.max() <= 3
    assert drawn.mean() == pytest.approx(2, abs=0.1)


def test_factorized_priors_alone_leave_the_scale_factor_alone(images):
    model = tiny_model("klt", "factorized", lmbda=LMBDAS)
    model.compile(seed=0)
    _, gradients = model.gradients_of(images[:1])
    of = {id(variable): gradient for gradient, variable in zip(gradients, model.trainable_variables, strict=True)}
    assert not np.any(of[id(model.rate.log_scale_factor)])
    assert np.any(of[id(model.rate.log_gain)])


def test_a_model_of_one_rate_has_one_quality(images):
    model = tiny_model("klt", "hyperprior")
    assert isinstance(model.rate, SingleRate)
    np.testing.assert_array_equal(model(images).x_hat, model(images, quality=1).x_hat)
    with pytest.raises(ValueError, match="expected quality None or 1. Received: 3 to 3"):
        model(images, quality=3)


def test_every_vector_of_gains_learns(images):
    model = tiny_model("klt", "hyperprior", residual=False, lmbda=LMBDAS)
    model.compile(keras.optimizers.Adam(1e-2), seed=1, run_eagerly=True)
    before = [value_of(table) for table in model.rate.trainable_variables]
    model.fit(images, batch_size=4, epochs=4, verbose=0, shuffle=False)
    for table, old in zip(model.rate.trainable_variables, before, strict=True):
        assert np.all(np.any(value_of(table) != old, -1))


def _history(images, seed, weights):
    model = tiny_model("klt", "factorized", lmbda=LMBDAS)
    model.compile(seed=seed, run_eagerly=True)
    model.set_weights(weights)
    return model.fit(images, batch_size=4, epochs=3, verbose=0, shuffle=False).history["loss"]


def test_a_seed_makes_training_reproducible(images):
    model = tiny_model("klt", "factorized", lmbda=LMBDAS)
    weights = model.get_weights()
    first, again, other = (_history(images, seed, weights) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    assert len(set(first)) == 3


def test_a_step_whose_gradients_are_not_finite_leaves_the_weights(images):
    model = tiny_model("klt", "factorized")
    model.compile(keras.optimizers.Adam(0.1), run_eagerly=True)
    before = model.get_weights()
    assert np.isnan(model.train_on_batch(images * np.nan, return_dict=True)["loss"])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.reset_metrics()
    assert np.isfinite(model.train_on_batch(images, return_dict=True)["loss"])
    assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 accumulates no gradients")
def test_steps_whose_gradients_are_accumulated_have_noise_of_their_own(images, monkeypatch):
    model, qualities = tiny_model("klt", "factorized", lmbda=LMBDAS), []
    weighted_distortion = model.weighted_distortion

    def noted(originals, decoded, quality):
        qualities.append(float(quality[0]))
        return weighted_distortion(originals, decoded, quality)

    monkeypatch.setattr(model, "weighted_distortion", noted)
    model.compile(lic.Adam(gradient_accumulation_steps=4), seed=0, run_eagerly=True)
    model.fit(images, batch_size=1, verbose=0)
    assert len(set(qualities)) == len(images)


class MapOfErrors(lic.CompressionModel):
    """A model whose distortion is one for each row and column."""

    def distortion_of(self, images, decoded):
        return tf.reduce_mean((images - decoded) ** 2, -1)


class WithoutPsnr(lic.CompressionModel):
    """A model that leaves out a figure that it reports."""

    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training, quality)
        return {name: losses[name] for name in ("loss", "bpp", "mse")}


class MeanLoss(lic.CompressionModel):
    """A model whose loss is one for all images."""

    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training, quality)
        return losses | {"loss": tf.reduce_mean(losses["loss"])}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (MapOfErrors, r"MapOfErrors: expected distortion_of to return one number for each image, .*\(4, 64, 64\)"),
        (WithoutPsnr, "WithoutPsnr: expected losses_of to return psnr, which `trackers` has. Received: loss, bpp, mse"),
        (MeanLoss, r"MeanLoss: expected losses_of, of 'loss', to return one number for each image.*the shape \(\)"),
    ],
)
def test_losses_of_other_shapes_and_missing_ones_are_named(kind, message, images):
    parts = tiny_model("klt", "factorized")
    model = kind(parts.transform, parts.entropy)
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        model.fit(images, verbose=0)


class Unused(lic.Transform):
    """A transform with a weight that nothing depends on."""

    def __init__(self, depth=12):
        super().__init__(depth, 16)
        part = tiny_model("klt", "factorized").transform
        self.analysis, self.synthesis = part.analysis, part.synthesis
        self.unused = self.add_weight(name="unused", shape=(2,), initializer="ones")


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_weights_that_the_loss_does_not_depend_on_stay(images):
    model = lic.CompressionModel(Unused(), tiny_model("klt", "factorized").entropy)
    model.compile(keras.optimizers.Adam(0.1), run_eagerly=True)
    model.train_on_batch(images)
    np.testing.assert_array_equal(model.transform.unused, [1, 1])


def test_ms_ssim_can_be_the_distortion():
    images = random_images(1, 176, 192, 3).astype(np.float32)
    model = tiny_model("klt", "factorized", lmbda=20.0, distortion="ms-ssim")
    values = model.losses_of(images)
    similarity = tf.image.ssim_multiscale(images, model(images).x_hat, 255.0)
    assert float((values["loss"] - values["bpp"])[0]) == pytest.approx(20 * (1 - float(similarity[0])), rel=1e-3)
    with pytest.raises(ValueError, match="at least 161x161 pixels"):
        model.losses_of(images[:, :100])


def test_parts_that_do_not_fit_are_refused():
    transform, entropy = tiny_model("conv", "hyperprior").transform, tiny_model("conv", "factorized").entropy
    with pytest.raises(ValueError, match="depth=12 and latent_depth=8"):
        lic.CompressionModel(transform, type(entropy)(8))
    with pytest.raises(ValueError, match="Received: ConvTransform and ConvTransform"):
        lic.CompressionModel(transform, transform)
    with pytest.raises(ValueError, match="lmbda=0"):
        lic.CompressionModel(transform, entropy, 0)
    with pytest.raises(ValueError, match="one of 'mse', 'ms-ssim'. Received: distortion='ssim'"):
        lic.CompressionModel(transform, entropy, distortion="ssim")
    with pytest.raises(ValueError, match=r"over 0 and rising. Received: lmbda=\(0.2, 0.1\)"):
        lic.CompressionModel(transform, entropy, (0.2, 0.1))


def test_a_transform_without_its_layers_is_refused():
    class Unfinished(lic.Transform):
        def __init__(self):
            super().__init__(12)
            self.analysis = keras.layers.Identity() if hasattr(keras.layers, "Identity") else None

    with pytest.raises(ValueError, match="Unfinished: expected the constructor to set synthesis"):
        lic.CompressionModel(Unfinished(), tiny_model("conv", "factorized").entropy)


@pytest.mark.parametrize("quality", [0, 0.5, 3.5, 20, [1.0, 4.0]])
def test_a_quality_that_the_model_does_not_have_is_refused(variable_rate, images, quality):
    with pytest.raises(ValueError, match="expected quality (from 1 to 3|as a number, .*). Received: "):
        variable_rate(images[:2], quality=quality)


def _map(model, images, low, high):
    """A map [batch, rows, columns] whose left half is low."""
    rows, columns = (-(-size // model.transform.downscale) for size in images.shape[1:3])
    quality = np.full((len(images), rows, columns), high, np.float32)
    quality[:, :, : columns // 2] = low
    return quality


def test_a_map_has_a_quality_for_each_position(variable_rate, images):
    model, images = variable_rate, images[:2]
    uniform = model(images, quality=_map(model, images, 2.5, 2.5))
    expected = model(images, quality=2.5)
    np.testing.assert_allclose(uniform.x_hat, expected.x_hat, atol=1e-2)
    low, both, high = (
        sum(model(images, quality=_map(model, images, *each)).bits.values()) for each in ((1, 1), (1, 3), (3, 3))
    )
    assert np.all((low < both) & (both < high))
    losses = model.losses_of(images, training=True, quality=_map(model, images, 1, 3))
    assert losses["loss"].shape == (2,)


def test_a_map_weighs_errors_by_the_lmbda_of_their_position(variable_rate, images):
    model, images = variable_rate, images[:1]
    quality, decoded = _map(model, images, 1, 3), images + 4.0
    decoded[:, :, images.shape[2] // 2 :] += 4
    found = float(model.weighted_distortion(images, decoded, quality)[0])
    lmbda = np.asarray(model.rate.lmbda(tf.constant(quality)))[0]
    scale = model.transform.downscale
    of_pixels = np.kron(lmbda, np.ones((scale, scale)))[: images.shape[1], : images.shape[2]]
    expected = (of_pixels * np.square(decoded - images).mean(-1)[0]).mean()
    assert found == pytest.approx(expected, rel=1e-4)
    uniform = model.weighted_distortion(images, decoded, _map(model, images, 2, 2))
    np.testing.assert_allclose(uniform, model.weighted_distortion(images, decoded, np.float64([2])), rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 1, 1), (3, 4, 4), (4, 4), (2, 64, 64), (5,)])
def test_a_map_of_another_shape_is_refused(variable_rate, images, shape):
    for call in (variable_rate, variable_rate.losses_of):
        with pytest.raises(
            ValueError, match=r"as one for each image \[2\], or as one for each position of the latents \[2, "
        ):
            call(images[:2], quality=np.full(shape, 2.0))


@pytest.mark.parametrize("quality", ["high", {"background": 1}, [[1], [2, 3]]])
def test_what_is_no_quality_is_refused(variable_rate, images, quality):
    with pytest.raises(ValueError, match=f"expected quality as a number, .* Received: {type(quality).__name__}"):
        variable_rate(images[:2], quality=quality)


class Declares(lic.Transform):
    """Has layers of a downscale of 4, and declares what it is told."""

    def __init__(self, latent_depth=12, downscale=4, made=3):
        super().__init__(latent_depth, downscale)
        self.analysis, self.synthesis = Convolution(latent_depth, 5, down=4), Convolution(made, 5, up=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"downscale": 8}, r"the analysis to make \(1, 8, 8, 12\) of .* Received: \(1, 16, 16, 12\). Declare"),
        ({"made": 1}, r"the synthesis to make \(1, 64, 64, 3\) of .* Received: \(1, 64, 64, 1\)"),
    ],
)
def test_layers_that_are_not_as_declared_are_refused_when_the_model_is_made(arguments, message):
    lic.create_model(transform=Declares(), entropy="factorized")
    with pytest.raises(ValueError, match=message):
        lic.create_model(transform=Declares(**arguments), entropy="factorized")


@pytest.mark.parametrize(
    ("name", "value"), [("depth", 2.5), ("depth", True), ("depth", 0), ("downscale", "8"), ("downscale", None)]
)
def test_sizes_of_a_transform_are_whole_numbers(name, value):
    with pytest.raises(
        ValueError, match=f"Transform: expected {name} to be a whole number.* Received: {name}={value!r}"
    ):
        lic.Transform(**{"depth": 8, "downscale": 4} | {name: value})


def test_functions_in_place_of_layers_are_refused():
    transform = Declares()
    transform.analysis = lambda images: images
    with pytest.raises(ValueError, match="expected the constructor to set analysis, a Keras layer"):
        lic.CompressionModel(transform, lic.entropy.Factorized(12))


def test_gradients_are_those_of_the_mean_over_images():
    model = tiny_model("klt", "factorized", quantization="ste/ste")
    model.compile(seed=0)
    image = random_images(1, 48, 64, 3).astype(np.float32)
    once, twice = (model.gradients_of(np.repeat(image, count, 0))[1] for count in (1, 2))
    for one, two in zip(once, twice, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)
