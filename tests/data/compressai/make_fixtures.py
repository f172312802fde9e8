"""Writes CompressAI's results with random weights, for tests/interop/test_compressai.py. It needs compressai==1.2.8.

    python tests/data/compressai/make_fixtures.py

Weights and images are made anew from seeds by tests/models/random_compressai.py, so that files hold results
alone. Seeds are those at which no number is so near the middle between two integers that libraries may differ.
"""

import itertools
import pathlib
import sys

import numpy as np
import torch
from compressai import zoo

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.models.random_compressai import Weights, random_image  # noqa: E402

MODELS = ("bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018-mean")
QUALITIES = (3, 7)
SIZE = 64, 128
MARGIN = 1e-5  # A share of the largest number of a channel.


def main() -> None:
    """Writes a file for each model and quality, and prints how far their numbers spread."""
    torch.set_grad_enabled(False)
    for name, quality in itertools.product(MODELS, QUALITIES):
        found, spread = next(filter(None, (results(name, quality, seed) for seed in range(100))))
        np.savez_compressed(HERE / f"{name}-{quality}.npz", **found)
        print(name, quality, spread, found["bits"], found["bytes"], flush=True)  # noqa: T201


def results(name: str, quality: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, float]] | None:
    """Returns a model's results with the weights of a seed, and their spread; None if a number is near a tie."""
    model = zoo.models[name](quality=quality, metric="mse", pretrained=False).eval()
    weights = Weights(name, model.N, model.M, seed).tensors
    model.load_state_dict(model.state_dict() | {key: torch.from_numpy(array) for key, array in weights.items()})
    model.update(force=True)
    image = random_image(*SIZE, seed)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    out, y = model(x), model.g_a(x)
    centred, side, spread = _centred(model, name, y)
    if any(_near_a_tie(values) for values in centred):
        return None
    coded = model.compress(x)
    decoded = model.decompress(coded["strings"], coded["shape"])["x_hat"]
    likelihoods = list(out["likelihoods"].values())
    spread |= {
        "largest symbols": [int(values.abs().max()) for values in centred],
        "zeros": [float((values.round() == 0).float().mean()) for values in centred],
        "at the likelihood bound": sum(int((each < 1.01e-9).sum()) for each in likelihoods),
        "x_hat": [float(out["x_hat"].min()), float(out["x_hat"].max())],
    }
    arrays = {
        "seed": np.array(seed),
        "y": _channels_last(y),
        "x_hat": _channels_last(out["x_hat"]),
        "decoded": (_channels_last(decoded) * 255).round().astype(np.uint8),
        "bits": np.array([float(-torch.log2(each.double()).sum()) for each in likelihoods]),
        "bytes": np.array(sum(len(strings[0]) for strings in coded["strings"])),
    }
    return {**arrays, **side}, spread


def _centred(model: torch.nn.Module, name: str, y: torch.Tensor) -> tuple[list[torch.Tensor], dict, dict]:
    """Returns all numbers that are rounded, less their means; the side information; the range of the scales."""
    medians = model.entropy_bottleneck.quantiles[:, 0, 1][:, None, None]
    if name == "bmshj2018-factorized":
        return [y - medians], {}, {}
    with_means = name == "mbt2018-mean"
    z = model.h_a(y if with_means else y.abs())
    parameters = model.h_s((z - medians).round() + medians)
    scales, means = parameters.chunk(2, 1) if with_means else (parameters, 0.0)
    spread = {"scales": [float(scales.min()), float(scales.max())]}
    return [y - means, z - medians], {"z": _channels_last(z)}, spread


def _near_a_tie(values: torch.Tensor) -> bool:
    largest = values.abs().amax((0, 2, 3), keepdim=True)
    return bool(((values - values.floor() - 0.5).abs() < MARGIN * (1 + largest)).any())


def _channels_last(tensor: torch.Tensor) -> np.ndarray:
    return tensor[0].permute(1, 2, 0).numpy()


if __name__ == "__main__":
    main()
