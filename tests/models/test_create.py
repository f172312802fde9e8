import itertools
import json

import numpy as np
import pytest

import lic
from lic import registry
from lic.config import constructor_arguments
from lic.entropy import ChARM, Checkerboard, Factorized, GeneralizedNormalPerChannel, Hyperprior, Laplace, Normal
from lic.errors import RegistryError
from lic.layers.initial_weights import skip_random_init
from lic.models.create import published_system
from lic.transforms import ConvHyperTransform, ConvTransform, KLTTransform, SwinHyperTransform, SwinTransform
from tests.conftest import ALL_MIXES, INEXACT, MIXES, SPREAD, random_images, shallow, slow_but, tiny_model


def test_every_part_is_in_a_mix_that_is_not_slow():
    transforms, entropy_models = zip(*SPREAD)
    assert sorted({*transforms}) == lic.list_transforms()
    assert sorted({*entropy_models}) == lic.list_entropy_models()
    assert [*itertools.product(lic.list_transforms(), lic.list_entropy_models())] == ALL_MIXES


@pytest.mark.parametrize(("transform", "entropy"), MIXES)
def test_every_mix_works_with_no_sizes_given(transform, entropy):
    with skip_random_init():
        model = lic.create_model(transform=transform, entropy=entropy)
    assert model.lmbda == 0.01
    assert model.transform.depth == model.entropy.latent_depth


@pytest.mark.parametrize(("transform", "entropy"), MIXES)
def test_config_alone_rebuilds_the_model(transform, entropy):
    model = tiny_model(transform, entropy, lmbda=0.02, **shallow(transform, entropy))
    again = lic.CompressionModel.from_config(model.configuration())
    images = random_images(1, 32, 48, 3).astype(np.float32)
    model(images), again(images)
    assert again.configuration() == model.configuration()
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(images).x_hat, model(images).x_hat)


@pytest.mark.parametrize("lmbda", [(0.002, 0.05), [0.002, 0.05], np.array([0.002, 0.05])])
def test_a_sequence_of_lmbda_makes_a_model_of_several_rates(lmbda):
    model = tiny_model("klt", "hyperprior", lmbda=lmbda)
    assert model.lmbda == (0.002, 0.05)
    assert model.rate.count == 2


def test_ms_ssim_needs_a_weight_of_its_own():
    with pytest.raises(
        ValueError, match=r"the default, 0.013, weighs the mean squared error. Give one such as lic.LAM"
    ):
        lic.create_model("compressai-bmshj2018-hyperprior", quality=4, distortion="ms-ssim")


def test_config_alone_rebuilds_a_model_of_several_rates():
    model = tiny_model("klt", "factorized", lmbda=lic.LAMBDAS["ms-ssim"], distortion="ms-ssim")
    again = lic.CompressionModel.from_config(json.loads(json.dumps(model.configuration())))
    assert again.configuration() == model.configuration()
    assert (again.lmbda, again.distortion, again.rate.count) == (lic.LAMBDAS["ms-ssim"], "ms-ssim", 8)


@pytest.mark.parametrize("inner", slow_but(lic.list_entropy_models(), "checkerboard"))
def test_side_information_has_an_entropy_model_of_its_own(inner):
    slices = {"num_slices": 2}
    fewer = {"charm": slices, "multi-reference": slices, "space-channel": {"group_depths": (1, 3)}}
    sizes = fewer.get(inner, {})
    model = tiny_model("klt", "hyperprior", hyper_entropy=inner, lmbda=(0.002, 0.02), **sizes)
    if inner == "factorized":
        assert model.configuration() == tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02)).configuration()
        return
    assert type(model.entropy.prior) is registry.entropy_models.get(inner)
    assert model.entropy.prior.latent_depth == model.entropy.hyper.depth
    assert lic.CompressionModel.from_config(model.configuration()).configuration() == model.configuration()
    exact = {} if inner in INEXACT else {"deterministic": True, "calibration": [random_images(64, 64, 3)]}
    codec, image = lic.Codec(model, **exact), random_images(70, 90, 3)
    stream = codec.compress(image, quality=1.5)
    assert codec.decompress(stream).shape == image.shape
    assert codec.decompress(stream, parts=0).shape == image.shape
    assert {name.split("/")[0] for name in model(image[None].astype("float32")).bits} == {"side", "latent"}


def test_a_hyperprior_of_a_hyperprior_of_a_hyperprior():
    model = tiny_model("klt", "hyperprior")
    (hyper, *inner) = (ConvHyperTransform(depth, 8, 4) for depth in (12, 4, 4))
    innermost = Hyperprior(4, inner[1])
    entropy = Hyperprior(12, hyper, hyper_entropy=Hyperprior(4, inner[0], hyper_entropy=innermost))
    model = lic.CompressionModel(model.transform, entropy)
    codec, image = lic.Codec(model), random_images(70, 90, 3)
    assert codec.decompress(codec.compress(image)).shape == image.shape
    assert list(model(image[None].astype("float32")).bits) == ["side/side/side", "side/side", "side", "latent"]
    assert list(lic.inspect(codec, image)) == ["side/side/side", "side/side", "side", "latent"]


def test_an_instance_of_the_entropy_model_of_side_information_has_the_depth_of_it():
    inner = Hyperprior(4, ConvHyperTransform(4, 8, 3))
    model = tiny_model("klt", "hyperprior", hyper_entropy=inner)
    assert model.entropy.prior is inner
    assert (model.transform.depth, model.entropy.latent_depth, inner.latent_depth) == (12, 12, 4)
    default = lic.create_model(transform="klt", entropy="hyperprior", hyper_entropy=Factorized(4), side_depth=4)
    assert default.transform.depth == lic.create_model(transform="klt", entropy="hyperprior").transform.depth


@pytest.mark.parametrize(
    ("argument", "instance"),
    [("hyper", lambda: ConvHyperTransform(12, 8, 4)), ("likelihood", lambda: GeneralizedNormalPerChannel(12))],
)
def test_an_instance_that_is_for_the_latent_is_not_taken_for_side_information(argument, instance):
    sizes = {"transform": "klt", "entropy": "hyperprior", "latent_depth": 12, argument: instance()}
    with pytest.raises(
        RegistryError, match=f"expected hyper_entropy to be an instance, since the given {argument}, an"
    ):
        lic.create_model(hyper_entropy="hyperprior", **sizes)


def test_a_likelihood_that_fits_any_depth_is_shared_with_side_information():
    likelihood = Laplace((16, 0.2, 100.0))
    entropy = tiny_model("klt", "hyperprior", hyper_entropy="hyperprior", likelihood=likelihood).entropy
    assert entropy.likelihood is likelihood
    assert entropy.prior.likelihood is likelihood


def test_an_entropy_model_without_a_likelihood_takes_one_of_side_information(registered):
    class Fixed(Hyperprior):
        def __init__(self, latent_depth, hyper, hyper_entropy=None):
            super().__init__(latent_depth, hyper, hyper_entropy=hyper_entropy)

    registered(registry.entropy_models, "fixed", Fixed)
    sizes = {"transform": "klt", "width": 8, "latent_depth": 12, "hyper_width": 8, "side_depth": 4}
    assert type(lic.create_model(entropy="fixed", hyper_entropy="checkerboard", **sizes).entropy.prior) is Checkerboard


def test_side_information_of_what_has_none_is_refused():
    with pytest.raises(RegistryError, match="expected no hyper_entropy, since Factorized takes none"):
        lic.create_model(transform="klt", entropy="factorized", hyper_entropy="hyperprior")
    with pytest.raises(RegistryError, match="expected hyper_entropy to be the name of a registered entropy model"):
        lic.create_model(transform="klt", entropy="hyperprior", hyper_entropy=3)
    with pytest.raises(ValueError, match="expected hyper_entropy to be an entropy model of the 4 channels"):
        tiny_model("klt", "hyperprior", hyper_entropy=Factorized(12))


def test_names_take_overrides():
    model = lic.create_model("default", entropy="hyperprior", latent_depth=96, lmbda=0.5)
    assert (type(model.entropy).__name__, model.transform.depth, model.lmbda) == ("Hyperprior", 96, 0.5)


def test_sizes_go_to_every_part_that_has_them():
    model = lic.create_model(transform="conv", entropy="charm", latent_depth=64, num_slices=4, side_depth=8)
    assert (model.transform.depth, model.entropy.latent_depth, model.entropy.hyper.depth) == (64, 64, 8)
    assert len(model.entropy.slices) == 4


@pytest.mark.parametrize(("transform", "channels"), [("conv", 1), ("klt", 13), ("swin", 4)])
def test_models_take_the_channels_that_are_asked_for(transform, channels):
    model = tiny_model(transform, "factorized", channels=channels, **shallow(transform, "factorized"))
    assert model.transform.channels == channels
    assert model(random_images(1, 32, 48, channels)).x_hat.shape == (1, 32, 48, channels)
    assert model.losses_of(random_images(2, 32, 48, channels))["mse"].shape == (2,)
    again = lic.CompressionModel.from_config(json.loads(json.dumps(model.configuration())))
    assert again.transform.channels == channels
    with pytest.raises(ValueError, match=rf"expected images \[batch, height, width, {channels}\]"):
        model(random_images(1, 32, 48, 3))


def test_instances_and_own_transforms_keep_their_channels():
    grey = ConvTransform(width=8, latent_depth=8, channels=1)
    assert lic.create_model(transform=grey, entropy="factorized").transform.channels == 1
    assert lic.create_model(transform=grey, entropy="factorized", channels=1).transform is grey
    with pytest.raises(RegistryError, match="expected channels=1, which ConvTransform takes.*channels=4"):
        lic.create_model(transform=grey, entropy="factorized", channels=4)
    for wrong in (0, 1.5, "1"):
        with pytest.raises(ValueError, match="channels"):
            lic.create_model(transform="conv", entropy="factorized", channels=wrong)
    assert lic.create_model("default", channels=1, latent_depth=64).transform.channels == 1


def test_arguments_of_the_base_class_are_sizes_too():
    assert "quantization" in constructor_arguments(ChARM)
    assert lic.create_model("default", quantization="ste/ste").entropy.quantization == "ste/ste"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "defualt"}, "no model named 'defualt'. Did you mean 'default'"),
        ({"transform": "con", "entropy": "charm"}, "no transform named 'con'. Did you mean 'conv'"),
        ({"transform": "conv", "entropy": "charn"}, "no entropy model named 'charn'. Did you mean 'charm'"),
        ({"transform": "conv", "entropy": "charm", "hyper": "x"}, "no hyper transform named 'x'. Known: .*conv"),
        (
            {"transform": "conv", "entropy": "charm", "num_slice": 4},
            "has the size 'num_slice'. Did you mean 'num_slices",
        ),
        ({"transform": "conv", "entropy": "factorized", "side_depth": 4}, "has the size 'side_depth'"),
        (
            {"transform": "conv", "entropy": "factorized", "hyper": "conv"},
            "expected no hyper, since Factorized takes none. Received: hyper='conv'",
        ),
        ({"transform": ConvTransform, "entropy": "charm"}, "Received: the class ConvTransform. Make an instance of it"),
        ({"transform": "conv", "entropy": 3}, "expected entropy to be the name of a registered entropy model or"),
        ({"transform": ConvHyperTransform(), "entropy": "charm"}, "expected transform to be the name of a registered"),
        (
            {"transform": ConvTransform(8, 12), "entropy": "factorized", "width": 4},
            r"'width' is one of ConvTransform, which was given as an instance.*transform=ConvTransform\(width=4\)",
        ),
        (
            {"transform": ConvTransform(8, 12), "entropy": "factorized", "latent_depth": 4},
            "expected latent_depth=12, which the given instance has. Received: latent_depth=4",
        ),
        (
            {"transform": "conv", "entropy": Hyperprior(12, ConvHyperTransform()), "hyper": "conv"},
            "the instance of Hyperprior brings its own. Received: hyper='conv'. Give it to the constructor of Hyperp",
        ),
        ({"transform": KLTTransform(8, 12), "entropy": Factorized(12), "x": 4}, r"\(all parts are instances\)"),
        ({"transform": "conv"}, "expected a name, or both transform and entropy"),
        ({}, "expected a name, or both transform and entropy"),
    ],
)
def test_wrong_names_and_sizes_are_answered_with_near_ones(arguments, message):
    with pytest.raises(RegistryError, match=message):
        lic.create_model(**arguments)


def test_instances_take_the_place_of_names():
    transform, hyper = ConvTransform(8, 24, kernel_size=3), ConvHyperTransform(24, 8, 4, features=10)
    model = lic.create_model(transform=transform, hyper=hyper, entropy="hyperprior")
    assert (model.transform, model.entropy.hyper) == (transform, hyper)
    assert model.entropy.latent_depth == 24
    entropy = Hyperprior(24, hyper)
    model = lic.create_model(transform=transform, entropy=entropy, lmbda=0.5)
    assert (model.transform, model.entropy, model.lmbda) == (transform, entropy, 0.5)


def test_instances_and_names_mix():
    """`kernel_size` is an argument of both transforms; an instance has its own."""
    model = lic.create_model(
        transform=ConvTransform(8, 12, kernel_size=3), entropy="hyperprior", hyper="conv", kernel_size=5, side_depth=4
    )
    assert model.transform.configuration()["kernel_size"] == 3
    assert model.entropy.hyper.configuration()["kernel_size"] == 5
    assert model.entropy.hyper.depth == 4
    images = random_images(1, 32, 48, 3).astype(np.float32)
    assert model(images).x_hat.shape == images.shape


def test_the_latent_is_as_deep_as_that_of_the_instance():
    assert lic.create_model(transform="conv", entropy=Factorized(7)).transform.depth == 7
    assert lic.create_model(transform=ConvTransform(8, 9), entropy="charm", num_slices=3).entropy.latent_depth == 9
    assert lic.create_model("default", transform=ConvTransform(8, 9)).entropy.latent_depth == 9
    with pytest.raises(ValueError, match="depth=9 and latent_depth=7"):
        lic.create_model(transform=ConvTransform(8, 9), entropy=Factorized(7))


def test_an_instance_leads_to_the_hyper_transform_of_its_name():
    swin = SwinTransform(8, 12, depths=(1, 1, 1, 1), window=2, head_dim=4)
    sizes = {"hyper_width": 8, "side_depth": 4, "head_dim": 4, "hyper_window": 2}
    assert type(lic.create_model(transform=swin, entropy="hyperprior", **sizes).entropy.hyper) is SwinHyperTransform
    model = lic.create_model(transform=KLTTransform(8, 12), entropy="hyperprior", hyper_width=8)
    assert type(model.entropy.hyper) is ConvHyperTransform


def test_an_instance_in_a_published_system_keeps_the_sizes_of_the_other_parts():
    model = lic.create_model("default", transform=ConvTransform(8, 12), context_width=4)
    config = model.entropy.configuration()
    assert (config["fusion"], config["context_width"], config["parameter_widths"]) == ("add", 4, [192])
    assert config["hyper"]["config"]["kernel_size"] == 3


def test_sizes_that_only_a_replaced_part_had_are_left_out():
    config = lic.create_model("default", entropy="hyperprior").entropy.configuration()
    assert not {"fusion", "context_width", "parameter_widths"} & config.keys()
    assert config["hyper"]["config"]["side_depth"] == 64


@pytest.mark.parametrize("name", lic.list_models())
def test_published_systems_list_only_sizes_that_their_parts_have(name):
    qualities = range(1, 9) if name.startswith("compressai-") else [None]
    for quality in qualities:
        assert published_system(name, quality).sizes


@pytest.fixture
def registered():
    """Registers things for one test: called with a registry, a name and the thing."""
    added = []

    def register(kind, name, thing):
        kind.register(name)(thing)
        added.append((kind, name))

    yield register
    for kind, name in added:
        del kind._entries[name]


def test_a_size_that_no_part_of_a_published_system_has_is_an_error(registered):
    def mistaken():
        return lic.PublishedSystem("conv", "charm", sizes={"num_slice": 4, "width": 8})

    registered(registry.models, "mistaken", mistaken)
    message = "'mistaken' lists the size 'num_slice', which none of its parts has .*ChARM.*Did you mean 'num_slices'"
    with pytest.raises(RegistryError, match=message):
        lic.create_model("mistaken")
    with pytest.raises(RegistryError, match=message):
        lic.create_model("mistaken", entropy="factorized")


def test_a_likelihood_comes_by_name_with_its_sizes_or_as_an_instance():
    parts = {"transform": "klt", "entropy": "hyperprior", "latent_depth": 12, "width": 8}
    assert lic.create_model(**parts).entropy.likelihood == Normal()
    assert lic.create_model(**parts, scales=(32, 0.5, 64)).entropy.likelihood == Normal((32, 0.5, 64.0))
    model = lic.create_model(**parts, likelihood="laplace", scales=(32, 0.5, 64))
    assert model.entropy.likelihood == Laplace((32, 0.5, 64.0))
    described = model.configuration()["entropy"]["config"]["likelihood"]
    config = {"scales": [32, 0.5, 64.0, "nearest"], "predicted_scale": False}
    assert described == {"kind": "likelihood", "name": "laplace", "config": config}
    again = lic.CompressionModel.from_config(json.loads(json.dumps(model.configuration())))
    assert again.entropy.likelihood == model.entropy.likelihood
    instance = Laplace((32, 0.5, 64.0))
    assert lic.create_model(**parts, likelihood=instance).entropy.likelihood is instance
    with pytest.raises(RegistryError, match=r"'scales' is one of Laplace.*likelihood=Laplace\(scales=\(1, 2\)\)"):
        lic.create_model(**parts, likelihood=instance, scales=(1, 2))
    with pytest.raises(RegistryError, match="no likelihood named 'laplac'. Did you mean 'laplace'"):
        lic.create_model(**parts, likelihood="laplac")


def test_the_default_likelihood_is_that_of_the_entropy_model(registered):
    class Sparse(Hyperprior):
        def __init__(self, latent_depth: int, hyper: lic.HyperTransform, likelihood: lic.Likelihood = Laplace()):  # noqa: B008
            super().__init__(latent_depth, hyper, likelihood=likelihood)

    registered(registry.entropy_models, "sparse", Sparse)
    parts = {"transform": "klt", "entropy": "sparse", "latent_depth": 12, "width": 8}
    assert lic.create_model(**parts).entropy.likelihood == Laplace()
    assert lic.create_model(**parts, likelihood="normal").entropy.likelihood == Normal()


def test_a_published_system_names_its_likelihood(registered):
    sizes = {"scales": (32, 0.5, 64), "width": 8, "latent_depth": 12}
    system = lic.PublishedSystem("klt", "hyperprior", likelihood="laplace", sizes=sizes)
    registered(registry.models, "with-laplace", lambda: system)
    assert lic.create_model("with-laplace").entropy.likelihood == Laplace((32, 0.5, 64))
    assert lic.create_model("with-laplace", likelihood="normal").entropy.likelihood == Normal((32, 0.5, 64))


@pytest.mark.parametrize("likelihood", ["laplace", Laplace()])
def test_entropy_models_without_a_likelihood_refuse_one(likelihood):
    with pytest.raises(RegistryError, match="expected no likelihood, since Factorized takes none. Received: .*Leave"):
        lic.create_model(transform="conv", entropy="factorized", likelihood=likelihood)
    with pytest.raises(RegistryError, match="no likelihood, since the instance of Factorized brings its own"):
        lic.create_model(transform="conv", entropy=Factorized(12), likelihood=likelihood)


def test_a_latent_depth_that_the_transform_does_not_take_is_an_error(registered):
    class OwnDepth(lic.Transform):
        def __init__(self, depth=12):
            super().__init__(depth, 4)
            self.analysis, self.synthesis = lic.layers.Convolution(depth, 5, down=4), lic.layers.Convolution(3, 5, up=4)

    registered(registry.transforms, "own-depth", OwnDepth)
    assert lic.create_model(transform="own-depth", entropy="factorized", latent_depth=12).transform.depth == 12
    with pytest.raises(RegistryError, match="of latent_depth=10. Received: OwnDepth, whose latents have 12 channels"):
        lic.create_model(transform="own-depth", entropy="factorized", latent_depth=10)


def test_an_argument_without_a_default_is_named(registered):
    class Needs(KLTTransform):
        def __init__(self, taps, latent_depth=12):
            super().__init__(8, latent_depth)

    registered(registry.transforms, "needs", Needs)
    with pytest.raises(RegistryError, match="expected taps, an argument of Needs that has no default.*Pass taps="):
        lic.create_model(transform="needs", entropy="factorized")
