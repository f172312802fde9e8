import numpy as np
import pytest

import lic
from lic.entropy import GeneralizedNormalPerChannel, Laplace, Logistic, Normal, NormalMixture
from lic.entropy.distributions.normal_mixture import NormalMixtureDistribution
from lic.entropy.range_coding.fixed_point import NORMALS
from lic.environment import tf
from lic.testing import LawError, check_likelihood
from lic.testing.laws import name_of
from lic.testing.likelihood_laws import LAWS
from lic.testing.plugin import laws_of
from tests.conftest import slow_but
from tests.testing.only import laws_that_alone_catch
from tests.testing.sound_entropy import LIKELIHOODS

MUTANTS = []


def caught_by(law):
    def register(maker):
        MUTANTS.append((maker, law))
        return maker

    return register


@pytest.mark.parametrize("name", lic.list_likelihoods())
def test_our_own_keep_every_law(name):
    options = {"generalized-normal-per-channel": {"latent_depth": 3, "shapes": (4, 0.6, 2.5)}}.get(name, {})
    check_likelihood(lic.registry.likelihoods.get(name)(**options))


@pytest.mark.parametrize("likelihood", [Normal((8, 0.5, 32.0, "up")), Laplace((100, 0.05, 300.0))], ids=["up", "many"])
def test_they_keep_them_with_other_tables_of_scales(likelihood):
    check_likelihood(likelihood)


def test_something_else_is_refused():
    with pytest.raises(ValueError, match=r"check_likelihood: expected a lic.Likelihood. Received: ABCMeta"):
        check_likelihood(Normal)


@caught_by("a distribution has the shape of its numbers")
class BroadcastsItsScale(Normal):
    """One scale index for all channels."""

    def __call__(self, parameters):
        mean, index = tf.split(parameters, 2, -1)
        return self.of(mean, tf.reduce_mean(index, -1, keepdims=True) + 0 * index[..., :1])


@caught_by("a distribution has the shape of its numbers")
class CannotBeEmpty(Normal):
    """It fails for a part without channels."""

    def of(self, mean, index):
        tf.debugging.assert_greater(tf.size(mean), 0)
        return super().of(mean, index)


@caught_by("bits are those of the tables")
class TablesOfAnotherFamily(Normal):
    """The tables are those of the logistic distribution."""

    upper_tail = staticmethod(Logistic.upper_tail)


@caught_by("bits are those of the tables")
class CodesAShapeThatTheTablesDoNotKnow(GeneralizedNormalPerChannel):
    """The bits are those of the learnt shapes, not those of the nearest shapes in the tables."""

    def __init__(self):
        super().__init__(latent_depth=3, shape=1.0, shapes=(3, 0.5, 3.0))

    def of(self, mean, index):
        distribution = super().of(mean, index)
        as_coded, learnt = distribution.as_coded, distribution.shape_index

        def with_the_learnt_shape():
            coded = as_coded()
            coded.shape_index, coded.as_coded = learnt, with_the_learnt_shape
            return coded

        distribution.as_coded = with_the_learnt_shape
        return distribution


class OfChangedNumbers(NormalMixtureDistribution):
    """Describes itself to the coder by other whole numbers than its bits are of."""

    def mixtures(self):
        mixtures = super().mixtures()
        return mixtures + tf.one_hot(self.likelihood.changed, mixtures.shape[-1], self.likelihood.by, 0, dtype=tf.int32)

    def as_coded(self):
        return OfChangedNumbers(*vars(super().as_coded()).values())


class ChangesMixtures(NormalMixture):
    """Its distributions add `by` to a number of their description."""

    changed, by = 0, 0

    def __call__(self, parameters):
        return OfChangedNumbers(*vars(super().__call__(parameters)).values())


@caught_by("bits are those of the counts")
class WeightsDoNotSumToOne(ChangesMixtures):
    """The first normal has a weight too much."""

    changed, by = NORMALS, 3000


@caught_by("bits are those of the counts")
class CountsByAnotherMean(ChangesMixtures):
    """The coder counts with a mean that lies beside."""

    changed, by = NORMALS + 1, 100


@caught_by("bits between integers lie on straight lines")
class RoundsBetweenIntegers(Normal):
    """Between integers its bits are those of the nearest one."""

    def of(self, mean, index):
        distribution = super().of(mean, index)
        distribution.bits_between_integers = lambda centred: distribution.bits(tf.round(centred))
        distribution.as_coded = lambda: self.of(mean, tf.round(tf.clip_by_value(index, 0.0, 63.0)))
        return distribution


@caught_by("probabilities sum to one")
class ForgetsTheEscape(Laplace):
    """The probability of all other symbols is added to that of the first."""

    def pmfs(self):
        for first, probabilities in super().pmfs():
            yield first, np.append(probabilities[:-1] * 1.01, probabilities[-1])


@caught_by("probabilities sum to one")
class CountsItsEndsOften(Laplace):
    """The ends of its long tables are far more probable than its bits say."""

    def pmfs(self):
        for first, probabilities in super().pmfs():
            ends = np.ones(len(probabilities))
            ends[[0, -1]] = 1e4 if len(ends) > 9 else 1
            yield first, probabilities * ends


@caught_by("gradients are finite far out")
class TakesARootOfWhatItDoesNotUse(Normal):
    """`tf.where` chooses among finite bits, but the branch that it does not take has no gradient."""

    def of(self, mean, index):
        distribution = super().of(mean, index)
        bits = distribution.bits
        distribution.bits = lambda centred: bits(centred) + tf.where(centred > 1e5, tf.pow(centred - 1e5, 0.5), 0.0)
        return distribution


@caught_by("gradients are finite far out")
class LosesItsTail(Logistic):
    """Far out, it takes the logarithm of zero."""

    @staticmethod
    def log_cdf(values):
        return tf.math.log(tf.sigmoid(values))


@caught_by("coding rounds to a distribution of the tables")
class NeverTheSameTwice(Normal):
    """The distribution that it is coded as changes each time."""

    def of(self, mean, index):
        distribution = super().of(mean, index)
        distribution.as_coded = lambda: self.of(mean, index + 1.0)
        return distribution


@caught_by("coding rounds to a distribution of the tables")
class RestoresAnotherNumber(Normal):
    """It does not undo what it does to numbers before they are rounded."""

    def of(self, mean, index):
        distribution = super().of(mean, index)
        distribution.restore = lambda centred: centred + tf.round(mean)
        return distribution


@caught_by("tables are deterministic")
class DrawsItsTables(Normal):
    """Its tables hold a little noise."""

    noise = 3e-4
    random = np.random.default_rng(0)

    def pmfs(self):
        for first, probabilities in super().pmfs():
            noisy = probabilities * (1 + self.noise * self.random.random(len(probabilities)))
            yield first, noisy / noisy.sum()


@caught_by("tables are deterministic")
class DrawsMuchNoise(DrawsItsTables):
    """Its tables hold more noise than its bits allow."""

    noise = 1e-2


@caught_by("start gives parameters of the right spread")
class StartsAnywhere(Laplace):
    """It starts at the same scale for every deviation."""

    def start(self, deviations):
        return super().start(np.ones_like(deviations))


@caught_by("start gives parameters of the right spread")
class DeclaresItsVariance(Laplace):
    """Its `deviation` is the variance at scale one."""

    deviation = 2.0


@pytest.mark.parametrize(("maker", "law"), MUTANTS, ids=lambda value: getattr(value, "__name__", ""))
def test_mutants_are_caught(maker, law):
    with pytest.raises(LawError, match="breaks 1 of the laws:") as caught:
        laws_of(maker())[law]()
    assert law in caught.value.broken


def test_the_error_names_all_broken_laws():
    with pytest.raises(LawError) as caught:
        check_likelihood(StartsAnywhere())
    assert "start gives parameters of the right spread" in caught.value.broken


def test_every_law_has_caught_a_mutant():
    assert {law for _, law in MUTANTS} == {name_of(law) for law in LAWS}


@pytest.mark.slow
def test_each_law_alone_catches_a_mutant():
    assert laws_that_alone_catch(MUTANTS) == {name_of(law) for law in LAWS}


@pytest.mark.parametrize("name", slow_but(LIKELIHOODS, "Stretched"))
def test_sound_but_unusual_ones_keep_every_law(name):
    check_likelihood(LIKELIHOODS[name]())
