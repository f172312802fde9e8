"""Which codecs are measured, and at which qualities."""

import pytest

import lic
from lic.errors import LicError, RegistryError
from lic.evaluation.candidates import classic, learned
from tests.conftest import tiny_model


@pytest.fixture(scope="module")
def variable():
    return lic.Codec(tiny_model("klt", "factorized", lmbda=(0.01, 0.02, 0.04)))


def test_a_codec_has_all_of_its_qualities_or_those_that_are_asked_for(variable):
    assert learned(variable).qualities == (1, 2, 3)
    assert learned(variable, [1.5, 3]).qualities == (1.5, 3)


def test_a_file_is_named_by_its_stem_and_chooses_behind_an_equals_sign(variable, tmp_path):
    path = tmp_path / "a=b.codec"
    variable.save(path)
    candidate = learned(f"{path}=1,2.5", [3])
    assert (candidate.name, candidate.qualities) == ("a=b", (1, 2.5))
    assert learned(path).name == "a=b"
    assert candidate.facts["fingerprint"] == variable.fingerprint.hex()
    assert "tile=32" in learned(path, tile=32).facts["settings"]


def test_one_rate_is_measured_once():
    assert learned(lic.Codec(tiny_model("klt", "factorized")), [1, 2]).qualities == (None,)


def test_a_quality_that_a_codec_lacks_says_how_to_give_each_its_own(variable):
    with pytest.raises(LicError, match=r"from 1 to 3. Received: 50.*codec=1,3"):
        learned(variable, [50])


def test_classical_codecs_have_qualities_of_their_own_too():
    assert classic("jpeg").qualities[0] == 5
    assert classic("jpeg", [7]).qualities == (7,)
    assert classic("jpegxl=2,1.5", [7]).qualities == (2, 1.5)
    assert "Pillow" in classic("jpeg").facts["settings"]


def test_what_cannot_be_read_is_named():
    with pytest.raises(LicError, match="NAME=Q,Q"):
        classic("jpeg=high")
    with pytest.raises(RegistryError, match="jpegxl"):
        classic("jpgxl")
