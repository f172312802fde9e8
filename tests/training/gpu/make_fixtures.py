"""Makes the models and the results of PyTorch in tests/data/gpu, from which `lic` is tested without PyTorch.

    python -m tests.training.gpu.make_fixtures models

makes the models where lic and safetensors are installed, and with `results` for `models` what PyTorch computes where
torch is, which need not be the same environment.
"""

import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[3]
FOLDER = ROOT / "tests/data/gpu"
SIZES = {"width": 4, "latent_depth": 6, "outer_width": 6, "hyper_width": 5, "side_depth": 4, "features": 7}
CHECKERBOARD = {"context_width": 5, "parameter_widths": (8,)}
MODELS = {
    "klt-checkerboard-gains": {
        "transform": "klt",
        "entropy": "checkerboard",
        "fusion": "add",
        "lmbda": (0.002, 0.01, 0.06),
        "num_blocks": 1,
        "kernel_size": 3,
        **CHECKERBOARD,
    },
    "conv-checkerboard": {"transform": "conv", "entropy": "checkerboard", **CHECKERBOARD},
    "conv-hyperprior": {
        "transform": "conv",
        "entropy": "hyperprior",
        "hyper_activation": "leaky_relu",
        "features_activation": None,
    },
    "klt-hyperprior": {"transform": "klt", "entropy": "hyperprior", "num_blocks": 1, "lmbda": 0.03},
}


def make_models() -> None:
    """Writes tiny models whose weights are drawn, as float16 so that files are small."""
    import safetensors.numpy

    import lic
    from lic.interop.safetensors import export_safetensors

    for name, sizes in MODELS.items():
        path = FOLDER / f"{name}.safetensors"
        export_safetensors(lic.create_model(**{**SIZES, **sizes}, hyper="conv"), path)
        with safetensors.safe_open(path, "np") as file:
            tensors, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
        random = np.random.default_rng(0)
        drawn = {key: _drawn(random, tensors[key]).astype("float16") for key in sorted(tensors)}
        safetensors.numpy.save_file(drawn, path, metadata)


def _drawn(random: np.random.Generator, fresh: np.ndarray) -> np.ndarray:
    """Returns a fresh weight moved by a fifth of its size, so that no part is without effect."""
    return fresh + random.normal(0, max(0.2 * float(fresh.std()), 0.05), fresh.shape)


def inputs_of(depth: int, side_depth: int, batch: int = 2, size: int = 48, seed: int = 1) -> dict[str, np.ndarray]:
    """Returns images, qualities and noise for a model of 1/16 resolution, channels last, float32."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (batch, size // 8, size // 8, 3)).repeat(8, 1).repeat(8, 2)
    high = -(-size // 16)
    arrays = {
        "images": np.clip(coarse + random.normal(0, 8, coarse.shape), 0, 255).round(),
        "quality": random.uniform(1, 3, batch),
        "side_noise": random.uniform(-0.5, 0.5, (batch, -(-high // 4), -(-high // 4), side_depth)),
        "noise": random.uniform(-0.5, 0.5, (batch, high, high, depth)),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def results_of(path: pathlib.Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns PyTorch's results for the model in a file: losses, bits, x_hat (channels last) and gradients."""
    sys.path.insert(0, str(ROOT / "training/gpu"))
    import torch
    from pytorch_model import load

    model, _ = load(path)
    given = {name: torch.from_numpy(array) for name, array in inputs.items()}
    images, *noise = (given[name].movedim(3, 1).contiguous() for name in ("images", "side_noise", "noise"))
    x_hat, bits = model(images, given["quality"])
    losses = model.losses(images, given["quality"], tuple(noise))
    losses[0].backward()
    results = {"x_hat": x_hat.movedim(1, 3), "bits": bits, "losses": losses}
    results |= {f"gradients/{name}": weight.grad for name, weight in model.named_parameters()}
    return {name: value.detach().numpy() for name, value in results.items()}


def make_results() -> None:
    """Writes PyTorch's results for each model."""
    for name in MODELS:
        inputs = inputs_of(SIZES["latent_depth"], SIZES["side_depth"])
        np.savez_compressed(FOLDER / f"{name}.npz", **results_of(FOLDER / f"{name}.safetensors", inputs))


if __name__ == "__main__":
    {"models": make_models, "results": make_results}[sys.argv[1]]()
