import functools

import numpy as np
import pytest

import lic
from lic.environment import policy, tf
from lic.testing import LawError, check_model
from lic.testing.laws import name_of
from lic.testing.model_laws import LAWS, trials_of_model
from lic.testing.plugin import laws_of
from lic.weights import get_tensors
from tests.conftest import slow_but, tiny_model
from tests.testing.entropy_mutants import DEPTH, KeepsState, hyper
from tests.testing.only import laws_that_alone_catch
from tests.testing.sound_models import MODELS
from tests.testing.transform_mutants import KnowsWhereItIs, Sound


@pytest.mark.parametrize(
    ("transform", "entropy"),
    slow_but([("conv", "charm"), ("swin", "hyperprior"), ("klt", "factorized")], ("klt", "factorized")),
)
def test_our_own_keep_every_law(transform, entropy):
    model = tiny_model(transform, entropy)
    before = get_tensors(model)
    check_model(model, quick=(transform, entropy) == ("klt", "factorized"))
    for name, values in get_tensors(model).items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize("entropy", slow_but(["factorized", "checkerboard"], "factorized"))
def test_a_model_of_several_rates_keeps_those_of_models_too(entropy):
    model = tiny_model("klt", entropy, lmbda=(0.002, 0.02))
    trials_of_model(model)["model"].check(quick=entropy == "factorized")


def test_broken_parts_are_named_with_their_kind():
    model = lic.CompressionModel(KnowsWhereItIs(), KeepsState(DEPTH, hyper()))
    with pytest.raises(LawError) as caught:
        check_model(model, quick=True)
    assert "transform: moving the image moves the latent" in caught.value.broken
    assert "entropy model: the same latent gives the same every time" in caught.value.broken
    # The laws of hyper transforms are tried too, and this one is sound.
    assert not [law for law in caught.value.broken if law.startswith("hyper transform")]


class _Mutant(lic.CompressionModel):
    """A model that is broken in one way."""


def _made(mutant):
    parts = tiny_model("klt", "factorized")
    return mutant(parts.transform, parts.entropy)


class CropsTooMuch(_Mutant):
    def call(self, images, training=False, quality=None):
        compressed = super().call(images, training, quality)
        return compressed._replace(x_hat=compressed.x_hat[:, :-1])


class EnlargesTinyImages(_Mutant):
    def call(self, images, training=False, quality=None):
        compressed = super().call(images, training, quality)
        missing = tf.maximum(8 - tf.shape(images)[1], 0)
        return compressed._replace(x_hat=tf.pad(compressed.x_hat, [(0, 0), (0, missing), (0, 0), (0, 0)]))


class ReportsNoPSNR(_Mutant):
    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training, quality)
        return losses | {"psnr": losses["psnr"] * float("nan")}


class ReturnsAnotherLatent(_Mutant):
    def call(self, images, training=False, quality=None):
        compressed = super().call(images, training, quality)
        return compressed._replace(y=compressed.y + 0.5)


class HasNoLoss(_Mutant):
    def distortion_of(self, images, decoded):
        return super().distortion_of(images, decoded) * float("nan")


class DividesByTheContrast(_Mutant):
    def distortion_of(self, images, decoded):
        return super().distortion_of(images, decoded) / tf.math.reduce_variance(images, (1, 2, 3))


class HasNoGradientAtBlack(_Mutant):
    """For a black image it takes the norm of zeros."""

    def distortion_of(self, images, decoded):
        brightest = tf.reduce_max(images, (1, 2, 3), keepdims=True)
        return super().distortion_of(images, decoded) + 1e-6 * tf.norm(decoded * brightest, axis=(1, 2))[..., 0]


class DoesNotLearn(_Mutant):
    def train_step(self, data):
        return self.test_step(data)


class BrokenConfiguration(_Mutant):
    def get_config(self):
        return super().get_config() | {"lmbda": float(np.random.default_rng().uniform())}


class CountsPaddedPixels(_Mutant):
    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training, quality)
        return losses | {"bpp": 0.8 * losses["bpp"]}


class WeighsTwice(_Mutant):
    def weighted_distortion(self, images, decoded, quality):
        return 2 * super().weighted_distortion(images, decoded, quality)


class BrightensItsImage(_Mutant):
    def call(self, images, training=False, quality=None):
        compressed = super().call(images, training, quality)
        return compressed._replace(x_hat=compressed.x_hat + 5)


class SmoothsOutsideOfTheSynthesis(_Mutant):
    """A codec holds the transform, and not what a subclass of the model does after it."""

    def synthesise(self, y_hat):
        return super().synthesise(y_hat) * 0.5 + 60


class StopsTheGradient(_Mutant):
    def distortion_of(self, images, decoded):
        return super().distortion_of(images, tf.stop_gradient(decoded))


CAUGHT_BY = {
    CountsPaddedPixels: "bits and distortion make the loss",
    WeighsTwice: "bits and distortion make the loss",
    BrightensItsImage: "x hat is the synthesis of y hat",
    SmoothsOutsideOfTheSynthesis: "a codec decodes to the image of the model",
    StopsTheGradient: "training reaches every variable",
    EnlargesTinyImages: "every size comes back",
    ReportsNoPSNR: "losses are finite",
    ReturnsAnotherLatent: "x hat is the synthesis of y hat",
    CropsTooMuch: "every size comes back",
    HasNoLoss: "losses are finite",
    DividesByTheContrast: "losses are finite",
    HasNoGradientAtBlack: "a step of training changes weights",
    DoesNotLearn: "a step of training changes weights",
    BrokenConfiguration: "configuration and weights make it anew",
}


@pytest.mark.parametrize("mutant", slow_but(CAUGHT_BY, *(CAUGHT_BY.keys() - {HasNoGradientAtBlack})))
def test_mutants_are_caught_by_the_law_that_should(mutant):
    with pytest.raises(LawError, match="The model breaks 1 of the laws:") as caught:
        laws_of(_made(mutant))[f"model: {CAUGHT_BY[mutant]}"]()
    assert CAUGHT_BY[mutant] in caught.value.broken


def test_every_law_has_caught_a_mutant():
    assert {name_of(law) for law in LAWS} == set(CAUGHT_BY.values())


@pytest.mark.slow
def test_each_law_alone_catches_a_mutant():
    mutants = [(functools.partial(_made, mutant), law) for mutant, law in CAUGHT_BY.items()]
    alone = laws_that_alone_catch(mutants, lambda model: trials_of_model(model)["model"])
    assert alone == {name_of(law) for law in LAWS}


@pytest.mark.parametrize("name", slow_but(MODELS, "absolute error"))
def test_sound_but_unusual_ones_keep_every_law(name):
    trials = trials_of_model(MODELS[name]())
    if name == "absolute error":
        trials["model"].check(quick=True)
    else:
        for trial in trials.values():
            trial.check()


def test_a_model_may_have_a_loss_of_its_own():
    laws_of(MODELS["own loss"]())["model: bits and distortion make the loss"]()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_breaks_no_law(name):
    with policy(name):  # Under mixed_float16 no model can be trained, so the law about a step is left out.
        check_model(tiny_model("conv", "hyperprior"), quick=name == "mixed_float16")


def test_other_objects_than_models_are_refused():
    with pytest.raises(ValueError, match="expected a lic.CompressionModel. Received: Sound"):
        check_model(Sound())
