"""The counts are made by hand, without the code that counts."""

import numpy as np
import pytest

import lic
from lic.complexity import PartComplexity
from lic.environment import keras, tf
from lic.layers import Convolution
from lic.layers.initial_weights import skip_random_init
from lic.models.complexity import parameters_of
from lic.registry import entropy_models, models
from tests.conftest import FEW_MIXES, VARIANTS, shallow, tiny_model

KODAK = 512 * 768


def rows_of(model, height=64, width=96):
    return {row.part: row for row in model.complexity(height, width).rows}


def made(name):
    """Returns a registered model whose weights are zeros."""
    with skip_random_init():
        model = lic.create_model(name)
    return model


@pytest.fixture(scope="module")
def published():
    """Returns the rows of the paper's systems, each counted once."""
    names = ("zyc2022", "zyc2022-conv-charm", "zyc2022-conv-hyperprior")
    return {name: {row.part: row for row in made(name).complexity().rows} for name in names}


def test_conv_and_hyperprior_by_hand():
    width, depth, middle, side, features = 16, 24, 18, 20, 22
    sizes = {"hyper_width": middle, "side_depth": side, "features": features}
    model = lic.create_model(transform="conv", entropy="hyperprior", width=width, latent_depth=depth, **sizes)

    # An image of 64x96 pixels has 32x48, 16x24 and 8x12 positions between the convolutions, and a latent of 4x6.
    first, second, third, latent = 32 * 48, 16 * 24, 8 * 12, 4 * 6
    gdn = width**2 * (first + second + third)
    analysis = 25 * (3 * width * first + width * width * (second + third) + width * depth * latent) + gdn
    # The four phases of the result have 9, 6, 6 and 4 of the kernel's 25 taps. The last convolution has few channels:
    # its phases are one product, in which each phase is filled up to 9 taps.
    synthesis = 25 * (depth * width * latent + width * width * (third + second)) + 4 * 9 * width * 3 * first + gdn
    # Side information has 1x2 positions, and its features have 4x8, which are cropped to the latent's 4x6.
    hyper_analysis = 9 * depth * depth * latent + 25 * (depth * middle * (2 * 3) + middle * side * (1 * 2))
    hyper_synthesis = 25 * (side * side * (1 * 2) + side * middle * (2 * 4)) + 9 * middle * features * (4 * 8)
    parameters = features * 2 * depth * latent

    assert {part: row[2:] for part, row in rows_of(model).items()} == {
        "analysis": (analysis, 0),
        "synthesis": (0, synthesis),
        "hyper analysis": (hyper_analysis, 0),
        "hyper synthesis": (hyper_synthesis, hyper_synthesis),
        "prior": (0, 0),
        "parameters": (parameters, parameters),
    }


def test_checkerboard_parameters_run_on_half_of_the_positions_at_a_time():
    depth, width = 12, 10
    rows = rows_of(tiny_model("klt", "checkerboard", fusion="add", features=8, residual=False))
    # Means and scale indexes come from 8 features at all 4x6 positions, and the correction at 12 positions from 8 more
    # channels of the context.
    parameters = 24 * 8 * 2 * depth + 12 * ((8 + 8) * width + width * 2 * depth)
    assert rows["parameters"][2:] == (parameters, parameters)
    assert rows["context"][2:] == (24 * 25 * depth * 8,) * 2


def test_residual_prediction_that_only_the_decoder_needs():
    rows = rows_of(tiny_model("klt", "hyperprior"))
    network = 4 * 6 * (25 * 8 * 224 + 25 * 224 * 128 + 9 * 128 * 12)
    assert rows["latent residual prediction"][2:] == (0, network)


def test_charm_needs_the_last_slices_residual_when_decoding_only():
    rows = rows_of(tiny_model("klt", "charm", num_slices=2, slice_widths=(5,), kernel_sizes=(3, 3), max_support=None))
    features, depth = 8, 6
    networks = 2 * sum(9 * 24 * (inputs * 5 + 5 * depth) for inputs in (features, features + depth))
    residuals = [9 * 24 * ((inputs + depth) * 5 + 5 * depth) for inputs in (features, features + depth)]
    assert rows["context"][2:] == (networks, networks)
    assert rows["latent residual prediction"][2:] == (residuals[0], sum(residuals))


@pytest.mark.parametrize(("transform", "entropy"), FEW_MIXES)
def test_parameters_add_up(transform, entropy):
    model = tiny_model(transform, entropy, **shallow(transform, entropy))
    assert parameters_of(model).total() == model.count_params() > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_parameters_of_variants_add_up(variant):
    entropy, sizes = VARIANTS[variant]
    model = tiny_model("conv", entropy, **sizes)
    assert model.complexity(32, 48).total.parameters == model.count_params()


CONTEXT, PARAMETERS = ["context", "latent residual prediction"], ["parameters", "latent residual prediction"]


@pytest.mark.parametrize(
    ("transform", "entropy", "networks"),
    [
        ("klt", "factorized", []),
        ("conv", "hyperprior", PARAMETERS),
        ("swin", "charm", CONTEXT),
        ("klt", "checkerboard", ["context", "parameters", "latent residual prediction"]),
        ("klt", "space-channel", ["context", "parameters"]),
    ],
)
def test_every_part_has_a_row(transform, entropy, networks):
    fewer = {"charm": {"num_slices": 2}, "space-channel": {"group_depths": (5, 7)}}.get(entropy, {})
    rows = rows_of(tiny_model(transform, entropy, **shallow(transform, entropy), **fewer), 32, 48)
    hyper = ["hyper analysis", "hyper synthesis"] if networks else []
    assert list(rows) == ["analysis", "synthesis", *hyper, "prior", *networks]
    assert rows["analysis"].macs_encode > 0 == rows["analysis"].macs_decode
    assert rows["synthesis"].macs_decode > 0 == rows["synthesis"].macs_encode
    if hyper:
        assert rows["hyper analysis"].macs_encode > 0 == rows["hyper analysis"].macs_decode
        assert rows["hyper synthesis"].macs_encode == rows["hyper synthesis"].macs_decode > 0
    assert all(rows[part].macs_decode > 0 for part in networks)


def test_gains_are_a_part():
    model = tiny_model("klt", "hyperprior", residual=False, lmbda=(0.01, 0.02, 0.04))
    rows = rows_of(model)
    assert rows["gains"].parameters == 3 * 3 * 12
    # Steps and scales are vectors of 12 channels, mixed from three qualities; so is the gain before the synthesis.
    assert rows["gains"][2:] == (3 * 3 * 12, 3 * 3 * 12)
    one_rate = rows_of(tiny_model("klt", "hyperprior", residual=False))
    assert {part: row for part, row in rows.items() if part != "gains"} == one_rate


@pytest.fixture
def own_part(monkeypatch):
    """Registers an entropy model with a layer of Keras, a layer in two places, and a weight of its own."""
    monkeypatch.setattr(entropy_models, "_entries", dict(entropy_models._entries))

    @lic.register_entropy_model("own")
    class Own(lic.EntropyModel):
        def __init__(self, latent_depth, hyper):
            super().__init__(latent_depth, hyper)
            self.dense = keras.layers.Dense(2 * latent_depth)
            self.shared = [Convolution(4, 3)]
            self.again = self.shared[0]
            self.matrix = self.add_weight(name="matrix", shape=(4, latent_depth), initializer="zeros")

        def walk(self, coder):
            features = coder.side(self.hyper, self.prior)
            mean, index = tf.split(self.dense(features), 2, -1)
            shared = tf.while_loop(lambda turn, _: turn < 3, self._turn(features), (0, features[..., :4]))[1]
            mean += tf.einsum("nhwc,cd->nhwd", self.again(shared), tf.convert_to_tensor(self.matrix))
            return coder.code(lic.entropy.parts.EVERYTHING, self.likelihood.of(mean, index))

        def _turn(self, features):
            return lambda turn, total: (turn + 1, total + self.shared[0](total))

    return Own


@pytest.mark.usefixtures("own_part")
def test_parts_of_somebody_else_have_their_attributes_names():
    model = lic.create_model(transform="klt", entropy="own", width=8, latent_depth=12, features=8)
    rows, latent = rows_of(model), 4 * 6
    assert rows["dense"] == PartComplexity("dense", 8 * 24 + 24, *[latent * 8 * 24] * 2)
    assert rows["again"] == PartComplexity("again", 9 * 4 * 4 + 4, *[4 * latent * 9 * 4 * 4] * 2)
    assert rows["matrix"].parameters == 4 * 12
    assert rows["entropy model"] == PartComplexity("entropy model", 0, *[latent * 4 * 12] * 2)
    assert "shared" not in rows
    assert sum(row.parameters for row in rows.values()) == model.count_params()


def test_derived_weights_do_not_count():
    plain, dft = (tiny_model("conv", "hyperprior", residual=False, kernel_form=form) for form in ("plain", "dft"))
    assert [row[2:] for row in plain.complexity(32, 32).rows] == [row[2:] for row in dft.complexity(32, 32).rows]


def test_images_are_padded_as_the_codec_pads_them():
    model = tiny_model("klt", "hyperprior", residual=False)
    odd, whole = model.complexity(50, 81), model.complexity(64, 96)
    assert odd.rows == whole.rows
    assert odd.total == whole.total
    row = odd.per_pixel[0]
    assert row == PartComplexity("analysis", odd.rows[0].parameters, odd.rows[0].macs_encode / (50 * 81), 0)


def test_a_model_is_as_before():
    model = tiny_model("klt", "hyperprior", residual=False)
    images = tf.random.uniform((1, 32, 48, 3), maxval=255.0)
    before = model(images)
    names = [set(vars(layer)) for layer in model._flatten_layers()]
    first, second = model.complexity(32, 48), model.complexity(32, 48)
    assert first == second
    assert [set(vars(layer)) for layer in model._flatten_layers()] == names
    tf.debugging.assert_equal(model(images).x_hat, before.x_hat)


@pytest.mark.parametrize("size", [(0, 8), (8, -1)])
def test_sizes_are_at_least_one(size):
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]}"):
        tiny_model("klt", "factorized").complexity(*size)


def attention_of_zyc2022():
    """Returns the multiply-accumulates of scores and sums in the analysis, which has as many as the synthesis."""
    stages = zip((128, 192, 256, 320), (2, 2, 6, 2), (4, 16, 64, 256))
    return sum(depth * (KODAK // pixels) * 2 * 64 * width for width, depth, pixels in stages)


def zeros_between_positions(width=320):
    """Returns how many more the synthesis `conv` has if it convolves values with zeros between them."""
    inner = 25 * width * width * sum(KODAK // pixels for pixels in (256, 64, 16))
    pixels = 25 * width * 3 * (KODAK // 4)
    return 3 * inner + 4 * pixels - 36 / 25 * pixels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "encode", "decode"),
    [("zyc2022", 110, 110), ("zyc2022-conv-charm", 111, 361), ("zyc2022-conv-hyperprior", 99, 350)],
)
def test_published_figures(published, name, encode, decode):
    """The paper counts no hyper synthesis and no products of attention, and convolutions on zeros between positions."""
    rows = published[name]
    own = -attention_of_zyc2022() if name == "zyc2022" else 0
    between = 0 if name == "zyc2022" else zeros_between_positions()
    context = rows["context"].macs_encode if "context" in rows else 0
    encoding = rows["analysis"].macs_encode + rows["hyper analysis"].macs_encode + context + own
    decoding = rows["synthesis"].macs_decode + context + own + between
    assert encoding / 1e9 == pytest.approx(encode, rel=0.012)
    assert decoding / 1e9 == pytest.approx(decode, rel=0.012)


@pytest.mark.slow
def test_published_numbers_of_parameters(published):
    for name, rows in published.items():
        assert sum(row.parameters for row in rows.values()) == models.get(name)().parameters


def test_a_model_that_gradients_went_through_counts_as_before():
    """The graphs of Swin blocks are traced once, and gradients add operations and results to them."""
    model = tiny_model("klt", "hyperprior", hyper="swin", hyper_depths=(1, 1), residual=False)
    before = model.complexity(64, 64)
    with tf.GradientTape() as tape:
        loss = model.losses_of(np.zeros((1, 64, 64, 3), np.float32))["loss"]
    tape.gradient(loss, model.trainable_variables)
    assert model.complexity(64, 64) == before
