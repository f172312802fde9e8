import pytest

from lic import registry
from lic.environment import tf
from lic.testing import LawError, check_transform
from lic.testing.laws import name_of
from lic.testing.plugin import laws_of
from lic.testing.transform_laws import (
    LAWS,
    configuration_and_weights_make_it_anew,
    tiles_give_what_the_whole_image_gives,
    trial_of_transform,
)
from lic.transforms import ConvTransform
from tests.conftest import VARIANTS, slow_but, tiny_sizes
from tests.testing.only import laws_that_alone_catch
from tests.testing.sound_transforms import QUICK, SOUND
from tests.testing.transform_mutants import MUTANTS, SeesFurtherThanItsTiles, Sound, Spoilt, SqueezesAndExcites


def _tiny(name):
    sizes = VARIANTS[name][1] if name in VARIANTS else {}
    maker = registry.transforms.get("conv" if name in VARIANTS else name)
    return maker(**tiny_sizes(maker, **sizes))


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.law], ids=lambda mutant: mutant.make.__name__)
def test_mutants_are_caught_by_the_law_that_should(mutant):
    with pytest.raises(LawError, match=f"{mutant.make.__name__} breaks 1 of the laws:") as caught:
        laws_of(mutant.make())[mutant.law]()
    assert mutant.law in caught.value.broken


def test_every_law_has_caught_a_mutant():
    assert _names() == {mutant.law for mutant in MUTANTS if mutant.law}


@pytest.mark.slow
def test_each_law_alone_catches_a_mutant():
    assert laws_that_alone_catch((each.make, each.law) for each in MUTANTS) == _names()


def _names():
    return {name_of(law) for law in (*LAWS, configuration_and_weights_make_it_anew)}


@pytest.mark.parametrize("name", slow_but(SOUND, *QUICK))
def test_sound_but_unusual_ones_keep_every_law(name):
    check_transform(SOUND[name]())


def test_two_layers_declare_how_far_they_see():
    far, whole = SeesFurtherThanItsTiles(), SqueezesAndExcites()
    for layers, overlap in (((far.analysis, far.synthesis), 8), ((whole.analysis, whole.synthesis), None)):
        with pytest.raises(LawError, match=r"tile_overlap=4 \(None if layers see the whole image\)"):
            trial_of_transform(*layers).check(tiles_give_what_the_whole_image_gives)
        trial_of_transform(*layers, overlap=overlap).check(*LAWS[:3])


OWN = ["bottleneck", "conv", "klt", "mixed", "partial", "residual", "rwkv", "swin"]


@pytest.mark.parametrize("name", slow_but([*OWN, "bls2017"], *OWN))
def test_our_own_keep_every_law(name):
    check_transform(_tiny(name))


def test_the_part_that_mutants_start_from_keeps_every_law():
    check_transform(Sound())


def test_two_layers_are_checked_as_a_pair():
    transform = Sound()
    check_transform(transform.analysis, transform.synthesis)
    with pytest.raises(LawError, match=r"(?s)Sequential and Spoilt breaks.*downscale and depth are as declared"):
        check_transform(transform.analysis, Spoilt(tf.identity))


@pytest.mark.parametrize("given", [("conv",), (Sound, "no layer")])
def test_other_objects_than_transforms_are_refused(given):
    with pytest.raises(ValueError, match="check_transform: expected a lic.Transform"):
        check_transform(*given)


def test_images_have_the_channels_of_the_transform():
    check_transform(ConvTransform(width=4, latent_depth=6, channels=4, analysis_strides=(4,)), quick=True)

    class Undeclared(ConvTransform):
        """It is made for four channels, and does not say so."""

        def __init__(self, **kwargs):
            super().__init__(width=4, latent_depth=6, channels=4, analysis_strides=(4,), **kwargs)
            self.channels = 3

    with pytest.raises(LawError):
        check_transform(Undeclared(), quick=True)


def test_two_layers_of_grey_are_checked():
    transform = ConvTransform(width=4, latent_depth=6, channels=1, analysis_strides=(4,))
    check_transform(transform.analysis, transform.synthesis, channels=1, quick=True)
