"""The kit is proved by mutants: each is caught by the law that should catch it, and our own parts by none."""

import subprocess
import threading

import numpy as np
import pytest

from lic.entropy.factorized import Factorized
from lic.environment import tf
from lic.errors import LicError
from lic.testing import LawError, check_entropy_model, entropy_laws
from lic.testing.entropy_laws import LAWS
from lic.testing.laws import name_of
from lic.testing.plugin import laws_of
from lic.weights import get_tensors
from tests.conftest import ENTROPY_MODELS, VARIANTS, slow_but, tiny_model
from tests.testing.entropy_mutants import DEPTH, MUTANTS, hyper, make
from tests.testing.looping_walks import LOOPING, Function
from tests.testing.only import laws_that_alone_catch
from tests.testing.sound_entropy import QUICK, SOUND


@pytest.fixture
def one_seed(monkeypatch):
    """The first process answers for the second too, which has another seed: each would import TensorFlow."""
    run, lock, answers = subprocess.run, threading.Lock(), []

    def run_once(command, **options):
        with lock:
            answers[:] = answers or [run(command, **options)]
        return answers[0]

    monkeypatch.setattr(entropy_laws.subprocess, "run", run_once)


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.law], ids=lambda mutant: mutant.make.__name__)
def test_mutants_are_caught_by_the_law_that_should(one_seed, mutant):
    with pytest.raises(LawError, match=f"{mutant.make.__name__} breaks 1 of the laws:") as caught:
        laws_of(make(mutant))[mutant.law]()
    assert mutant.law in caught.value.broken


class NegativeRandomBits(Factorized):
    """Its bits are negative, and random."""

    def call(self, latent, training=False, walk=None):
        estimated = super().call(latent, training, walk)
        noise = tf.random.uniform((), 1e6, 2e6)
        return estimated._replace(bits={name: bits - noise for name, bits in estimated.bits.items()})


def test_the_error_names_all_broken_laws():
    with pytest.raises(LawError, match="NegativeRandomBits breaks") as caught:
        check_entropy_model(NegativeRandomBits(12), quick=True)
    expected = {"all bits are named and positive", "images of a batch do not mix"}
    assert expected <= caught.value.broken.keys()


def test_every_law_has_caught_a_mutant():
    assert _names() == {mutant.law for mutant in MUTANTS if mutant.law}
    assert len(MUTANTS) > 20


@pytest.mark.slow
def test_the_part_that_mutants_start_from_keeps_every_law(one_seed):
    (sound,) = (each for each in MUTANTS if not each.law)
    check_entropy_model(make(sound))


def test_a_quick_check_leaves_out_what_takes_long():
    left_out = _names() - laws_of(tiny_model("conv", "factorized").entropy, quick=True).keys()
    assert {"another process codes the same", "cost grows no faster than positions"} <= left_out
    assert len(left_out) < 5


@pytest.mark.parametrize("name", ["checkerboard", "factorized"])
def test_our_own_keep_the_laws_that_are_quick(name):
    check_entropy_model(tiny_model("conv", name).entropy, quick=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ENTROPY_MODELS, *VARIANTS])
def test_our_own_keep_every_law(name):
    entropy, sizes = VARIANTS.get(name, (name, {}))
    check_entropy_model(tiny_model("conv", entropy, **sizes).entropy)


@pytest.mark.parametrize("name", slow_but(SOUND, *QUICK))
def test_sound_but_unusual_ones_keep_every_law(name):
    check_entropy_model(SOUND[name](), quick=name in QUICK)


@pytest.mark.parametrize("maker", [each for each in LOOPING if each is not Function])
def test_loops_and_branches_of_tensorflow_are_named_at_once(maker):
    reason = "inner graph of TensorFlow|depends on a tensor, whose numbers a graph does not know"
    with pytest.raises(LawError, match=f"breaks 1 of the laws:\n  a graph holds the walk: .*({reason})"):
        check_entropy_model(maker(DEPTH, hyper()), quick=True)


def test_a_graph_inside_an_eager_walk_is_an_error():
    with pytest.raises(LicError, match="expected a call in the walk itself. Received: a call in an inner graph"):
        check_entropy_model(Function(DEPTH, hyper()))


@pytest.mark.slow
def test_each_law_alone_catches_a_mutant():
    assert laws_that_alone_catch((lambda each=each: make(each), each.law) for each in MUTANTS) == _names()


def _names():
    return {name_of(law) for law in LAWS}


@pytest.mark.slow
def test_weights_stay_as_they_are():
    entropy = tiny_model("conv", "charm").entropy
    entropy(np.zeros((1, 4, 4, 12), np.float32))
    before = get_tensors(entropy)
    check_entropy_model(entropy)
    for name, values in get_tensors(entropy).items():
        np.testing.assert_array_equal(values, before[name])


def test_other_objects_than_entropy_models_are_refused():
    with pytest.raises(ValueError, match="expected a lic.EntropyModel. Received: str"):
        check_entropy_model("charm")
