import numpy as np
import pytest

from lic.environment import compute_in, tf
from lic.layers import GDN, Convolution, Sequential, SwinBlock
from lic.layers.convolution import from_dft, to_dft
from tests.conftest import assert_near, golden

GOLDEN = {
    "conv_down_gdn": {"down": 2, "kernel_form": "dft"},
    "conv_down_odd_input": {"down": 2, "kernel_form": "dft", "bias": False},
    "conv_up_igdn": {"up": 2, "kernel_form": "dft"},
    "conv_up_odd_input": {"up": 2, "activation": "relu"},
    "slice_conv3": {},
}


def _set(layer, weights):
    for name, value in weights.items():
        getattr(layer, name).assign(value)


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_published_layer(name):
    values, expected, weights = golden(name)
    normalisation = {key: weights.pop(key) for key in list(weights) if key.startswith("reparam")}
    size = 3 if name == "slice_conv3" else 5
    layer = Convolution(expected.shape[-1], size, **GOLDEN[name])
    layer(values)
    _set(layer, weights)
    result = layer(values)
    if normalisation:
        gdn = GDN(inverse="up" in name)
        gdn(result)
        _set(gdn, normalisation)
        result = gdn(result)
    assert_near(result, expected, 1e-5)


def test_sizes_that_would_fill_the_memory_are_refused():
    for options in ({"up": 65}, {"down": 2048}):
        with pytest.raises(ValueError, match="a whole number from 1 to 64"):
            Convolution(4, 3, **options)
    with pytest.raises(ValueError, match="kernel_size to be at most 31 with kernel_form 'dft'"):
        Convolution(4, 32, kernel_form="dft")
    with pytest.raises(ValueError, match="window to be a whole number from 1 to 32"):
        SwinBlock(4, 64)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("correlation", [False, True])
@pytest.mark.parametrize("change", [{}, {"down": 2}, {"up": 2}, {"down": 4}, {"up": 4}])
@pytest.mark.parametrize("shape", [(6, 8), (5, 7)])
def test_equals_tensorflow_compression(size, correlation, change, shape):
    tfc = pytest.importorskip("tensorflow_compression", reason="the whole package is there for TensorFlow 2.14 only")
    strides = {f"strides_{way}": factor for way, factor in change.items()}
    theirs = tfc.SignalConv2D(
        4, size, corr=correlation, padding="same_zeros", use_bias=True, kernel_parameter="variable", **strides
    )
    ours = Convolution(4, size, correlation=correlation, **change)
    values = tf.random.normal((2, *shape, 3))
    try:
        expected = theirs(values)
    except NotImplementedError:
        pytest.skip("tensorflow-compression has no upsampling correlation with an even kernel")
    ours(values)
    ours.kernel.assign(theirs.kernel)
    assert_near(ours(values), expected, 1e-5)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_dft_form_is_another_form_of_the_same_kernel(size):
    kernel = tf.random.normal((size, size, 3, 4))
    transform = to_dft(kernel)
    assert_near(from_dft(tf.math.real(transform), tf.math.imag(transform), size), kernel, 1e-6)


@pytest.mark.parametrize("form", ["plain", "dft"])
def test_a_new_layer_keeps_the_variance(form):
    values = tf.random.normal((4, 32, 32, 24))
    for change in ({"down": 2}, {"up": 2}, {}):
        result = Convolution(32, 5, kernel_form=form, **change)(values)
        assert 0.6 < float(tf.math.reduce_variance(result[:, 4:-4, 4:-4])) < 1.5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 4)])
def test_sizes(height, width):
    values = tf.zeros((2, height, width, 3))
    assert Convolution(4, 5, down=2)(values).shape == (2, -(-height // 2), -(-width // 2), 4)
    assert Convolution(4, 5, up=2)(values).shape == (2, 2 * height, 2 * width, 4)


def test_one_by_one_takes_no_positions_at_all():
    assert Convolution(4, 1)(tf.zeros((2, 1, 0, 3))).shape == (2, 1, 0, 4)


@pytest.mark.parametrize("stride", [2, 3])
def test_one_by_one_with_a_stride_takes_every_second_position_also_in_training(stride):
    layer, three = Convolution(8, 1, down=stride), Convolution(8, 3, down=stride)
    values = tf.random.normal((3, 33, 64, 8))
    layer(values), three(values)
    three.kernel.assign(tf.pad(tf.convert_to_tensor(layer.kernel), [[1, 1], [1, 1], [0, 0], [0, 0]]))

    @tf.function(autograph=False)
    def gradients(values, which):
        chosen = layer if which else three
        with tf.GradientTape() as tape:
            tape.watch(values)
            loss = tf.reduce_sum(tf.square(chosen(values)))
        return [loss, *tape.gradient(loss, [values, chosen.bias])]

    # TensorFlow's own gradient of such a convolution brings the process down after a few steps.
    for _ in range(20):
        found = gradients(values, True)
    for one, other in zip(found, gradients(values, False), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="down=2, up=2"):
        Convolution(4, 5, down=2, up=2)
    with pytest.raises(ValueError, match="'fft'"):
        Convolution(4, 5, kernel_form="fft")


def test_config_makes_it_anew():
    layer = Convolution(4, 3, down=2, bias=False, activation="relu", kernel_form="dft", kernel_initializer="zeros")
    again = Convolution.from_config(layer.get_config())
    values = np.ones((1, 4, 4, 2), np.float32)
    assert again.get_config().keys() == layer.get_config().keys()
    assert again(values).shape == layer(values).shape
    assert again.correlation
    assert again.kernel_form == "dft"


@pytest.mark.parametrize("options", [{}, {"up": 2, "kernel_form": "dft"}, {"down": 2}])
def test_full_precision_is_float32_whatever_the_policy(options):
    values = tf.cast(tf.cast(tf.random.uniform((1, 9, 7, 16)), "bfloat16"), "float32")
    plain, precise = (Sequential([Convolution(3, 5, **options, full_precision=each)]) for each in (False, True))
    plain(values)
    precise(values)
    compute_in(precise, "mixed_bfloat16")
    for mine, given in zip(precise.weights, plain.weights, strict=True):
        mine.assign(given)
    assert_near(precise(values), plain(values), 1e-6)
    assert precise(values).dtype == precise(tf.cast(values, "bfloat16")).dtype == tf.float32
