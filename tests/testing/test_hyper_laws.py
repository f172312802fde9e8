import pytest

from lic import registry
from lic.testing import LawError, check_hyper_transform, check_transform
from lic.testing.hyper_laws import LAWS
from lic.testing.laws import name_of
from lic.testing.plugin import laws_of
from tests.conftest import VARIANTS, tiny_sizes
from tests.testing.only import laws_that_alone_catch
from tests.testing.transform_mutants import HYPER_MUTANTS, HyperIsRandom, SoundHyper


@pytest.mark.parametrize(
    "mutant", [each for each in HYPER_MUTANTS if each.law], ids=lambda mutant: mutant.make.__name__
)
def test_mutants_are_caught_by_the_law_that_should(mutant):
    with pytest.raises(LawError, match=f"{mutant.make.__name__} breaks 1 of the laws:") as caught:
        laws_of(mutant.make())[mutant.law]()
    assert mutant.law in caught.value.broken


def test_the_error_names_all_broken_laws():
    with pytest.raises(LawError, match="HyperIsRandom breaks") as caught:
        check_hyper_transform(HyperIsRandom())
    assert "the same latent gives the same every time" in caught.value.broken


def test_each_law_alone_catches_a_mutant():
    assert laws_that_alone_catch((each.make, each.law) for each in HYPER_MUTANTS) == {name_of(law) for law in LAWS}


OWN = ["bottleneck-swin", "conv", "mixed", "partial", "rwkv", "subpixel", "swin"]


def test_every_registered_name_is_tested_here():
    assert registry.hyper_transforms.names() == OWN


@pytest.mark.parametrize("name", [*OWN, "bmshj2018", "mbt2018-mean"])
def test_our_own_keep_every_law(name):
    sizes = VARIANTS[name][1] if name in VARIANTS else {}
    maker = registry.hyper_transforms.get("conv" if name in VARIANTS else name)
    check_transform(maker(**tiny_sizes(maker, **sizes)))  # It recognises hyper transforms.


def test_the_latents_depth_is_that_of_the_constructor_or_given():
    check_hyper_transform(SoundHyper(7))
    check_hyper_transform(SoundHyper())


def test_a_depth_that_no_argument_gives_is_asked_for():
    class Nameless(SoundHyper):
        def __init__(self):
            super().__init__()

    with pytest.raises(ValueError, match="expected latent_depth, since Nameless was made without one"):
        check_hyper_transform(Nameless())
    check_hyper_transform(Nameless(), latent_depth=12)
