import numpy as np
import pytest

from lic.entropy import Checkerboard, CheckerboardContext, Estimate, Recorder, anchors
from lic.environment import tf
from lic.transforms import ConvHyperTransform
from tests.conftest import assert_near, golden


def _model(**options):
    hyper = ConvHyperTransform(latent_depth=6, hyper_width=8, side_depth=4, features=8, outer_width=8)
    return Checkerboard(6, hyper, context_width=8, parameter_widths=(10,), **options)


def test_context_equals_the_published_one():
    values, expected, weights = golden("checkerboard_context")
    layer = CheckerboardContext(10, 5)
    layer(values)
    for name, value in weights.items():
        getattr(layer, name).assign(value)
    assert_near(layer(values), expected, 1e-5)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_non_anchors_see_anchors_and_nothing_else(size):
    layer = CheckerboardContext(4, size)
    latent = tf.random.normal((1, 7, 8, 3))
    only_anchors = anchors().put(tf.zeros_like(latent), anchors().take(latent))
    rows, columns = np.indices((7, 8))
    non_anchors = (rows + columns) % 2 == 0
    np.testing.assert_allclose(
        layer(latent).numpy()[0][non_anchors], layer(only_anchors).numpy()[0][non_anchors], atol=1e-6
    )


@pytest.mark.parametrize("fusion", ["concatenate", "add"])
def test_parameters_are_made_only_at_coded_positions(fusion):
    entropy = _model(fusion=fusion)
    entropy.walk(recorder := Recorder(Estimate(tf.zeros((2, 3, 5, 6)))))
    seen = [(record.part.name, tuple(record.distribution.shape)) for record in recorder.records]
    assert seen == [("anchors", (2, 1, 7, 6)), ("non-anchors", (2, 1, 8, 6))]


def test_added_context_starts_at_nothing():
    entropy = _model(fusion="add")
    features = tf.random.normal((1, 1, 5, 8))
    with_context = entropy.parameters_of(features, tf.random.normal((1, 1, 5, 8)))
    np.testing.assert_array_equal(entropy.parameters_of(features), with_context)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="context_size.*odd.*4"):
        _model(context_size=4)
    with pytest.raises(ValueError, match="fusion.*'multiply'"):
        _model(fusion="multiply")
