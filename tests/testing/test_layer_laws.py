import numpy as np
import pytest

from lic.environment import keras, tf
from lic.layers import GDN, Convolution, Sequential
from lic.layers.base import Layer
from lic.testing import LawError, check_layer
from lic.testing.laws import name_of
from lic.testing.layer_laws import LAWS, trial_of_layer
from lic.transforms import ConvTransform
from tests.conftest import slow_but
from tests.testing.only import laws_that_alone_catch

SHAPE = (None, None, None, 3)


class Sound(Layer):
    """The layer that all mutants start from."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.inner = keras.layers.Dense(width)

    def call(self, values):
        return self.inner(values)


class ForgetsItsWidth(Sound):
    def get_config(self):
        return super().get_config() | {"width": 4}


class ForgetsThatItIsFrozen(Sound):
    def get_config(self):
        return super().get_config() | {"trainable": True}


class ComputesWithItsAge(Sound):
    """Its output depends on a number that is no weight."""

    made = 0

    def __init__(self, width=4, **kwargs):
        super().__init__(width, **kwargs)
        type(self).made += 1
        self.age = float(type(self).made)

    def call(self, values):
        return self.inner(values) * self.age


class KeepsItsAgeInFiles(ComputesWithItsAge):
    """The number is in files, as Keras lets a layer write more than its weights, and not in its weights."""

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["age"] = np.array(self.age)

    def load_own_variables(self, store):
        self.age = float(np.array(store["age"]))
        super().load_own_variables({})


class BuildsTooLittle(Sound):
    def build(self, input_shape):
        self.built = True


class IsNotRegistered(keras.layers.Layer):
    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.width = keras.layers.Dense(width), width

    def build(self, input_shape):
        self.inner.build(input_shape)
        super().build(input_shape)

    def call(self, values):
        return self.inner(values)

    def get_config(self):
        return super().get_config() | {"width": self.width}


def _frozen(maker):
    layer = maker(5)
    layer.trainable = False
    return layer


MUTANTS = [
    (lambda: ForgetsItsWidth(5), "weights make a copy equal"),
    (lambda: _frozen(ForgetsThatItIsFrozen), "configuration makes it anew"),
    (lambda: ComputesWithItsAge(5), "weights make a copy equal"),
    (lambda: KeepsItsAgeInFiles(5), "weights make a copy equal"),
    (lambda: BuildsTooLittle(5), "build makes the weights that a call makes"),
    (lambda: IsNotRegistered(5), "a keras file holds it"),
]


@pytest.mark.parametrize(("make", "law"), MUTANTS)
def test_mutants_are_caught_by_the_law_that_should(make, law):
    (wanted,) = (each for each in LAWS if name_of(each) == law)
    with pytest.raises(LawError, match=law):
        trial_of_layer(make(), SHAPE).check(wanted)


def test_each_law_alone_catches_a_mutant():
    alone = laws_that_alone_catch(MUTANTS, lambda layer: trial_of_layer(layer, SHAPE))
    assert alone == {name_of(law) for law in LAWS}


LAYERS = {
    "sound": lambda: Sound(5),
    "frozen": lambda: _frozen(Sound),
    "sequential": lambda: Sequential(
        [Convolution(4, 3, up=2, activation="leaky_relu_0.01"), keras.layers.ReLU(), GDN()]
    ),
    "dense": lambda: keras.layers.Dense(3),
    "normalised": lambda: keras.layers.BatchNormalization(),
    "conv": lambda: ConvTransform(8, 12),
}


@pytest.mark.parametrize("name", slow_but(LAYERS, "sound", "frozen", "sequential"))
def test_sound_layers_keep_every_law(name):
    layer = LAYERS[name]()
    layer(tf.zeros((1, 16, 16, 3)))
    before = layer.get_weights()
    check_layer(layer, SHAPE)
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_something_else_is_refused():
    with pytest.raises(ValueError, match="expected a Keras layer. Received: int"):
        check_layer(3, SHAPE)


class TakesWholeNumbers(Sound):
    def build(self, input_shape):
        self.inner.build((*input_shape, 6))
        self.built = True

    def call(self, values):
        return self.inner(tf.one_hot(values, 6))


def test_a_layer_that_takes_no_random_numbers_is_given_others():
    match = r"(?s)takes inputs of the type float32 and the shape \(2, 5\). Received: TakesWholeNumbers, .* as inputs."
    with pytest.raises(ValueError, match=match):
        check_layer(TakesWholeNumbers(), (None, 5))
    for layer in (TakesWholeNumbers(), keras.layers.Embedding(6, 3)):
        check_layer(layer, (None, 5), inputs=np.array([[0, 1, 2, 3, 5]], np.int32))
