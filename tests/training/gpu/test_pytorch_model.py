"""Models in PyTorch equal those of `lic`: against fixtures, and directly if torch is installed."""

import numpy as np
import pytest

import lic
from lic.entropy.coders import estimate
from lic.entropy.parts import anchors, non_anchors
from lic.environment import tf
from lic.interop.safetensors import export_safetensors, import_safetensors
from lic.weights import named_variables, set_tensors
from tests.training.gpu.make_fixtures import FOLDER, MODELS, SIZES, inputs_of, results_of

pytest.importorskip("safetensors")


def _assert_all_near(actual, expected):
    for name, value in expected.items():
        tolerance = 1e-3 if name.startswith("gradients/") else 1e-4
        error = np.abs(actual[name] - value).max() / max(np.abs(value).max(), 1e-12)
        assert error <= tolerance, f"{name}: {error}"


def _results_of_lic(path, inputs, monkeypatch, folder):
    """Returns the results of `results_of`, computed by lic."""
    model = import_safetensors(path)
    compressed = model(inputs["images"], quality=_quality_of(model, inputs))
    values, gradients = _trained(model, inputs, monkeypatch)
    bits = tf.add_n(list(compressed.bits.values()))
    losses = np.array([values[name] for name in ("loss", "bpp", "psnr")])
    results = {"x_hat": compressed.x_hat, "bits": bits, "losses": losses}
    # Gradients are laid out as weights are: what turns the one into PyTorch's layout turns the other.
    set_tensors(model, gradients)
    export_safetensors(model, folder / "gradients.safetensors")
    return {name: np.asarray(value) for name, value in (results | _read(folder / "gradients.safetensors")).items()}


def _quality_of(model, inputs):
    return inputs["quality"] if model.rate.count > 1 else None  # PyTorch's takes no notice of it.


def _trained(model, inputs, monkeypatch):
    noise = tf.constant(inputs["noise"])
    parts = [anchors().take(noise), non_anchors().take(noise)] if hasattr(model.entropy, "context") else [noise]
    drawn = iter([inputs["side_noise"], *parts])
    monkeypatch.setattr(estimate, "uniform", lambda shape: next(drawn))
    variables = named_variables(model)
    with tf.GradientTape() as tape:
        losses = model.losses_of(inputs["images"], training=True, quality=_quality_of(model, inputs))
        values = {name: tf.reduce_mean(each) for name, each in losses.items()}
    gradients = tape.gradient(values["loss"], list(variables.values()))
    return values, {name: np.asarray(gradient) for name, gradient in zip(variables, gradients)}


def _read(path):
    import safetensors.numpy

    return {f"gradients/{name}": value for name, value in safetensors.numpy.load_file(path).items()}


@pytest.fixture(params=MODELS)
def path(request):
    return FOLDER / f"{request.param}.safetensors"


def _inputs(path, **options):
    entropy = import_safetensors(path).entropy
    return inputs_of(entropy.latent_depth, entropy.hyper.depth, **options)


def test_lic_equals_the_fixtures_of_pytorch(path, monkeypatch, tmp_path):
    with np.load(path.with_suffix(".npz")) as expected:
        _assert_all_near(_results_of_lic(path, _inputs(path), monkeypatch, tmp_path), dict(expected))


def test_pytorch_equals_lic(path, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    inputs = _inputs(path)
    _assert_all_near(results_of(path, inputs), _results_of_lic(path, inputs, monkeypatch, tmp_path))


def test_pytorch_equals_the_shipped_default(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "default.safetensors"
    export_safetensors(lic.load("default").model, path)
    # With these images none of its many numbers is so near to the kink of a leaky ReLU that the two take other slopes.
    inputs = _inputs(path, seed=2)
    _assert_all_near(results_of(path, inputs), _results_of_lic(path, inputs, monkeypatch, tmp_path))


def test_a_generalized_normal_likelihood_equals_that_of_lic(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "model.safetensors"
    sizes = SIZES | MODELS["klt-checkerboard-gains"] | {"hyper": "conv"}
    export_safetensors(lic.create_model(likelihood="generalized-normal", shape=1.3, **sizes), path)
    inputs = _inputs(path)
    _assert_all_near(results_of(path, inputs), _results_of_lic(path, inputs, monkeypatch, tmp_path))
