import numpy as np
import pytest

import lic
import lic.registry
from lic.entropy import (
    EVERYTHING,
    CdfTables,
    ChARM,
    Checkerboard,
    FactorizedPrior,
    Hyperprior,
    Laplace,
    Normal,
    ScaleTable,
)
from lic.environment import keras, tf
from lic.layers import Convolution
from lic.testing.walks import Walks
from tests.codec.priors_in_a_child import PriorsInAChild
from tests.conftest import ENTROPY_MODELS, random_images, tiny_model


class TwoPriors(lic.EntropyModel):
    """Side information and latent, each under a factorized prior."""

    def __init__(self, latent_depth, hyper, **kwargs):
        super().__init__(latent_depth, hyper, **kwargs)
        self.second = FactorizedPrior(latent_depth)

    def walk(self, coder):
        features = coder.side(self.hyper, self.prior)
        return coder.code(EVERYTHING, self.second) + 0 * tf.reduce_sum(features)


@pytest.fixture
def hyper():
    return lic.registry.hyper_transforms.get("conv")(6, 8, 4)


def test_several_priors_have_tables_of_their_own(hyper):
    entropy = TwoPriors(6, hyper)
    entropy(np.zeros((1, 4, 4, 6), np.float32))
    assert entropy.sources == {"likelihood": Normal(), "prior": entropy.prior, "second": entropy.second}
    assert entropy.make_tables().sources == (("likelihood", 64), ("prior", 4), ("second", 6))


def test_sources_are_in_the_order_of_their_paths_in_every_keras():
    entropy = PriorsInAChild(6)
    entropy(np.zeros((1, 4, 4, 6), np.float32))
    assert list(entropy.sources) == ["inner/early", "inner/late", "likelihood", "prior"]
    assert [count for _, count in entropy.make_tables().sources] == [3, 3, 64, 6]


def test_priors_inside_a_child_are_coded_each_under_its_own_table():
    entropy = PriorsInAChild(6)
    latent = tf.random.normal((1, 9, 9, 6), stddev=8.0)
    bits = tf.add_n(list(entropy(latent).bits.values()))
    string = Walks(entropy).encode(latent).string
    assert 8 * len(string.numpy()) == pytest.approx(float(bits[0]), rel=0.02)


def test_the_table_of_scales_belongs_to_the_likelihood(hyper):
    entropy = TwoPriors(6, hyper, likelihood=Laplace((8, 0.5, 32.0, "up")))
    assert entropy.likelihood.scales == ScaleTable(8, 0.5, 32.0, "up")
    assert entropy.get_config()["likelihood"]["config"]["scales"] == [8, 0.5, 32.0, "up"]
    tables = entropy.make_tables()
    assert len(tables.cdf_offset) == 4 + 6 + 8
    again = CdfTables.from_arrays(tables.arrays(), tables.described(), entropy.sources)
    np.testing.assert_array_equal(again.cdf, tables.cdf)


def test_likelihood_bound_is_of_estimates_alone(hyper):
    latent = np.full((1, 4, 4, 6), 1e4, np.float32)
    plain = lic.registry.entropy_models.get("factorized")(6)
    bounded = lic.registry.entropy_models.get("factorized")(6, likelihood_bound=1e-9)
    most = latent.size * np.log2(1e9)
    assert float(plain(latent).bits["latent"][0]) > most
    assert float(bounded(latent).bits["latent"][0]) == pytest.approx(most, rel=1e-5)
    values = tf.Variable(latent)
    with tf.GradientTape() as tape:
        bits = bounded(tf.convert_to_tensor(values), training=True).bits["latent"]
    assert np.all(tape.gradient(bits, values) > 0)  # Back to where numbers are probable.


def test_a_walk_must_be_written():
    class NoWalk(lic.EntropyModel):
        pass

    with pytest.raises(NotImplementedError, match="NoWalk.*walk"):
        NoWalk(4)(np.zeros((1, 2, 2, 4), np.float32))


def _walk(walk):
    """Returns an entropy model with a walk, which a function of model and coder takes."""
    return type("Own", (lic.EntropyModel,), {"walk": walk})(6, lic.transforms.ConvHyperTransform(6, 8, 4, 8))


@pytest.mark.parametrize(
    ("walk", "message"),
    [
        (lambda self, coder: None, r"Own.walk: expected the quantised latent \(1, 3, 4, 6\).* Received: NoneType"),
        (lambda self, coder: (coder.zeros, 1), "Received: tuple"),
        (lambda self, coder: coder.zeros[..., :5], r"Received: the shape \(1, 3, 4, 5\)"),
        (lambda self, coder: coder.code("all", self.prior), "coder.code: expected part to be a part.* Received: str"),
        (lambda self, coder: coder.side(self.prior, self.hyper), "expected hyper to be a lic.HyperTransform"),
        (lambda self, coder: coder.side(self.hyper, 5), "coder.side: expected prior to be a FactorizedPrior or .*int"),
        (lambda self, coder: coder.side(None, self.prior), "expected hyper to be a lic.HyperTransform.*NoneType"),
    ],
)
def test_slips_in_a_walk_are_named(walk, message):
    with pytest.raises(ValueError, match=message):
        _walk(walk)(np.zeros((1, 3, 4, 6), np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 4, 2), None),
        ((4, 4, 2), r"Halves: expected the analysis to make \(1, 2, 2, 4\) of latents .* Received: \(1, 4, 3, 4\)"),
        ((2, 5, 2), r"by downscale=2 and depth=5. Received: \(1, 4, 3, 4\)"),
        ((2, 4, 1), r"Halves: expected features of at least the latent's \(7, 5\) positions. Received: \(4, 3\)"),
    ],
)
def test_a_hyper_transform_does_what_it_declares(arguments, message):
    class Halves(lic.HyperTransform):
        def __init__(self, downscale, depth, up):
            super().__init__(depth, 8, downscale)
            self.analysis, self.synthesis = Convolution(4, 3, down=2), Convolution(8, 3, up=up)

    latent = np.zeros((1, 7, 5, 6), np.float32)
    if message is None:
        Hyperprior(6, Halves(*arguments))(latent)
        return
    with pytest.raises(ValueError, match=message):
        Hyperprior(6, Halves(*arguments))(latent)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_depth": 0}, "expected latent_depth to be at least 1. Received: 0"),
        ({"likelihood": None}, "expected likelihood to be a lic.Likelihood. Received: likelihood=None"),
        ({"hyper": "conv"}, "expected hyper to be a lic.HyperTransform, such as .* Received: 'conv'"),
        ({"quantization": "none"}, "expected quantization to be one of"),
        ({"likelihood": "laplace"}, "expected likelihood to be a lic.Likelihood, such as .* Received: 'laplace'"),
        ({"likelihood": Laplace}, "expected likelihood to be a lic.Likelihood"),
        ({"likelihood_bound": 0}, "expected likelihood_bound to be None or between 0 and 1. Received: 0"),
    ],
)
def test_wrong_arguments_are_named(hyper, arguments, message):
    with pytest.raises(ValueError, match=message):
        TwoPriors(**{"latent_depth": 6, "hyper": hyper} | arguments)


@pytest.mark.parametrize("entropy", [Hyperprior, ChARM, Checkerboard])
def test_a_hyper_transform_that_is_needed_is_not_none(entropy):
    with pytest.raises(
        ValueError, match=f"{entropy.__name__}: expected hyper to be a lic.HyperTransform. Received: .*None"
    ):
        entropy(8, None)


@pytest.mark.parametrize("build", [False, True], ids=["in order", "set again"])
def test_a_source_has_the_same_path_in_whatever_order_attributes_are_set(hyper, build):
    class Two(TwoPriors):
        def __init__(self, latent_depth, hyper):
            super().__init__(latent_depth, hyper)
            if build:
                self.beta = None
            self.alpha = Laplace()
            self.beta = Laplace()

    assert list(Two(6, hyper).sources) == ["alpha", "likelihood", "prior", "second"]


class CodesUnder(lic.EntropyModel):
    """Codes everything under what a function of the model and the coder gives."""

    def __init__(self, latent_depth):
        super().__init__(latent_depth)
        self.own = OwnPrior(latent_depth)
        self.__dict__["choose"] = None

    def walk(self, coder):
        return coder.code(EVERYTHING, self.choose(self, coder))


class OwnPrior(lic.Distribution, keras.layers.Layer):
    """A prior that derives from `lic.Distribution` alone."""

    offset = 0.0
    num_pmfs = 1

    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.built = True

    @property
    def shape(self):
        return tf.TensorShape((None, None, None, self.channels))

    def bits(self, centred):
        return 3.0 * tf.ones_like(centred)

    def pmf_index(self):
        return tf.zeros([self.channels], "int32")

    def pmfs(self):
        return [(-4, np.append(np.full(8, 0.125), 0.0))]


def test_an_own_prior_that_is_an_attribute_is_coded():
    entropy = CodesUnder(6)
    entropy.__dict__["choose"] = lambda model, coder: model.own
    latent = tf.random.uniform((1, 5, 4, 6), -3.4, 3.4)
    walks = Walks(entropy)
    encoded = walks.encode(latent)
    np.testing.assert_array_equal(walks.decode(encoded.string, tf.zeros_like(latent)).y_hat, np.rint(latent))
    assert list(entropy.sources) == ["likelihood", "own", "prior"]


@pytest.mark.parametrize(
    "choose",
    [
        lambda model, coder: Laplace().of(coder.zeros, coder.zeros),
        lambda model, coder: Normal((8, 0.5, 32.0)).of(coder.zeros, coder.zeros),
        lambda model, coder: STRAY,
    ],
    ids=["another likelihood", "another table", "a prior that is no attribute"],
)
def test_a_walk_under_something_else_is_refused_at_the_first_call(choose):
    entropy = CodesUnder(6)
    entropy.__dict__["choose"] = choose
    with pytest.raises(lic.LicError, match="The part 'latent' is coded under .* which the coder's tables do not have"):
        entropy(np.zeros((1, 4, 4, 6), np.float32))


STRAY = FactorizedPrior(6)


@pytest.mark.parametrize("name", ENTROPY_MODELS)
def test_fresh_weights_predict_no_huge_numbers(name):
    """Steps that see what the step before has predicted would start a training at thousands of bits for a number."""
    measured = tiny_model("conv", name)(random_images(2, 64, 64, 3).astype(np.float32))
    assert sum(float(np.sum(bits)) for bits in measured.bits.values()) < 8 * np.size(measured.y)
