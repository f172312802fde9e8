"""Measures a model of CompressAI at random weights. It runs where CompressAI is installed, and needs nothing of `lic`.

    python -m peers.run_compressai mbt2018-mean codec --images IMAGES.npy --repeats 5

IMAGES.npy holds uint8 [batch, height, width, 3]. The last printed line is JSON: name, unit and values of each quantity.
With `--versions` only the versions are printed, as JSON.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
from typing import TYPE_CHECKING

from measuring import Quantity, peak_memory, timed, times

if TYPE_CHECKING:
    import numpy as np
    import torch

QUALITY = 4
LMBDA = 0.01  # The weight of the mean squared error on 0..255, which does not change the time of a step.
CLIPPED_TO = 1.0  # The largest norm of the gradients, as in CompressAI's own examples/train.py.


def imported() -> dict:
    """Imports PyTorch and CompressAI, with as many threads as cores may be used, and returns its models by name."""
    import torch
    from compressai import zoo

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return zoo.models


def make_model(name: str) -> torch.nn.Module:
    """Makes a model at the sizes of quality 4, with random weights that are the same each time."""
    import torch

    torch.manual_seed(0)
    return imported()[name](quality=QUALITY, metric="mse", pretrained=False)


def measure_codec(name: str, images: np.ndarray, repeats: int) -> list[Quantity]:
    """Builds a codec, and compresses and decompresses an image: from uint8 to strings and back."""
    _, start = timed(imported)

    def build() -> torch.nn.Module:
        model = make_model(name).eval()
        model.update(force=True)
        return model

    model, build_seconds = timed(build)
    coded, first_compress = timed(lambda: compress(model, images[0]))
    _, first_decompress = timed(lambda: decompress(model, coded))
    return [
        Quantity("import", "s", [start]),
        Quantity("build", "s", [build_seconds]),
        Quantity("first compress", "s", [first_compress]),
        Quantity("first decompress", "s", [first_decompress]),
        Quantity("start-up", "s", [start + build_seconds + first_compress]),
        Quantity("compress", "s", times(lambda: compress(model, images[0]), repeats)),
        Quantity("decompress", "s", times(lambda: decompress(model, coded), repeats)),
        Quantity("encoded size", "bytes", [sum(len(string) for part in coded["strings"] for string in _flat(part))]),
        Quantity("codec peak memory", "GiB", [peak_memory()]),
    ]


def measure_training(name: str, images: np.ndarray, repeats: int) -> list[Quantity]:
    """Takes training steps on one batch, as CompressAI's examples/train.py does."""
    import torch

    model = make_model(name).train()
    named = dict(model.named_parameters())
    main = torch.optim.Adam([each for key, each in named.items() if not key.endswith(".quantiles")], lr=1e-4)
    auxiliary = torch.optim.Adam([each for key, each in named.items() if key.endswith(".quantiles")], lr=1e-3)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255

    def step() -> float:
        main.zero_grad()
        auxiliary.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIPPED_TO)
        main.step()
        model.aux_loss().backward()
        auxiliary.step()
        return loss.item()

    _, first = timed(step)
    return [
        Quantity("first training step", "s", [first]),
        Quantity("training step", "s", times(step, repeats)),
        Quantity("training peak memory", "GiB", [peak_memory()]),
    ]


def loss_of(model: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Returns bits per pixel + lmbda * mean squared error of images [batch, 3, height, width] on 0..1."""
    import torch

    out = model(batch)
    pixels = batch.shape[0] * batch.shape[2] * batch.shape[3]
    bits = sum(-torch.log2(likelihoods).sum() for likelihoods in out["likelihoods"].values())
    return bits / pixels + LMBDA * 255**2 * torch.nn.functional.mse_loss(out["x_hat"], batch)


def compress(model: torch.nn.Module, image: np.ndarray) -> dict:
    """Returns CompressAI's strings and shape of an image, uint8 [height, width, 3]."""
    import torch

    with torch.inference_mode():
        return model.compress(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)


def decompress(model: torch.nn.Module, coded: dict) -> np.ndarray:
    """Returns the image, uint8 [height, width, 3], of a result of `compress`."""
    import torch

    with torch.inference_mode():
        pixels = model.decompress(coded["strings"], coded["shape"])["x_hat"][0]
        return (pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def versions() -> dict[str, str]:
    """Returns the versions of CompressAI and PyTorch."""
    return {name: importlib.metadata.version(name) for name in ("compressai", "torch")}


def _flat(strings: bytes | list) -> list[bytes]:
    return [strings] if isinstance(strings, bytes) else [each for part in strings for each in _flat(part)]


def main() -> None:
    """Measures as the command line asks, and prints the quantities as JSON."""
    parser = argparse.ArgumentParser(prog="run_compressai", description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("what", nargs="?", choices=("codec", "training"))
    parser.add_argument("--images", metavar="NPY")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--versions", action="store_true")
    options = parser.parse_args()
    if options.versions:
        print(json.dumps(versions()))
        return
    measure = measure_codec if options.what == "codec" else measure_training
    if options.what == "training":
        imported()
    import numpy as np

    print(json.dumps(measure(options.model, np.load(options.images), options.repeats)))


if __name__ == "__main__":
    main()
