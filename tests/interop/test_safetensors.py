import json

import numpy as np
import pytest

import lic
from lic.environment import tf
from lic.errors import CheckpointError
from lic.interop.safetensors import export_safetensors, import_safetensors, torch_tensors
from lic.layers.convolution import Convolution
from lic.registry import list_transforms
from lic.weights import get_tensors, named_layers, set_tensors
from tests.conftest import FEW_MIXES, VARIANTS, assert_near, random_images, shallow, tiny_model

safetensors = pytest.importorskip("safetensors.numpy")
LMBDAS = (0.002, 0.01, 0.05)


def _changed(model):
    """Changes the weights of a model, and returns it."""
    random = np.random.default_rng(0)
    noise = {name: random.normal(0, 0.05, value.shape) for name, value in get_tensors(model).items()}
    set_tensors(model, {name: value + noise[name].astype("float32") for name, value in get_tensors(model).items()})
    return model


def _out_and_in(model, folder):
    export_safetensors(model, folder / "model.safetensors")
    return import_safetensors(folder / "model.safetensors")


def _seen(model):
    """Returns the weights that the model uses: of a masked kernel, only the taps that count."""
    kernels = {
        f"{name}/kernel": layer.spatial_kernel()
        for name, layer in named_layers(model).items()
        if isinstance(layer, Convolution)
    }
    return {name: np.asarray(kernels.get(name, value)) for name, value in get_tensors(model).items()}


def _read(path):
    with safetensors.safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.mark.parametrize(("transform", "entropy"), FEW_MIXES)
def test_every_mix_goes_out_and_in(transform, entropy, tmp_path):
    model = _changed(tiny_model(transform, entropy, **shallow(transform, entropy)))
    again = _out_and_in(model, tmp_path)
    assert again.configuration() == model.configuration()
    expected = _seen(model)
    for name, value in _seen(again).items():
        np.testing.assert_array_equal(value, expected[name])
    images = random_images(1, 32, 48, 3).astype(np.float32)
    np.testing.assert_array_equal(again(images).x_hat, model(images).x_hat)
    assert len(torch_tensors(model)) == len(get_tensors(model))


@pytest.mark.parametrize("variant", VARIANTS)
def test_options_of_published_systems_too(variant, tmp_path):
    entropy, sizes = VARIANTS[variant]
    model = _changed(tiny_model("conv", entropy, **sizes))
    expected = _seen(model)
    for name, value in _seen(_out_and_in(model, tmp_path)).items():
        np.testing.assert_array_equal(value, expected[name])


def test_gains_go_out_and_in(tmp_path):
    model = _changed(tiny_model("klt", "checkerboard", fusion="add", lmbda=LMBDAS))
    again = _out_and_in(model, tmp_path)
    assert again.lmbda == LMBDAS
    for name in ("rate/log_gain", "rate/log_scale_factor", "rate/log_output_gain"):
        np.testing.assert_array_equal(get_tensors(again)[name], get_tensors(model)[name])


def test_kernels_stored_as_dft_go_out_as_plain_ones(tmp_path):
    model = _changed(tiny_model("conv", "checkerboard", kernel_form="dft"))
    again, plain = _out_and_in(model, tmp_path), _read(tmp_path / "model.safetensors")[0]
    assert not [name for name in plain if "real" in name or "imag" in name]
    layers = named_layers(again)
    for name, layer in named_layers(model).items():
        if isinstance(layer, Convolution):
            assert_near(layers[name].spatial_kernel(), layer.spatial_kernel(), 1e-6)
    images = random_images(1, 32, 32, 3).astype(np.float32)
    assert_near(again(images).y, model(images).y, 1e-5)


def test_depthwise_kernels_are_those_of_conv2d_with_groups(tmp_path):
    model = _changed(tiny_model("klt", "factorized", block="depthwise", num_blocks=(1, 1)))
    export_safetensors(model, tmp_path / "model.safetensors")
    tensors, metadata = _read(tmp_path / "model.safetensors")
    name = "transform.analysis.branch.layers.2.depthwise"
    kernel = get_tensors(model)["transform/analysis/branch/layers/2/depthwise/kernel"]
    np.testing.assert_array_equal(tensors[f"{name}.weight"], kernel.transpose(2, 3, 0, 1))
    module = json.loads(metadata["modules"])[f"{name}.weight"]
    assert (module["name"], module["arguments"]) == ("Conv2d", {"stride": 1, "padding": 1, "groups": 8})


def test_layer_norms_and_single_numbers_have_the_names_of_pytorch(tmp_path):
    model = _changed(tiny_model("rwkv", "factorized"))
    export_safetensors(model, tmp_path / "model.safetensors")
    tensors, metadata = _read(tmp_path / "model.safetensors")
    block = "transform.analysis.layers.2"
    assert (tensors[f"{block}.first_norm.weight"].shape, tensors[f"{block}.first_norm.bias"].shape) == ((8,), (8,))
    assert json.loads(metadata["modules"])[f"{block}.first_norm.weight"]["name"] == "LayerNorm"
    assert tensors[f"{block}.first_shift.identity"].shape == ()


@pytest.mark.parametrize("transform", list_transforms())
def test_each_matrix_belongs_to_a_module_or_has_a_note(transform):
    options = {"conv": {"attention": True}, "swin": {"norm_first": True}}.get(transform, {})
    tensors = torch_tensors(tiny_model(transform, "factorized", **options))
    bare = [each for each in tensors if each.module.name == "Parameter" and not each.module.note]
    assert [each.name for each in bare if len(each.shape) > 1] == []
    assert not [each.name for each in bare if each.name.endswith(("gamma", "beta"))]


@pytest.mark.parametrize(("transform", "options"), [("conv", {"attention": True}), ("swin", {"norm_first": True})])
def test_window_attention_and_embeddings_go_out_and_in(transform, options, tmp_path):
    model = _changed(tiny_model(transform, "factorized", **options))
    images = random_images(1, 64, 64, 3).astype(np.float32)
    np.testing.assert_array_equal(_out_and_in(model, tmp_path)(images).x_hat, model(images).x_hat)


def test_float16_is_read(tmp_path):
    model = _changed(tiny_model("conv", "hyperprior"))
    export_safetensors(model, tmp_path / "whole")
    tensors, metadata = _read(tmp_path / "whole")
    safetensors.save_file({name: value.astype("float16") for name, value in tensors.items()}, tmp_path / "h", metadata)
    bias = get_tensors(import_safetensors(tmp_path / "h"))["transform/analysis/layers/1/bias"]
    np.testing.assert_array_equal(bias, tensors["transform.analysis.layers.1.bias"].astype("float16"))


def _save_changed(path, change):
    export_safetensors(tiny_model("conv", "hyperprior"), path)
    tensors, metadata = _read(path)
    change(tensors, metadata)
    safetensors.save_file(tensors, path, metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors, _: tensors.pop("entropy.prior.biases.1"), "tensor 'entropy.prior.biases.1' is missing"),
        (lambda tensors, _: tensors.update(extra=np.zeros(2)), "tensor 'extra' is there, but the model has no"),
        (
            lambda tensors, _: tensors.update({"entropy.prior.biases.1": np.zeros(2)}),
            r"'entropy.prior.biases.1' has shape \(2,\), expected \(4, 3, 1\)",
        ),
        (lambda _, metadata: metadata.pop("config"), "has no configuration"),
        (lambda _, metadata: metadata.update(config="{"), "is not a safetensors file of a model"),
        (lambda _, metadata: metadata.update(config="{}"), "describes no model"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(change, message, tmp_path):
    path = tmp_path / "model.safetensors"
    _save_changed(path, change)
    with pytest.raises(CheckpointError, match=message):
        import_safetensors(path)


def test_files_of_another_kind_are_refused(tmp_path):
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(CheckpointError, match="is not a safetensors file"):
        import_safetensors(tmp_path / "text")
    with pytest.raises(CheckpointError, match="There is no file"):
        import_safetensors(tmp_path / "none")


def test_the_file_names_the_module_of_each_tensor(tmp_path):
    rows = export_safetensors(tiny_model("conv", "hyperprior"), tmp_path / "model.safetensors")
    tensors, metadata = _read(tmp_path / "model.safetensors")
    assert {row.name: row.shape for row in rows} == {name: value.shape for name, value in tensors.items()}
    assert json.loads(metadata["modules"]) == {row.name: row.module._asdict() for row in rows}
    table = {row.name: row for row in rows}
    up, down = table["transform.synthesis.layers.0.weight"], table["transform.analysis.layers.1.weight"]
    assert up.module[:3] == ("ConvTranspose2d", {"stride": 2, "padding": 2, "output_padding": 1}, "")
    assert up.shape == (12, 8, 5, 5)
    assert down.module[:3] == ("Conv2d", {"stride": 2, "padding": 2}, "")
    assert down.shape == (8, 3, 5, 5)
    assert table["entropy.hyper.analysis.layers.0.weight"].module.then == "relu"
    assert table["transform.synthesis.layers.1.reparam_gamma"].module.arguments["inverse"]


def test_a_slope_is_written(tmp_path):
    table = {row.name: row for row in torch_tensors(tiny_model("conv", "hyperprior", hyper_activation="leaky_relu"))}
    assert table["entropy.hyper.analysis.layers.0.weight"].module.then == "leaky_relu 0.2"


def _convolved(values, weight, module, bias):
    """Returns the output of a PyTorch module by its definition, in numpy, for values [height, width, channels]."""
    stride, padding = module.arguments["stride"], module.arguments["padding"]
    if module.name == "Conv2d":
        return _correlated(np.pad(values, [(padding, padding)] * 2 + [(0, 0)]), weight, stride) + bias
    size, added = weight.shape[2], module.arguments["output_padding"]
    spread = np.zeros(((len(values) - 1) * stride + 1, (values.shape[1] - 1) * stride + 1, values.shape[2]))
    spread[::stride, ::stride] = values
    less, more = size - 1 - padding, size - 1 - padding + added
    mirrored = weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
    return _correlated(np.pad(spread, [(less, more)] * 2 + [(0, 0)]), mirrored, 1) + bias


def _correlated(values, weight, stride):
    windows = np.lib.stride_tricks.sliding_window_view(values, weight.shape[2:], (0, 1))[::stride, ::stride]
    return np.einsum("hwcij,ocij->hwo", windows, weight)


@pytest.mark.parametrize("correlation", [True, False])
@pytest.mark.parametrize(("size", "down", "up"), [(3, 1, 1), (5, 2, 1), (9, 4, 1), (5, 1, 2), (3, 1, 2), (9, 1, 4)])
def test_modules_of_torch_compute_the_same(size, down, up, correlation, tmp_path):
    from lic.interop.safetensors import _all_conversions
    from lic.weights import named_variables

    layer = Convolution(4, size, down=down, up=up, correlation=correlation, bias_initializer="ones")
    values = np.random.default_rng(0).normal(size=(1, 12, 8, 3)).astype(np.float32)
    expected = layer(tf.constant(values))
    weight, bias = _all_conversions(layer, named_variables(layer))
    actual = _convolved(values[0], weight.to_torch(), weight.module, bias.to_torch())
    assert_near(actual, expected[0], 1e-5)


def test_sizes_that_no_padding_gives_have_a_note(tmp_path):
    table = {row.name: row for row in torch_tensors(tiny_model("conv", "hyperprior", kernel_size=4))}
    assert "nn.ZeroPad2d((2, 1, 2, 1))" in table["transform.analysis.layers.1.weight"].module.note
    assert "rows and columns 2 to 2 + 2 times the size" in table["transform.synthesis.layers.0.weight"].module.note


def test_without_safetensors_the_error_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"keras-lic\[safetensors\]"):
        export_safetensors(tiny_model("conv", "hyperprior"), tmp_path / "model.safetensors")


def test_a_codec_of_imported_weights_makes_the_same_streams(tmp_path):
    model = _changed(tiny_model("conv", "hyperprior"))
    image = random_images(32, 32, 3)
    codec, again = lic.Codec(model), lic.Codec(_out_and_in(model, tmp_path))
    assert again.fingerprint == codec.fingerprint
    assert again.compress(image) == codec.compress(image)
