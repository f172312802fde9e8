import numpy as np
import pytest

from lic.entropy import Dual, Estimate, Quadtree, Recorder
from lic.environment import tf
from lic.transforms import ConvHyperTransform


def _model(maker, latent_depth=8, **options):
    hyper = ConvHyperTransform(latent_depth=latent_depth, hyper_width=8, side_depth=4, features=8, outer_width=8)
    return maker(latent_depth, hyper, context_width=8, parameter_widths=(10,), **options)


def _pass_of_each_number(maker, height, width, depth):
    recorder = Recorder(Estimate(tf.zeros((1, height, width, depth))))
    _model(maker, depth).walk(recorder)
    passes = np.full((1, height, width, depth), -1.0, np.float32)
    for number, record in enumerate(recorder.records):
        passes = record.part.put(passes, tf.fill(tf.shape(record.part.take(passes)), float(number)))
    return np.asarray(passes)[0]


def test_a_pass_codes_one_position_of_every_2x2_another_in_each_group():
    passes = _pass_of_each_number(Quadtree, 4, 6, 8)
    for number in range(4):
        for group in range(4):
            coded = (passes[..., 2 * group : 2 * group + 2] == number).all(-1)
            assert coded.sum() == 6
            assert len({tuple(place % 2) for place in np.argwhere(coded)}) == 1
        assert ((passes == number).sum(-1) == 2).all()  # At each position, one of the four groups.


def test_two_passes_code_the_anchors_of_one_half_and_the_non_anchors_of_the_other():
    passes = _pass_of_each_number(Dual, 3, 4, 6)
    rows, columns = np.indices((3, 4))
    odd = (rows + columns) % 2
    np.testing.assert_array_equal(passes[..., 0], 1 - odd)
    np.testing.assert_array_equal(passes[..., 5], odd)


@pytest.mark.parametrize("maker", [Quadtree, Dual])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 2), (3, 3, 3), (2, 1, 7)])
def test_every_number_is_in_one_pass_at_odd_sizes_and_few_channels(maker, shape):
    assert (_pass_of_each_number(maker, *shape) >= 0).all()


@pytest.mark.parametrize("maker", [Quadtree, Dual])
def test_added_context_starts_at_nothing(maker):
    entropy = _model(maker, fusion="add")
    features, y_hat = tf.random.normal((1, 3, 4, 8)), tf.random.normal((1, 3, 4, 8))
    np.testing.assert_array_equal(entropy._parameters(1, features, y_hat), entropy.parameters(features))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="Dual: expected fusion.*'multiply'"):
        _model(Dual, fusion="multiply")
