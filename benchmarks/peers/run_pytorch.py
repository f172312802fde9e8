"""Measures a published system in its authors' code. It runs where that code runs, and needs nothing of `lic`.

    python -m peers.run_pytorch mbt2018-mean weights --weights WEIGHTS.npz
    python -m peers.run_pytorch mbt2018 codec --weights WEIGHTS.npz --images IMAGES.npy
    python -m peers.run_pytorch stf codec --source STF --weights WEIGHTS.npz --images IMAGES.npy

IMAGES.npy holds uint8 [batch, height, width, 3]. The last printed line is JSON: name, unit and values of each quantity.
`weights` writes random weights to the file. With `--versions` only the versions are printed, as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import math
import os
import pathlib
import sys
from typing import TYPE_CHECKING

from measuring import Quantity, peak_memory, timed, times

if TYPE_CHECKING:
    import numpy as np
    import torch

QUALITY = 4  # The quality of CompressAI's models.
LMBDA = 0.01  # The weight of the mean squared error on 0..255, which does not change the time of a step.
CLIPPED_TO = 1.0  # The largest norm of the gradients, as in CompressAI's own examples/train.py.
# The folder of a repository that holds its packages, and the module and class of each system.
CLASSES = {
    "elic2022": ("", "compressai.models.sensetime", "Elic2022Official"),
    "wacnn": ("", "compressai.models", "WACNN"),
    "stf": ("", "compressai.models", "SymmetricalTransFormer"),
    "tcm": ("", "models", "TCM"),
    "mlicpp": ("MLIC++", "models.mlicpp", "MLICPlusPlus"),
    "dcae": ("", "models", "DCAE"),
    "hpcm": ("", "src.models.HPCM_Base", "HPCM"),
}


def make_model(name: str, source: str | None) -> torch.nn.Module:
    """Makes a model at the sizes that `pairs.py` compares, with random weights.

    Args:
      name: CompressAI's name of one of its models at quality 4, or a key of `CLASSES`.
      source: The folder of the authors' repository; None for a class of CompressAI.
    """
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    if name not in CLASSES:
        from compressai import zoo

        return zoo.models[name](quality=QUALITY, metric="mse", pretrained=False)
    folder, module, class_name = CLASSES[name]
    if source:
        _prefer(pathlib.Path(source) / folder)
        _ignore_devices()
    sizes = {}
    if name == "mlicpp":
        from compressai import ops

        ops.ste_round = ops.quantize_ste  # MLIC++ was written for an older CompressAI, where it has this name.
        sizes = {"config": importlib.import_module("config.config").model_config()}
    if name == "tcm":
        # Its smallest form, as its README evaluates it.
        sizes = {"config": [2] * 6, "head_dim": [8, 16, 32, 32, 16, 8], "drop_path_rate": 0.0, "N": 64, "M": 320}
    return getattr(importlib.import_module(module), class_name)(**sizes)


def _prefer(folder: pathlib.Path) -> None:
    """Lets imports find the packages of a repository first.

    A copy of CompressAI in it, which lacks its compiled modules, gets those of the one that is installed.
    """
    sys.path.insert(0, str(folder))
    if (folder / "compressai").is_dir():
        for name in ("ans", "_CXX"):
            (found,) = pathlib.Path(importlib.metadata.distribution("compressai").locate_file("compressai")).glob(
                f"{name}.*.so"
            )
            spec = importlib.util.spec_from_file_location(f"compressai.{name}", found)
            sys.modules[spec.name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[spec.name])


def _ignore_devices() -> None:
    """Lets code that names a GPU run on the processor."""
    import torch

    ones = torch.ones
    torch.ones = lambda *sizes, device=None, **options: ones(*sizes, **options)
    torch.cuda.synchronize = lambda *_: None


def make_tables(name: str, model: torch.nn.Module) -> None:
    """Makes the tables of the coder, as the authors' code for evaluation does."""
    import torch

    if name == "hpcm":
        model.update(torch.exp(torch.linspace(math.log(0.12), math.log(64), 60)))
    else:
        model.update(force=True)


def write_weights(path: str, name: str, source: str | None) -> None:
    """Writes the random weights of a model, with which all measurements of it are made."""
    import numpy as np

    model = make_model(name, source)
    make_tables(name, model)
    np.savez(path, **{key: tensor.numpy() for key, tensor in model.state_dict().items()})


def with_weights(path: str, name: str, source: str | None) -> torch.nn.Module:
    """Makes a model with its tables and with the weights of a file of `write_weights`."""
    import numpy as np
    import torch

    model = make_model(name, source)
    make_tables(name, model)
    with np.load(path) as arrays:
        model.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    return model


def measure_codec(name: str, source: str | None, weights: str, images: np.ndarray, repeats: int) -> list[Quantity]:
    """Builds a codec, and compresses and decompresses an image: from uint8 to strings and back."""
    _, start = timed(lambda: importlib.import_module("torch"))
    model, build_seconds = timed(lambda: with_weights(weights, name, source).eval())
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


def measure_training(name: str, source: str | None, weights: str, images: np.ndarray, repeats: int) -> list[Quantity]:
    """Takes training steps on one batch, as CompressAI's examples/train.py does."""
    import torch

    model = with_weights(weights, name, source).train()
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
    parser = argparse.ArgumentParser(prog="run_pytorch", description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("what", nargs="?", choices=("weights", "codec", "training"))
    parser.add_argument("--source", metavar="FOLDER")
    parser.add_argument("--weights", metavar="NPZ")
    parser.add_argument("--images", metavar="NPY")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--versions", action="store_true")
    options = parser.parse_args()
    if options.versions:
        print(json.dumps(versions()))
        return
    if options.what == "weights":
        write_weights(options.weights, options.model, options.source)
        print(json.dumps([]))
        return
    measure = measure_codec if options.what == "codec" else measure_training
    import numpy as np

    images = np.load(options.images)
    print(json.dumps(measure(options.model, options.source, options.weights, images, options.repeats)))


if __name__ == "__main__":
    main()
