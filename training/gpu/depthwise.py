"""Puts fresh depthwise residual blocks into the branches of a model of klt that `lic export` or `start.py` wrote.

    python depthwise.py START.safetensors OUT.safetensors [--width 192] [--blocks 3 3] [--seed 0]
    python depthwise.py START.safetensors OUT.safetensors --deeper --blocks 7 3 [--seed 0]

A block is x + 1x1(depthwise 3x3(f(1x1 x))), then x + 1x1(h + g), with h and g the halves of f(1x1 x) of four times the
channels, and f a leaky ReLU. All but the branches stays as it is. With --deeper the branches stay too: fresh blocks
follow those that are there, and change nothing at first. Needs numpy, and torch for the import alone.
"""

import argparse
import json
import pathlib

import numpy as np
from pytorch_model import read_tensors, write_tensors

SLOPE = 0.01  # The slope of the leaky ReLU below zero.
DAMPING = 0.3  # A factor of the kernels that end a half of a block, so that blocks start near the identity.
PIXELS = 192  # Channels of blocks of 8x8 pixels.


def with_depthwise_blocks(
    tensors: dict[str, np.ndarray], metadata: dict[str, str], width: int, blocks: tuple[int, int], seed: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns tensors and metadata of a model with fresh branches.

    Args:
      tensors: The tensors of the model, by names.
      metadata: The metadata of its file.
      width: Channels of the branches.
      blocks: Numbers of blocks of the analysis and of the synthesis.
      seed: Seed of the fresh weights.
    """
    config, rows = json.loads(metadata["config"]), json.loads(metadata["modules"])
    depth = config["transform"]["config"]["latent_depth"]
    branch = {"analysis": "transform.analysis.branch.layers", "synthesis": "transform.synthesis.branch.layers"}
    gone = (*branch.values(), "transform.synthesis.entrance")
    # The last layers of fresh branches are zero, so that at first only the linear path counts.
    tensors = {name: array for name, array in tensors.items() if not name.startswith(gone)}
    rows = {name: row for name, row in rows.items() if not name.startswith(gone)}
    fresh, ahead, behind = Fresh(tensors, rows, seed), *blocks
    fresh.add(f"{branch['analysis']}.1", (width, PIXELS, 1))
    for number in range(ahead):
        fresh.add_block(f"{branch['analysis']}.{2 + number}", width)
    fresh.add(f"{branch['analysis']}.{2 + ahead}", (depth, width, 3), gain=0.0, stride=2)
    fresh.add("transform.synthesis.entrance", (4 * width, depth, 1))
    for number in range(behind):
        fresh.add_block(f"{branch['synthesis']}.{number}", width)
    fresh.add(f"{branch['synthesis']}.{behind}", (PIXELS, width, 1), gain=0.0)
    config["transform"]["config"] |= {"width": width, "num_blocks": list(blocks), "block": "depthwise"}
    return tensors, metadata | {"config": json.dumps(config), "modules": json.dumps(rows)}


def with_more_blocks(
    tensors: dict[str, np.ndarray], metadata: dict[str, str], blocks: tuple[int, int], seed: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns tensors and metadata of a model whose branches have fresh blocks behind the depthwise ones they have.

    The fresh blocks add nothing at first: the kernels that end their halves are zero.

    Args:
      tensors: The tensors of the model, by names.
      metadata: The metadata of its file.
      blocks: Numbers of blocks of the analysis and of the synthesis, those that are there included.
      seed: Seed of the fresh weights.

    Raises:
      ValueError: The blocks of the model are not depthwise, or a branch has more of them already.
    """
    config, rows = json.loads(metadata["config"]), json.loads(metadata["modules"])
    sizes = config["transform"]["config"]
    there = sizes["num_blocks"]
    there = [there, there] if isinstance(there, int) else there
    kind = sizes.get("block", "plain")
    if kind != "depthwise" or any(new < old for new, old in zip(blocks, there)):
        raise ValueError(
            f"Expected branches of at most {blocks} depthwise blocks. Received: {there} {kind} blocks. Give larger "
            "--blocks, or leave out --deeper for fresh branches."
        )
    tensors = dict(tensors)
    fresh = Fresh(tensors, rows, seed)
    for part, first, old, new in zip(("analysis", "synthesis"), (2, 0), there, blocks):
        branch = f"transform.{part}.branch.layers"
        for held in (tensors, rows):  # The last convolution moves behind the fresh blocks.
            for each in ("weight", "bias"):
                held[f"{branch}.{first + new}.{each}"] = held.pop(f"{branch}.{first + old}.{each}")
        for number in range(old, new):
            fresh.add_block(f"{branch}.{first + number}", sizes["width"], gain=0.0)
    sizes["num_blocks"] = list(blocks)
    return tensors, metadata | {"config": json.dumps(config), "modules": json.dumps(rows)}


class Fresh:
    """Adds convolutions to a model's tensors and to the table of its modules."""

    def __init__(self, tensors: dict[str, np.ndarray], rows: dict[str, dict], seed: int):
        self.tensors, self.rows, self.random = tensors, rows, np.random.default_rng(seed)

    def add(self, name: str, sizes: tuple[int, int, int], gain: float = 1.0, then: str = "", **arguments: int) -> None:
        """Adds a convolution whose kernel is drawn as in PyTorch and whose bias is zero.

        Args:
          name: Name of the convolution.
          sizes: Outputs, inputs and the side of the kernel.
          gain: Factor of the kernel.
          then: The function that follows, such as "leaky_relu 0.01".
          **arguments: Arguments of the convolution other than the padding.
        """
        outputs, inputs, side = sizes
        shape = (outputs, inputs // arguments.get("groups", 1), side, side)
        limit = gain * np.prod(shape[1:]) ** -0.5
        self.tensors[f"{name}.weight"] = self.random.uniform(-limit, limit, shape).astype(np.float32)
        self.tensors[f"{name}.bias"] = np.zeros(outputs, np.float32)
        row = {"name": "Conv2d", "arguments": {"stride": 1, "padding": side // 2} | arguments, "then": then, "note": ""}
        self.rows |= {f"{name}.weight": row, f"{name}.bias": row}

    def add_block(self, name: str, width: int, gain: float = DAMPING) -> None:
        """Adds a depthwise block of `width` channels; the kernels that end its halves have the factor `gain`."""
        then = f"leaky_relu {SLOPE}"
        self.add(f"{name}.first", (width, width, 1), then=then)
        self.add(f"{name}.depthwise", (width, width, 3), groups=width)
        self.add(f"{name}.second", (width, width, 1), gain=gain)
        self.add(f"{name}.wide", (4 * width, width, 1), then=then)
        self.add(f"{name}.last", (width, 2 * width, 1), gain=gain)


def main(arguments: list[str] | None = None) -> None:
    """Writes the model that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("start", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--blocks", type=int, nargs=2, default=(3, 3), metavar=("ANALYSIS", "SYNTHESIS"))
    parser.add_argument("--deeper", action="store_true", help="keep the blocks that are there, and their width")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    tensors, metadata = read_tensors(options.start)
    if options.deeper:
        changed = with_more_blocks(tensors, metadata, tuple(options.blocks), options.seed)
    else:
        changed = with_depthwise_blocks(tensors, metadata, options.width, options.blocks, options.seed)
    write_tensors(options.out, *changed)


if __name__ == "__main__":
    main()
