import numpy as np
import pytest

from lic.entropy import EVERYTHING, CausalContext, Estimate, Recorder, positions
from lic.environment import tf
from lic.testing.walks import Walks
from tests.conftest import moved_model, shared_codec

SIZES = [(1, 1), (1, 7), (7, 1), (4, 5)]


def _masked_kernel(context, depth):
    """Returns the kernel of an ordinary correlation: causal taps in raster order, and zeros from the centre on."""
    size = 2 * -context._rows.min() + 1
    matrix = context.product.kernel.numpy().reshape(len(context._rows), depth, -1)
    kernel = np.zeros((size * size, *matrix.shape[1:]), np.float32)
    kernel[: len(matrix)] = matrix
    return kernel.reshape(size, size, *matrix.shape[1:])


@pytest.mark.parametrize("size", [3, 5, 7])
def test_the_context_is_a_correlation_with_a_masked_kernel(size):
    latent, layer = tf.random.normal((2, 5, 6, 3)), CausalContext(4, size)
    context = layer(latent)
    expected = tf.nn.conv2d(latent, _masked_kernel(layer, 3), 1, "SAME")
    np.testing.assert_allclose(context, expected, atol=1e-5)
    even = positions("even rows", lambda row, column: row % 2 + 0 * column == 0)
    np.testing.assert_allclose(layer.at(even, latent), even.take(expected), atol=1e-5)
    np.testing.assert_array_equal(layer.at(EVERYTHING, latent), context)


@pytest.mark.parametrize("size", SIZES)
def test_wavefronts_code_what_a_loop_over_positions_codes(size):
    entropy = moved_model("autoregressive").entropy
    latent = 3 * tf.random.normal((1, *size, entropy.latent_depth))
    y_hat = np.zeros(latent.shape, np.float32)
    features = Estimate(latent).side(entropy.hyper, entropy.prior)
    kernel = _masked_kernel(entropy.context, entropy.latent_depth)
    for row, column in np.ndindex(*size):
        context = tf.nn.conv2d(y_hat, kernel, 1, "SAME") + entropy.context.product.bias
        parameters = entropy.parameters(tf.concat([features, context], -1))[0, row, column]
        mean = np.split(parameters.numpy(), 2)[0]
        y_hat[0, row, column] = np.round(latent[0, row, column] - mean) + mean
    np.testing.assert_allclose(Walks(entropy).estimate(latent).y_hat, y_hat, atol=1e-4)


@pytest.mark.parametrize("form", ["noise", "rounded"])
def test_the_context_in_training_is_of_the_rounded_or_the_noisy_latent(form):
    entropy = moved_model("autoregressive").entropy
    latent = tf.fill((1, 4, 4, entropy.latent_depth), 0.2)
    seen = []
    recorder = Recorder(Estimate(latent, training=True))
    coder_step = lambda known, part: seen.append(known.numpy()) or entropy.likelihood.of(known, known)  # noqa: E731
    recorder.serial(entropy.order._replace(training=form), coder_step)
    (known,) = seen
    if form == "rounded":
        np.testing.assert_array_equal(known, 0)
    else:
        assert known.min() >= -0.3
        assert known.max() <= 0.7
        assert known.std() > 0.2


def test_a_stream_decodes_at_every_size_in_tiles_and_at_one_part():
    codec = shared_codec("conv", "autoregressive", lmbda=(0.002, 0.02))
    assert codec.parts == ("latent",)
    for height, width in ((1, 1), (5, 200), (200, 3), (50, 70)):
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        stream = codec.compress(image, quality=1.5)
        assert codec.decompress(stream).shape == image.shape
        assert codec.decompress(stream, parts=0).shape == image.shape


def test_wrong_arguments_are_named():
    entropy = moved_model("autoregressive").entropy
    for name, value in (("context_size", 4), ("context_size", 1), ("training_context", "hat")):
        with pytest.raises(ValueError, match=f"Autoregressive: expected {name}.*{value}"):
            type(entropy)(12, entropy.hyper, **{name: value})
