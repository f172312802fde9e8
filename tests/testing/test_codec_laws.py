import contextlib
import functools

import numpy as np
import pytest

import lic
from lic.codec.bitstream import Stream
from lic.testing import LawError, check_codec
from lic.testing.codec_laws import LAWS
from lic.testing.laws import name_of
from lic.testing.plugin import laws_of
from tests.conftest import slow_but, tiny_model
from tests.testing.only import laws_that_alone_catch
from tests.testing.sound_models import CODECS


@functools.cache
def _sound():
    """Returns the codec whose graphs all mutants use."""
    return lic.Codec(tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02)))


class _Mutant(lic.Codec):
    """A codec that is broken in one way, as also copies of it are."""

    def __init__(self):
        vars(self).update(vars(_sound()))


class ForgetsGrey(_Mutant):
    def decompress(self, stream, **options):
        decoded = super().decompress(stream, **options)
        return np.repeat(decoded[..., None], 3, -1) if decoded.ndim == 2 else decoded


class FlattersItself(_Mutant):
    def estimate(self, image, **options):
        return {name: bits * 0.01 for name, bits in super().estimate(image, **options).items()}


class CountsItsStreams(_Mutant):
    count = 0

    def compress(self, image, **options):
        self.count += 1
        image = image.copy()
        image[:4, :4] = 20 * self.count % 256
        return super().compress(image, **options)


class BatchesBySize(_Mutant):
    """Its streams come in the order of the images' sizes."""

    def compress_batch(self, images, **options):
        return super().compress_batch(sorted(images, key=np.size), **options)


class ForgetsAnOption(_Mutant):
    """It darkens what is too bright, and its file does not hold that it does."""

    def compress(self, image, **options):
        return super().compress(np.minimum(image, 230), **options)


class SavesAnother(_Mutant):
    def save(self, path):
        lic.Codec(tiny_model("klt", "factorized")).save(path)


class SeesTheSize(_Mutant):
    def decompress(self, stream, **options):
        decoded = super().decompress(stream, **options)
        return decoded[:100] if decoded.shape[0] > 150 else decoded


class ChecksNothing(_Mutant):
    """It decodes what it can and gives black for the rest."""

    def decompress(self, stream, **options):
        try:
            return super().decompress(stream, **options)
        except lic.LicError:
            return np.zeros((17, 33, 3), np.uint8)


class ShowsBlack(_Mutant):
    """In place of a damaged stream's image it shows black, as a browser might."""

    def decompress(self, stream, **options):
        try:
            return super().decompress(stream, **options)
        except lic.BitstreamError:
            if options:
                raise
            return np.zeros((17, 33, 3), np.uint8)


class TakesAllStreams(_Mutant):
    """It believes that every stream is its own."""

    def decompress(self, stream, **options):
        parsed = Stream.parse(stream)
        return super().decompress(parsed._replace(fingerprint=self.fingerprint).pack(), **options)


class TakesAnyQuality(_Mutant):
    def compress(self, image, quality=None, **options):
        return super().compress(image, quality=quality if quality in (1, 1.5, 2) else None, **options)


class ExceedsTheBytes(_Mutant):
    def compress_to(self, image, max_bytes, **options):
        return self.compress(image, quality=2)


class VerifiesNothing(_Mutant):
    def verify(self, stream, **options):
        Stream.parse(stream)


class VerifiesNoSymbols(_Mutant):
    """It ignores the checksum of symbols."""

    def verify(self, stream, **options):
        with contextlib.suppress(lic.DesyncError):
            super().verify(stream, **options)


class TakesLargeImages(_Mutant):
    def decompress(self, stream, *, max_pixels=0, **options):
        return super().decompress(stream, **options)


class PreviewsATile(_Mutant):
    def decompress(self, stream, *, parts=None, **options):
        decoded = super().decompress(stream, parts=parts, **options)
        return decoded if parts in (None, len(self.parts)) else decoded[:16, :16]


CAUGHT_BY = {
    BatchesBySize: "the same image gives the same stream",
    ForgetsAnOption: "a saved codec is the same codec",
    ShowsBlack: "damaged streams are refused",
    VerifiesNoSymbols: "verify accepts right streams only",
    TakesAnyQuality: "qualities are those it has",
    ExceedsTheBytes: "a number of bytes is not exceeded",
    VerifiesNothing: "verify accepts right streams only",
    TakesLargeImages: "large images are refused",
    PreviewsATile: "previews have the size of the image",
    ForgetsGrey: "every size comes back",
    FlattersItself: "real bits do not exceed the estimate",
    CountsItsStreams: "the same image gives the same stream",
    SavesAnother: "a saved codec is the same codec",
    SeesTheSize: "tiles do not change the format",
    ChecksNothing: "damaged streams are refused",
    TakesAllStreams: "streams of other codecs are refused",
}


@pytest.mark.parametrize("mutant", CAUGHT_BY)
def test_mutants_are_caught_by_the_law_that_should(mutant):
    with pytest.raises(LawError, match="The codec breaks 1 of the laws:") as caught:
        laws_of(mutant())[CAUGHT_BY[mutant]]()
    assert CAUGHT_BY[mutant] in caught.value.broken


def test_every_law_has_caught_a_mutant():
    assert {name_of(law) for law in LAWS} == set(CAUGHT_BY.values())


@pytest.mark.slow
def test_each_law_alone_catches_a_mutant():
    assert laws_that_alone_catch(CAUGHT_BY.items()) == {name_of(law) for law in LAWS}


@pytest.mark.parametrize("name", slow_but(CODECS, "bfloat16"))
def test_sound_but_unusual_ones_keep_every_law(name):
    check_codec(CODECS[name](), quick=name == "bfloat16")


@pytest.mark.slow
@pytest.mark.parametrize(("transform", "entropy"), [("conv", "charm"), ("swin", "checkerboard")])
def test_our_own_keep_every_law(transform, entropy):
    check_codec(lic.Codec(tiny_model(transform, entropy, **{"num_slices": 2} if entropy == "charm" else {})))


def test_a_deterministic_codec_keeps_them():
    check_codec(lic.Codec(tiny_model("klt", "hyperprior"), deterministic=True))


# The laws whose result depends on whether weights are trained.
@pytest.mark.parametrize("law", ["every size comes back", "real bits do not exceed the estimate"])
def test_the_codec_that_ships_keeps_them(shipped, law):
    shipped[law]()


@pytest.fixture(scope="module")
def shipped():
    """The laws of the codec that ships."""
    return laws_of(lic.load("default"))


@pytest.mark.slow
def test_the_codec_that_ships_keeps_all():
    check_codec(lic.load("default"))


def test_other_objects_than_codecs_are_refused():
    with pytest.raises(ValueError, match="expected a lic.Codec. Received: str"):
        check_codec("default")


def test_images_have_the_channels_and_bits_of_the_codec():
    check_codec(lic.Codec(tiny_model("klt", "factorized", channels=4), bit_depth=12), quick=True)
