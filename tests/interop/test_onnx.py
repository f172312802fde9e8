"""Networks as ONNX files: onnxruntime gives what the layers give."""

import json
import sys

import numpy as np
import pytest

import lic
from lic.environment import KERAS_3, keras, tf
from lic.interop.onnx import DESCRIPTION, export_onnx, networks_of
from lic.weights import named_layers, named_variables
from tests.conftest import assert_near, slow_but, tiny_model

MODELS = {
    "default": lambda: lic.load("default").model,
    "charm": lambda: tiny_model("conv", "charm", num_slices=3),
    "swin": lambda: tiny_model("swin", "hyperprior", depths=(2, 1, 1, 1), hyper_depths=(1, 1)),
}
SIZES = [(1, 16, 16), (2, 32, 48), (1, 48, 16)]


def input_of(network, size, random):
    low, high = (0, 255) if network.path == "transform/analysis" else (-2, 2)
    return random.uniform(low, high, (*size, network.channels)).astype(np.float32)


@pytest.mark.parametrize("name", slow_but(MODELS, "default", "charm"))
def test_onnxruntime_gives_the_same(name, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    model, random = MODELS[name](), np.random.default_rng(0)
    networks = export_onnx(model, tmp_path)
    layers = named_layers(model)
    described = {each["file"]: each for each in json.loads((tmp_path / DESCRIPTION).read_text())["networks"]}
    assert {path.name for path in tmp_path.glob("*.onnx")} == described.keys()
    for network in networks:
        session = onnxruntime.InferenceSession(tmp_path / network.file)
        for size in SIZES:
            values = input_of(network, size, random)
            (found,) = session.run(["output"], {"input": values})
            assert_near(found, layers[network.path](tf.constant(values)), 1e-4)
            assert found.shape[-1] == described[network.file]["output"]["shape"][-1]


class LogGamma(keras.layers.Layer):
    """A layer that ONNX has no equal of."""

    def call(self, values):
        return tf.math.lgamma(values)


def test_operations_without_an_equal_are_refused(tmp_path):
    pytest.importorskip("tf2onnx")
    model = tiny_model("conv", "factorized")
    model.transform.analysis.layers.append(LogGamma())
    with pytest.raises(lic.LicError, match=r"The network transform/analysis cannot be written as ONNX: .*Lgamma"):
        export_onnx(model, tmp_path)


@pytest.mark.parametrize("entropy", ["charm", "space-channel"])
def test_every_weight_is_in_a_network(entropy):
    model = tiny_model("klt", entropy)
    networks, _ = networks_of(model)
    paths = {network.path for network in networks}
    assert {"transform/analysis", "transform/synthesis"} <= paths
    for weight in named_variables(model):
        assert weight.startswith("entropy/prior/") or any(weight.startswith(f"{path}/") for path in paths), weight


def test_networks_know_their_channels():
    networks = {network.path: network for network in networks_of(tiny_model("klt", "checkerboard"))[0]}
    assert networks["transform/analysis"][1:] == (3, 12)
    assert networks["entropy/hyper/synthesis"][1:] == (4, 8)
    assert networks["entropy/context"][1:] == (12, 8)
    assert networks["entropy/parameters"][1:] == (16, 24)
    assert networks["entropy/residual"].file == "entropy.residual.onnx"


def test_calls_are_the_layers_own_again():
    model = tiny_model("klt", "hyperprior")
    networks_of(model)
    assert not any("call" in vars(layer) for layer in named_layers(model).values())


def test_an_environment_that_cannot_export_is_refused(monkeypatch, tmp_path):
    if not KERAS_3:
        monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(lic.LicError, match=r"tf2onnx, which supports TensorFlow 2.14 on Python 3.10 and 3.11"):
        export_onnx(tiny_model("klt", "factorized"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
