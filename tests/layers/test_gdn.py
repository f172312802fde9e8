import numpy as np
import pytest

from lic.environment import tf
from lic.layers import GDN
from tests.conftest import assert_near


@pytest.mark.parametrize("square_root", [False, True])
def test_inverse_undoes_a_small_normalisation(square_root):
    values = tf.random.normal((2, 4, 6, 5)) * 1e-3
    forward, inverse = GDN(square_root=square_root), GDN(inverse=True, square_root=square_root)
    assert_near(inverse(forward(values)), values, 1e-3)


def test_formulas():
    values = np.random.default_rng(0).normal(size=(1, 3, 2, 4)).astype(np.float32)
    beta, gamma = np.ones(4), 0.1 * np.eye(4)
    assert_near(GDN()(values), values / (beta + np.abs(values) @ gamma), 1e-6)
    assert_near(GDN(square_root=True)(values), values / np.sqrt(beta + values**2 @ gamma), 1e-6)
    assert_near(GDN(inverse=True, gamma_init=0.1)(values), values * (beta + np.abs(values) @ gamma), 1e-6)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("square_root", [False, True])
def test_equals_tensorflow_compression(inverse, square_root):
    tfc = pytest.importorskip("tensorflow_compression", reason="the whole package is there for TensorFlow 2.14 only")
    power, root = (2.0, 0.5) if square_root else (1.0, 1.0)
    theirs = tfc.GDN(inverse=inverse, alpha_parameter=power, epsilon_parameter=root)
    ours = GDN(inverse=inverse, square_root=square_root)
    values = tf.random.normal((2, 5, 4, 6))
    theirs(values), ours(values)
    beta, gamma = tf.random.normal((6,)), tf.random.normal((6, 6))
    for layer in (ours.reparam_beta, theirs._beta_parameter.variable):
        layer.assign(beta)
    for layer in (ours.reparam_gamma, theirs._gamma_parameter.variable):
        layer.assign(gamma)
    assert_near(ours(values), theirs(values), 1e-6)
    with tf.GradientTape() as tape:
        mine = tape.gradient(ours(values), ours.trainable_variables)
    with tf.GradientTape() as tape:
        reference = tape.gradient(theirs(values), [theirs._beta_parameter.variable, theirs._gamma_parameter.variable])
    for own, expected in zip(mine, reference, strict=True):
        assert_near(own, expected, 1e-5)


def test_config_makes_it_anew():
    layer = GDN(inverse=True, square_root=True, gamma_init=0.2)
    again = GDN.from_config(layer.get_config())
    assert (again.inverse, again.square_root, again.gamma_init) == (True, True, 0.2)
