import pytest

import lic
from lic import registry
from lic.models.published_pytorch import sizes_of

NAMES = [name for name in lic.list_models() if name.startswith("compressai-")]


def test_all_three_are_registered():
    assert len(NAMES) == 3


@pytest.mark.parametrize("name", NAMES)
def test_widths_follow_the_quality(name):
    """The zoo's models are wider from quality 6 on, mbt2018-mean from 5 on."""
    first_wide = 5 if name.endswith("mean") else 6
    for quality in range(1, 9):
        sizes = registry.models.get(name)(quality=quality).sizes
        assert (sizes["width"], sizes["latent_depth"]) == ((192, 320) if quality >= first_wide else (128, 192))


@pytest.mark.parametrize("name", NAMES)
def test_higher_qualities_weigh_distortion_more(name):
    lambdas = [registry.models.get(name)(quality=quality).lmbda for quality in range(1, 9)]
    assert lambdas == sorted(set(lambdas))


@pytest.mark.parametrize("quality", [0, 9, 2.5, 4.0, True, "4"])
def test_other_qualities_are_refused(quality):
    with pytest.raises(lic.RegistryError, match=rf"expected quality from 1 to 8.*Received: {quality!r}"):
        registry.models.get(NAMES[0])(quality=quality)


@pytest.mark.parametrize("name", NAMES)
def test_side_information_is_as_wide_as_the_convolutions(name):
    sizes = sizes_of(name, 24, 40)
    assert sizes.get("side_depth", 24) == sizes.get("hyper_width", 24) == sizes["width"] == 24
