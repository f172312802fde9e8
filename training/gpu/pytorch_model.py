"""Models of lic in PyTorch, from the tensors that `lic export --format safetensors` writes. Needs torch and numpy.

    model, metadata = load("model.safetensors")
    x_hat, bits = model(images, torch.full([len(images)], 4.0))  # float32 [batch, 3, height, width] on 0..255

It computes the transforms conv and klt, also with the blocks of `depthwise.py`, the hyper transform conv, and the
entropy models hyperprior and checkerboard with the likelihoods normal and generalized-normal, with one rate or with
gains. Weights have the names of the file, which
`state_dict` and `load_state_dict` take.
"""

import functools
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

SCALES, LOWEST, HIGHEST = 64, 0.11, 256.0
GROWTH = math.log(HIGHEST / LOWEST) / (SCALES - 1)
FIRST, LAST, FINE = -256, 5, 256  # The range of a table of distribution functions in deviations, and its rows for each.
OFFSET = 2.0**-36  # GDN stores the roots of its weights plus this offset.
MIDDLE = 127.5
TYPES = {"F32": np.float32, "F16": np.float16}
# Arguments that may have any value: they are computed here, or the table of the file's tensors holds them.
SIZES = {
    *("width", "latent_depth", "kernel_size", "kernel_form", "latent_bias", "analysis_strides"),
    *("analysis_kernel_sizes", "num_blocks", "step", "hyper_width", "side_depth", "features", "outer_width"),
    *("hyper_synthesis_widths", "hyper_activation", "features_activation", "hyper", "residual", "context_width"),
    *("parameter_widths", "context_size", "fusion", "block", "likelihood", "shape"),
}
# Arguments that must have this value.
FIXED = {
    "square_root": False,
    "num_syntheses": 1,
    "absolute_latent": False,
    "side_bias": False,
    "quantization": "noise/ste",
    "hyper_entropy": None,
    "channels": 3,
    "attention": False,
    "prior_filters": [3, 3],
    "prior_medians": False,
    "likelihood_bound": None,
    "parameter_network": True,
    "zero_mean": False,
    "scales": [SCALES, LOWEST, HIGHEST, "nearest"],
    "predicted_scale": False,
    "scale_is": "deviation",
}


def read_tensors(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the tensors of a safetensors file, as float32, and its metadata."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8:start]), {}
    metadata = header.pop("__metadata__", {})
    for name, entry in header.items():
        first, last = (start + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[first:last], TYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"]).astype(np.float32)
    return tensors, metadata


def write_tensors(path: pathlib.Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes a safetensors file."""
    names, header, offset = {np.dtype(kind): name for name, kind in TYPES.items()}, {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        offsets = [offset, offset := offset + array.nbytes]
        header[name] = {"dtype": names[array.dtype], "shape": array.shape, "data_offsets": offsets}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write(path, b"".join([len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in tensors.values())]))


def write(path: pathlib.Path, content: bytes) -> None:
    """Writes a file under another name and renames it, so that no half-written file has its name."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


class Part(nn.Module):
    """A layer that holds weights and layers under their names in lic; `row` is their row in the file's table."""

    def __init__(self, held: dict[str, nn.Parameter | nn.Module], row: dict):
        super().__init__()
        self.row = row
        for name, each in held.items():
            setattr(self, name, each)


class Convolution(Part):
    """A convolution that keeps, lowers or raises the resolution, and the function that follows it."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        convolve = functional.conv_transpose2d if self.row["name"] == "ConvTranspose2d" else functional.conv2d
        values = convolve(values, self.weight, getattr(self, "bias", None), **self.row["arguments"])
        then, *numbers = self.row["then"].split() or [""]
        return getattr(functional, then)(values, *map(float, numbers)) if then else values


class GDN(Part):
    """GDN: x / (beta + gamma |x|), or the product for the inverse; the roots of beta and gamma are stored."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        beta = Bound.apply(self.reparam_beta, (1e-6 + OFFSET) ** 0.5).square() - OFFSET
        gamma = Bound.apply(self.reparam_gamma, OFFSET**0.5).square() - OFFSET
        norm = functional.conv2d(values.abs(), gamma[:, :, None, None], beta)
        return values * norm if self.row["arguments"]["inverse"] else values / norm


class Bound(torch.autograd.Function):
    """max(values, bound); below the bound only gradients that raise the value pass."""

    @staticmethod
    def forward(ctx: object, values: torch.Tensor, bound: float) -> torch.Tensor:
        ctx.save_for_backward(values >= bound)
        return values.clamp_min(bound)

    @staticmethod
    def backward(ctx: object, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        return torch.where(ctx.saved_tensors[0] | (upstream < 0), upstream, 0.0), None


class Sequential(Part):
    """Layers one after the other."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return functools.reduce(lambda values, layer: layer(values), self.layers.children(), values)


class ResidualBlock(Part):
    """Two convolutions, added to their input."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values + self.second(self.first(values))


class DepthwiseBlock(Part):
    """A depthwise convolution mixes positions, then 1x1 convolutions mix channels; each is added to its input."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        values = values + self.second(self.depthwise(self.first(values)))
        one, other = self.wide(values).chunk(2, 1)
        return values + self.last(one + other)


class Prior(Part):
    """A learnt density for each channel of the side information."""

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        factors = [*self.factors.parameters(), None]
        for matrix, bias, factor in zip(self.matrices.parameters(), self.biases.parameters(), factors):
            values = functional.softplus(matrix) @ values + bias
            values = values if factor is None else values + torch.tanh(factor) * torch.tanh(values)
        return values

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        flat = values.transpose(0, 1).flatten(1)[:, None]
        lower, upper = self.logits(flat - 0.5), self.logits(flat + 0.5)
        # As in lic, the upper half is mirrored to the lower, where a difference of sigmoids is not lost.
        mirrored = lower + upper > 0
        lower, upper = torch.where(mirrored, -upper, lower), torch.where(mirrored, -lower, upper)
        bits = bits_between(functional.logsigmoid(lower), functional.logsigmoid(upper))
        return bits.view(values.shape[1], values.shape[0], -1).sum((0, 2))


class Gains(Part):
    """Logarithms of the gain, of the factor of scales and of the output's gain, each [qualities, channels]."""

    def forward(self, quality: torch.Tensor) -> list[torch.Tensor]:
        tables = (self.log_gain, self.log_scale_factor, self.log_output_gain)
        return [at(table, quality).exp()[:, :, None, None] for table in tables]


def at(table: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """Returns rows of a table at real qualities [batch], between two of them by distance."""
    position = (quality - 1).clamp(0, len(table) - 1)
    return (1 - (position[:, None] - torch.arange(len(table), device=table.device)).abs()).relu() @ table


class Transform(Part):
    """The transforms conv and klt. The layer that gives pixels, and klt's linear path, are float32 in any precision."""

    bfloat16 = False  # If True, all other layers compute in bfloat16.

    def analyse(self, images: torch.Tensor) -> torch.Tensor:
        if isinstance(self.analysis, Sequential):
            with self._reduced(images):
                return self.analysis(images / 255).float()
        images = images - MIDDLE
        with self._reduced(images):
            refined = self.analysis.branch(blocks_of(images, 8) / MIDDLE)
        return self.analysis.linear(images / 40) + refined.float()

    def synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        if isinstance(self.synthesis, Sequential):
            *inner, last = self.synthesis.layers.children()
            with self._reduced(latent):
                latent = functools.reduce(lambda values, layer: layer(values), inner, latent)
            return last(latent.float()) * 255
        with self._reduced(latent):
            refined = self.synthesis.branch(from_blocks(self.synthesis.entrance(latent), 2))
        # A product of matrices gives the blocks: on a processor a transposed convolution takes ten times as long.
        kernel = self.synthesis.linear.weight
        blocks = functional.conv2d(latent / 1000, kernel.flatten(1).t()[:, :, None, None])
        return functional.pixel_shuffle(blocks, kernel.shape[-1]) + from_blocks(refined.float() * 32, 8) + MIDDLE

    def _reduced(self, values: torch.Tensor) -> torch.autocast:
        return torch.autocast(values.device.type, torch.bfloat16, enabled=self.bfloat16)


def blocks_of(images: torch.Tensor, size: int) -> torch.Tensor:
    """Makes channels of the pixels of blocks, in the order of row, column, channel."""
    split = functional.pixel_unshuffle(images, size).unflatten(1, (images.shape[1], size * size))
    return split.transpose(1, 2).flatten(1, 2)


def from_blocks(values: torch.Tensor, size: int) -> torch.Tensor:
    """Undoes `blocks_of`."""
    return functional.pixel_shuffle(values.unflatten(1, (size * size, -1)).transpose(1, 2).flatten(1, 2), size)


class Entropy(Part):
    """The walk of a hyperprior or a checkerboard, in float32; noise, if it is given, takes the place of rounding.

    The model gives it its `likelihood`.
    """

    rounds = False  # If True, numbers are rounded for the rate in training too.

    def forward(self, latent: torch.Tensor, gain: torch.Tensor, factor: torch.Tensor, noise: tuple | None) -> tuple:
        scaled = latent * gain
        side = self.hyper.analysis(scaled / gain)
        features = self.hyper.synthesis(rounded(side))[..., : latent.shape[2], : latent.shape[3]]
        mean, index = self.parameters_of(features, scaled, gain)
        # A gain scales numbers and means; the scale index moves by its logarithm, in steps of the table.
        centred, index = scaled - mean * gain, index + torch.log(gain * factor) / GROWTH
        if noise and self.rounds:
            bits = self.prior(rounded(side)) + self.likelihood.bits(rounded(centred), index)
        elif noise:
            bits = self.prior(side + noise[0]) + self.likelihood.bits(centred + noise[1], index)
        else:
            rows = index.clamp(0, SCALES - 1).round()
            bits = self.prior(side.round()) + self.likelihood.bits(centred.round(), rows)
        y_hat = (rounded(centred) + mean * gain) / gain
        return (y_hat + torch.tanh(self.residual.network(features)) / 2 if hasattr(self, "residual") else y_hat), bits

    def parameters_of(self, features: torch.Tensor, scaled: torch.Tensor, gain: torch.Tensor) -> tuple:
        network = self._modules["parameters"]  # PyTorch's modules have a method of this name.
        if not hasattr(self, "context"):
            return network(features).chunk(2, 1)
        # Both passes have their parameters at all positions, of which each takes those of its own pass.
        anchors = parity(*features.shape[2:], features.device) == 1
        added = hasattr(self, "correction")
        empty = features.new_zeros(len(features), len(self.context.bias), *features.shape[2:])
        first = network(features if added else torch.cat([empty, features], 1))
        mean = first.chunk(2, 1)[0] * gain
        known = torch.where(anchors, (rounded(scaled - mean) + mean) / gain, 0.0)
        both = torch.cat([self.context_of(known), features], 1)
        second = first + self.correction(both) if added else network(both)
        return torch.where(anchors, first, second).chunk(2, 1)

    def context_of(self, known: torch.Tensor) -> torch.Tensor:
        """Returns the context of the positions that are no anchors, from the values of anchors; zero at anchors.

        A product of matrices has only these positions and only the taps that meet anchors: a quarter of a convolution.
        """
        weight, (count, depth, height, width) = self.context.weight, known.shape
        side = weight.shape[-1]
        places = [(row, column) for row in range(height) for column in range(width) if (row + column) % 2 == 0]
        taps = [(row, column) for row in range(side) for column in range(side) if (row + column) % 2]
        wide, area = width + side - 1, (height + side - 1) * (width + side - 1)
        first = torch.tensor([row * wide + column for row, column in places], device=known.device)
        offsets = torch.tensor([row * wide + column for row, column in taps], device=known.device)
        images = area * torch.arange(count, device=known.device)
        values = functional.pad(known, [side // 2] * 4).permute(0, 2, 3, 1).reshape(-1, depth)
        seen = values[images[:, None, None] + first[:, None] + offsets].reshape(count * len(places), -1)
        kernel = weight.flatten(2)[:, :, [row * side + column for row, column in taps]].permute(2, 1, 0).flatten(0, 1)
        context = torch.addmm(self.context.bias, seen, kernel).view(count, len(places), -1).transpose(1, 2)
        empty = known.new_zeros(count, len(weight), height * width)
        flat = torch.tensor([row * width + column for row, column in places], device=known.device)
        return empty.index_copy(2, flat, context).view(count, -1, height, width)


def parity(height: int, width: int, device: torch.device) -> torch.Tensor:
    """Returns the parity [height, width] of row plus column: 1 where the sum is odd."""
    return (torch.arange(height, device=device)[:, None] + torch.arange(width, device=device)) % 2


def rounded(values: torch.Tensor) -> torch.Tensor:
    """Rounds with a gradient of one."""
    return values + (values.round() - values).detach()


class GeneralizedNormal(nn.Module):
    """Generalized normal distributions of one shape, whose scale is the standard deviation; shape 2 is a normal one.

    The logarithm of the distribution function comes from a table, with its first and second derivative: within float32,
    in a third of the time.
    """

    def __init__(self, shape: float):
        super().__init__()
        places = (torch.arange(FIRST * FINE, LAST * FINE, dtype=torch.float64) + 0.5) / FINE
        log_cdf, width = generalized_normal_log_cdf(places, shape), math.exp(-log_deviation(shape))
        density = math.log(shape / 2 / width) - math.lgamma(1 / shape) - (places.abs() / width) ** shape
        slope = torch.exp(density - log_cdf)
        bend = slope * (-places.sign() * shape * places.abs() ** (shape - 1) / width**shape - slope)
        self.register_buffer("table", torch.stack([log_cdf, slope, bend], 1).float(), persistent=False)

    def bits(self, values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Returns the bits [batch] of values (differences from their means) at real scale indexes."""
        index = -Bound.apply(-Bound.apply(index, 0.0), 1.0 - SCALES)
        deviation, values = torch.exp(math.log(LOWEST) + GROWTH * index), values.abs()
        lower, upper = (Tabled.apply((edge - values) / deviation, self.table) for edge in (-0.5, 0.5))
        return bits_between(lower, upper).sum((1, 2, 3))


class Tabled(torch.autograd.Function):
    """A function by its value, slope and bend at the middle of each of many short ranges, from FIRST to LAST."""

    @staticmethod
    def forward(ctx: object, values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        place = (values * FINE - FIRST * FINE).floor().clamp(0, len(table) - 1)
        apart = values - (place + (0.5 + FIRST * FINE)) / FINE
        value, slope, bend = table[place.long()].unbind(-1)
        ctx.save_for_backward(slope + bend * apart)
        return value + apart * (slope + bend * apart / 2)

    @staticmethod
    def backward(ctx: object, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        return upstream * ctx.saved_tensors[0], None


def log_deviation(shape: float) -> float:
    """Returns the logarithm of a generalized normal distribution's standard deviation over its width."""
    return 0.5 * (math.lgamma(3 / shape) - math.lgamma(1 / shape))


def generalized_normal_log_cdf(values: torch.Tensor, shape: float) -> torch.Tensor:
    """Returns the logarithm of the distribution function of a generalized normal distribution of deviation one.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.5.31, from 8 on.
    """
    order = values.new_tensor(1 / shape)
    power = (values.abs() * math.exp(log_deviation(shape))) ** shape
    near, far = power.clamp_max(8.0), power.clamp_min(8.0)
    fraction = far + 11 - order
    for level in range(5, 0, -1):
        fraction = far + (2 * level - 1) - order - level * (level - order) / fraction
    tail = order * far.log() - far - math.lgamma(1 / shape) - fraction.log()
    both_tails = torch.where(power < 8, torch.special.gammaincc(order, near).log(), tail)
    return torch.where(values > 0, torch.log1p(-0.5 * both_tails.exp()), both_tails - math.log(2))


def bits_between(lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """Returns minus log2 of the difference of two cumulatives, from their logarithms."""
    # log(1 - exp(apart)), in the form that is accurate on either side of -log(2).
    apart = (lower - upper).clamp_max(-1e-30)
    close = apart > -0.693
    near = torch.log(-torch.expm1(torch.where(close, apart, -1.0)))
    far = torch.log1p(-torch.exp(torch.where(close, -1.0, apart)))
    return (upper + torch.where(close, near, far)) * (-1 / math.log(2))


class Model(Part):
    """The whole model, on images [batch, 3, multiple of downscale, same] on 0..255 at real qualities [batch]."""

    def __init__(self, held: dict[str, nn.Module], config: dict):
        super().__init__(held, config)
        self.register_buffer("log_lmbda", torch.tensor(config["lmbda"]).log().reshape(-1, 1), persistent=False)
        likelihood = config["entropy"]["config"]["likelihood"]
        self.entropy.likelihood = GeneralizedNormal(likelihood["config"].get("shape", 2.0))
        self.downscale = 16
        if isinstance(self.transform.analysis, Sequential):
            rows = [layer.row["arguments"] for layer in self.transform.analysis.layers.children()]
            self.downscale = math.prod(arguments.get("stride", 1) for arguments in rows)

    def forward(self, images: torch.Tensor, quality: torch.Tensor, noise: tuple | None = None) -> tuple:
        latent = self.transform.analyse(images)
        one = torch.ones(1, 1, 1, 1, device=images.device)
        gain, scale_factor, output_gain = self.rate(quality) if hasattr(self, "rate") else (one, one, one)
        y_hat, bits = self.entropy(latent, gain, scale_factor, noise)
        return self.transform.synthesise(y_hat * output_gain), bits

    def losses(self, images: torch.Tensor, quality: torch.Tensor, noise: tuple | None = None) -> torch.Tensor:
        """Returns the loss of training, bits per pixel, and PSNR in dB, means over the batch."""
        x_hat, bits = self(images, quality, noise)
        bpp, mse = bits / images[0, 0].numel(), (images - x_hat).square().mean((1, 2, 3))
        lmbda = at(self.log_lmbda, quality).exp()[:, 0]
        loss = (bpp + lmbda * mse) * (self.log_lmbda.mean().exp() / lmbda).sqrt()  # With one rate, this factor is one.
        psnr = 20 * math.log10(255) - 10 * mse.clamp_min(1e-10).log10()
        return torch.stack([loss.mean(), bpp.mean(), psnr.mean()])

    def draw(self, images: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Draws the other arguments of `losses`: qualities, and noise for the side information and the latent."""
        high, wide = (-(-size // self.downscale) for size in images.shape[2:])
        side, depth = len(self.entropy.prior.matrices.get_parameter("0")), self.row["entropy"]["config"]["latent_depth"]
        shapes = (side, -(-high // 4), -(-wide // 4)), (depth, high, wide)
        # The lowest and the highest quality have as large a share as those between.
        quality = 0.5 + torch.rand(len(images), device=images.device) * len(self.log_lmbda)
        quality = quality.clamp(1, len(self.log_lmbda))
        return quality, tuple(torch.rand(len(images), *shape, device=images.device) - 0.5 for shape in shapes)


# The class of a module follows from its path, or else from a name among its weights and layers; the first sign counts.
PLACES = {"transform": Transform, "entropy": Entropy, "rate": Gains}
SIGNS = {
    "weight": Convolution,
    "reparam_beta": GDN,
    "depthwise": DepthwiseBlock,
    "first": ResidualBlock,
    "layers": Sequential,
    "matrices": Prior,
}


def built(tree: dict | np.ndarray, rows: dict, path: str) -> nn.Module | nn.Parameter:
    """Builds the module of nested names, or the parameter of an array.

    Args:
      tree: Arrays by nested names, or one array.
      rows: The file's table: a row for each tensor.
      path: Path of the module in the model.
    """
    if isinstance(tree, np.ndarray):
        return nn.Parameter(torch.from_numpy(tree))
    in_order = sorted(tree, key=lambda name: (int(name) if name.isdecimal() else 0, name))
    held = {name: built(tree[name], rows, f"{path}.{name}") for name in in_order}
    kind = PLACES.get(path) or next((SIGNS[name] for name in SIGNS if name in tree), Part)
    row = next((rows[f"{path}.{name}"] for name in ("weight", "reparam_beta") if f"{path}.{name}" in rows), {})
    return kind(held, row)


def load(path: pathlib.Path) -> tuple[Model, dict[str, str]]:
    """Returns the model of a file and the file's metadata.

    Raises:
      ValueError: This file cannot compute the model, such as one with even kernel sizes.
    """
    tensors, metadata = read_tensors(path)
    config, tree = json.loads(metadata["config"]), {}
    check(config)
    for name, array in tensors.items():
        if array.ndim == 4 and array.shape[2] % 2 == 0 and ".linear." not in name:
            raise ValueError(f"Expected odd kernel sizes, but {name} has the shape {array.shape}.")
        *parents, leaf = name.split(".")
        functools.reduce(lambda node, parent: node.setdefault(parent, {}), parents, tree)[leaf] = array
    rows = json.loads(metadata["modules"])
    return Model({name: built(each, rows, name) for name, each in tree.items()}, config), metadata


def check(config: dict) -> None:
    """Raises an error for a configuration that this file cannot compute.

    Raises:
      ValueError: A part or an argument is not known here; the message names it.
    """
    transform, entropy = config["transform"], config["entropy"]
    hyper = entropy["config"].get("hyper") or {"name": None, "config": {}}
    names = transform["name"], entropy["name"], hyper["name"]
    likelihood = entropy["config"].get("likelihood") or {"name": None, "config": {}}
    known = names[0] in ("conv", "klt") and names[1] in ("hyperprior", "checkerboard") and names[2] == "conv"
    known = known and likelihood["name"] in ("normal", "generalized-normal")
    parts = transform, hyper, entropy, likelihood
    arguments = {name: value for part in parts for name, value in part["config"].items()}
    strange = [
        f"{name}={value!r}"
        for name, value in sorted(arguments.items())
        if name not in SIZES and (name not in FIXED or value != FIXED[name])
    ]
    if not known or strange or config["distortion"] != "mse":
        raise ValueError(
            "Expected conv or klt, hyperprior or checkerboard, the hyper transform conv, the likelihood normal or "
            f"generalized-normal, and mse. Received: {names}, {likelihood['name']}, {config['distortion']}, with "
            f"arguments that are not computed here: {', '.join(strange)}."
        )
