import functools

import numpy as np
import pytest

import lic
from lic.entropy import channels
from lic.environment import tf
from lic.errors import ImageError
from lic.evaluation.inspect.bit_map import bit_map
from lic.evaluation.inspect.inspection import inspect_image
from tests.conftest import FEW_ENTROPY_MODELS, random_images, slow_but, tiny_model

IMAGE = random_images(50, 70, 3)


@functools.cache
def codec_of(entropy):
    return lic.Codec(tiny_model("klt", entropy, **few_slices(entropy)))


def few_slices(entropy):
    """Returns the sizes with which an entropy model has few parts."""
    return {"charm": {"num_slices": 2}, "space-channel": {"group_depths": (4, 8)}}.get(entropy, {})


@pytest.mark.parametrize("entropy", slow_but(lic.list_entropy_models(), *FEW_ENTROPY_MODELS))
def test_bits_are_those_of_the_estimate_wherever_they_are_added_up(entropy):
    codec = codec_of(entropy)
    for image in (IMAGE, random_images(1, 1, 3), IMAGE[..., 0]):
        found, estimated = bit_map(codec, image), codec.estimate(image)
        assert found.side == pytest.approx(estimated.pop("side", 0.0), rel=1e-5)
        assert dict(found.parts) == pytest.approx(estimated, rel=1e-5)
        assert found.positions.sum() == pytest.approx(sum(estimated.values()), rel=1e-5)
        assert tuple(name for name, _ in found.parts) == codec.parts
        rows, columns = (-(-size // found.downscale) for size in image.shape[:2])
        assert found.positions.shape == (rows, columns)
        assert found.positions.min() > 0


class _OneName(lic.EntropyModel):
    """Codes three parts, of which two have one name."""

    def walk(self, coder):
        latent = coder.zeros
        for first, name in ((0, "group"), (4, "group"), (8, "rest")):
            part = channels(first, first + 4)._replace(name=name)
            parameters = tf.zeros_like(tf.tile(latent[..., :4], (1, 1, 1, 2)))
            latent = part.put(latent, coder.code(part, self.likelihood(parameters)))
        return latent


def test_bits_of_parts_of_one_name_are_added_up(monkeypatch):
    monkeypatch.setitem(lic.registry.entropy_models._entries, "one-name", _OneName)
    codec = lic.Codec(tiny_model("klt", "one-name"))
    found, estimated = bit_map(codec, IMAGE), codec.estimate(IMAGE)
    assert codec.parts == ("group", "group", "rest")
    assert [name for name, _ in found.parts] == ["group", "rest"]
    assert dict(found.parts) == pytest.approx(estimated, rel=1e-5)
    assert found.positions.sum() == pytest.approx(sum(estimated.values()), rel=1e-5)
    assert inspect_image(codec, IMAGE).previews == ()


def test_the_likelihood_bound_counts_in_both():
    codec = lic.Codec(tiny_model("klt", "factorized", likelihood_bound=0.9))
    found, estimated = bit_map(codec, IMAGE), codec.estimate(IMAGE)
    assert dict(found.parts) == pytest.approx(estimated, rel=1e-5)
    assert found.positions.sum() == pytest.approx(-np.log2(0.9) * found.positions.size * codec.model.transform.depth)


@pytest.mark.parametrize("entropy", ["checkerboard", "space-channel"])
def test_bits_lie_at_the_pixels_that_cost_them(entropy):
    codec = codec_of(entropy)
    image = np.full((64, 96, 3), 128, np.uint8)
    quiet = bit_map(codec, image).positions
    image[32:, 48:] = random_images(32, 48, 3)
    busy = bit_map(codec, image).positions
    # The bits of each number rise with its distance from the mean, whatever the order in which the walk codes it.
    rows, columns = busy.shape
    more = busy - quiet
    assert more[rows // 2 :, columns // 2 :].mean() > 2 * np.abs(more[: rows // 2, : columns // 2]).mean()
    assert more[-1, -1] > np.abs(more[0, 0])


def test_at_a_variable_rate_bits_rise_with_quality():
    codec = lic.Codec(tiny_model("klt", "charm", lmbda=(0.001, 0.01, 0.1), **few_slices("charm")))
    maps = [bit_map(codec, IMAGE, quality=quality) for quality in (1, 2, 3)]
    totals = [found.positions.sum() for found in maps]
    assert totals == sorted(totals)
    assert totals[2] > 1.2 * totals[0]
    assert bit_map(codec, IMAGE).parts == maps[1].parts
    assert dict(maps[2].parts) == pytest.approx(
        {name: bits for name, bits in codec.estimate(IMAGE, quality=3).items() if name != "side"}, rel=1e-5
    )


def test_wrong_arguments_are_errors():
    codec = codec_of("hyperprior")
    with pytest.raises(ImageError, match="Received: float32"):
        bit_map(codec, IMAGE.astype(np.float32))
    with pytest.raises(ValueError, match="single rate"):
        bit_map(codec, IMAGE, quality=2)
