"""Makes the start of `train_default.py`: a fresh model whose initial scales fit the latents of photographs.

    python training/gpu/start.py --data PHOTOGRAPHS --out START.safetensors [--model default]

For sizes of your own, do the same with a model that `lic.create_model` makes with them.
"""

import argparse
import pathlib

import numpy as np

import lic
from lic.interop import export_safetensors
from lic.models.base import CompressionModel
from lic.training import Photographs, start_scales

CROPS, CROP = 256, 128


def export_fresh(model: CompressionModel, data: pathlib.Path, out: pathlib.Path) -> None:
    """Sets a fresh model's initial scales from crops of the photographs in a folder, and writes the model."""
    crops = Photographs(data, CROP, CROPS, least_scale=0.5).batch_at(0)
    start_scales(model, crops.astype(np.float32))
    export_safetensors(model, out)


def main() -> None:
    """Writes the model that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="default", help="a registered model; default: default")
    arguments = parser.parse_args()
    export_fresh(lic.create_model(arguments.model), arguments.data, arguments.out)


if __name__ == "__main__":
    main()
