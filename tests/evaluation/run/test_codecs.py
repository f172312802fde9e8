import pytest

import lic
from lic.errors import EvaluationError, ImageError, RegistryError
from lic.evaluation.run.codecs import EvaluatedCodec
from tests.conftest import tiny_model


@pytest.fixture(scope="module")
def variable():
    return lic.Codec(tiny_model("klt", "factorized", lmbda=(0.01, 0.02, 0.04)))


def test_a_codec_has_all_of_its_qualities_or_those_that_are_asked_for(variable):
    assert EvaluatedCodec.learned(variable).qualities == (1, 2, 3)
    assert EvaluatedCodec.learned(variable, [1.5, 3]).qualities == (1.5, 3)


def test_a_file_is_named_by_its_stem_and_chooses_behind_an_equals_sign(variable, tmp_path):
    path = tmp_path / "a=b.codec"
    variable.save(path)
    evaluated = EvaluatedCodec.learned(f"{path}=1,2.5", [3])
    assert (evaluated.name, evaluated.qualities) == ("a=b", (1, 2.5))
    assert EvaluatedCodec.learned(path).name == "a=b"
    assert evaluated.facts["fingerprint"] == variable.fingerprint.hex()
    assert "tile=32" in EvaluatedCodec.learned(path, tile=32).facts["settings"]


@pytest.mark.parametrize(
    ("text", "name", "qualities"),
    [
        ("mine=RUN/final.codec", "mine", (1, 2, 3)),
        ("mine=RUN/final.codec=1,2.5", "mine", (1, 2.5)),
        ("RUN/final.codec", "RUN", (1, 2, 3)),
        ("RUN/final.codec=2", "RUN", (2,)),
        ("RUN", "RUN", (1, 2, 3)),
        ("RUN/=1,3", "RUN", (1, 3)),
        ("./RUN/../RUN/final.codec", "RUN", (1, 2, 3)),
        ("a=b.codec", "a=b", (1, 2, 3)),
        ("mine=a=b.codec", "mine", (1, 2, 3)),
        ("my run=a=b.codec=3", "my run", (3,)),
        ("lmbda=0.01/final.codec", "lmbda=0.01", (1, 2, 3)),
        ("jpeg=other.codec", "jpeg", (1, 2, 3)),
    ],
)
def test_a_codec_has_the_name_that_it_is_given_or_that_of_its_file_or_run(
    variable, tmp_path, monkeypatch, text, name, qualities
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lic.evaluation.run.codecs.load", lambda path: loaded.append(path) or variable)
    for file in ("RUN/final.codec", "lmbda=0.01/final.codec", "a=b.codec", "other.codec"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    loaded = []
    evaluated = EvaluatedCodec.learned(text)
    assert (evaluated.name, evaluated.qualities) == (name, qualities)
    assert (tmp_path / loaded[0]).exists()


def test_one_rate_is_measured_once():
    assert EvaluatedCodec.learned(lic.Codec(tiny_model("klt", "factorized")), [1, 2]).qualities == (None,)


def test_one_rate_has_no_qualities_behind_its_name(tmp_path):
    lic.Codec(tiny_model("klt", "factorized")).save(tmp_path / "one.codec")
    with pytest.raises(EvaluationError, match=r"one has one rate and no qualities. Received: .*one.codec=3,5"):
        EvaluatedCodec.learned(f"{tmp_path / 'one.codec'}=3,5")


def test_a_name_takes_the_place_of_that_of_the_file(variable, tmp_path):
    variable.save(tmp_path / "a.codec")
    assert EvaluatedCodec.learned(tmp_path / "a.codec", name="mine").name == "mine"
    assert EvaluatedCodec.learned(variable, name="mine").name == "mine"


def test_facts_hold_how_a_codec_computes_however_it_is_given(variable, tmp_path):
    variable.save(tmp_path / "a.codec")
    facts = EvaluatedCodec.learned(variable).facts
    assert facts == EvaluatedCodec.learned(tmp_path / "a.codec").facts
    assert facts == EvaluatedCodec.learned(tmp_path / "a.codec", precision="float32", tile="auto").facts
    other = lic.load(tmp_path / "a.codec", precision="bfloat16", tile=64)
    assert EvaluatedCodec.learned(other).facts["settings"] == "lic, precision=bfloat16, tile=64"
    settings = EvaluatedCodec.learned("default", deterministic=True).facts["settings"]
    assert settings == "lic, precision=float32, tile=auto, deterministic"


def test_a_quality_that_a_codec_lacks_is_an_error_that_shows_how_to_give_each_its_own(variable):
    with pytest.raises(EvaluationError, match=r"from 1 to 3. Received: 50.*codec=1,3"):
        EvaluatedCodec.learned(variable, [50])


def test_classical_codecs_have_qualities_of_their_own_too():
    assert EvaluatedCodec.classical("jpeg").qualities[0] == 5
    assert EvaluatedCodec.classical("jpeg", [7]).qualities == (7,)
    assert EvaluatedCodec.classical("jpegxl=2,1.5", [7]).qualities == (2, 1.5)
    assert "Pillow" in EvaluatedCodec.classical("jpeg").facts["settings"]


def test_a_quality_that_is_given_twice_counts_once(variable):
    assert EvaluatedCodec.classical("jpeg=50,20,50").qualities == (50, 20)
    assert EvaluatedCodec.classical("jpeg", [7, 7.0]).qualities == (7,)
    assert EvaluatedCodec.learned(variable, [2, 1, 2]).qualities == (2, 1)


def test_a_codec_that_is_made_takes_no_options(variable):
    assert EvaluatedCodec.learned(variable, precision=None).codec is variable
    with pytest.raises(EvaluationError, match="expected no precision and no tile for a codec that is made already"):
        EvaluatedCodec.learned(variable, precision="bfloat16", tile=64)


def test_a_text_that_is_no_codec_is_an_error():
    with pytest.raises(EvaluationError, match="NAME=Q,Q"):
        EvaluatedCodec.classical("jpeg=high")
    with pytest.raises(RegistryError, match="jpegxl"):
        EvaluatedCodec.classical("jpgxl")
    with pytest.raises(EvaluationError, match="NAME=Q,Q.*Received: 'default=1,x'"):
        EvaluatedCodec.learned("default=1,x")


def test_a_quality_that_a_classical_codec_lacks_is_an_error():
    with pytest.raises(ImageError, match="jpegxl: expected quality from 0.01 to 25. Received: 26"):
        EvaluatedCodec.classical("jpegxl=1,26")
    with pytest.raises(ImageError, match="jpeg: expected a whole number as quality. Received: 50.5"):
        EvaluatedCodec.classical("jpeg=50,50.5")
