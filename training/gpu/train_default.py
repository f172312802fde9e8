#!/usr/bin/env python3
"""Trains a model of lic with PyTorch, on a GPU where there is one. Needs torch, numpy and Pillow, and this file alone.

    python train_default.py --start START.safetensors --data PHOTOGRAPHS --out OUT --minutes 20 [--valid KODAK] [--resume]

START is what `lic export --format safetensors` writes of a model of the transforms conv or klt, the hyper transform conv
and the entropy models hyperprior or checkerboard, of one rate or with gains. OUT gets weights.safetensors (averaged, for
`lic import`), the state from which --resume goes on, and log.jsonl.
"""

import argparse
import contextlib
import functools
import json
import math
import pathlib
import random
import time

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

LARGEST_FILE, LOG_SECONDS, SAVE_SECONDS = 16_000_000, 10, 180
WARM_UP, CLIP, AVERAGE, LEAST_SCALE, EPSILON = 200, 1.0, 0.998, 0.5, 1e-7
SCALES, LOWEST, GROWTH = 64, 0.11, math.log(256 / 0.11) / 63
OFFSET, BLOCK_MIDDLE = 2.0**-36, 127.5
TYPES = {"F32": np.float32, "F16": np.float16}
SIZES = {"width", "latent_depth", "kernel_size", "kernel_form", "latent_bias", "analysis_strides", "num_blocks", "step"}
SIZES |= {"analysis_kernel_sizes", "hyper_width", "side_depth", "features", "outer_width", "hyper_synthesis_widths"}
SIZES |= {"hyper_activation", "features_activation", "residual", "context_width", "parameter_widths", "context_size"}
SIZES |= {"hyper", "fusion"}


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
    """Writes a file aside and renames it."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


class Part(nn.Module):
    """A layer that holds weights and layers under their names in lic; `row` is what the file's table says of them."""

    def __init__(self, held: dict[str, nn.Parameter | nn.Module], row: dict):
        super().__init__()
        self.row = row
        for name, each in held.items():
            setattr(self, name, each)


class Convolution(Part):
    """A convolution in place, down or up, and the function that follows."""

    def forward(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        convolve = functional.conv_transpose2d if self.row["name"] == "ConvTranspose2d" else functional.conv2d
        weight = self.weight if mask is None else self.weight * mask
        values = convolve(values, weight, getattr(self, "bias", None), **self.row["arguments"])
        then, *numbers = self.row["then"].split() or [""]
        return getattr(functional, then)(values, *map(float, numbers)) if then else values


class GDN(Part):
    """x / (beta + gamma |x|), or times that; roots are stored."""

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


class Chain(Part):
    """Layers one after the other."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return functools.reduce(lambda values, layer: layer(values), self.layers.children(), values)


class ResidualBlock(Part):
    """Two convolutions, added to their input."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values + self.second(self.first(values))


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
        mirrored = lower + upper > 0
        lower, upper = torch.where(mirrored, -upper, lower), torch.where(mirrored, -lower, upper)
        bits = bits_between(functional.logsigmoid(lower), functional.logsigmoid(upper))
        return bits.view(values.shape[1], values.shape[0], -1).sum((0, 2))


class Gains(Part):
    """Logarithms of the gain, its spread and the remainder, each [qualities, channels]."""

    def forward(self, quality: torch.Tensor) -> list[torch.Tensor]:
        tables = (self.log_gain, self.log_spread, self.log_remainder)
        return [at(table, quality).exp()[:, :, None, None] for table in tables]


def at(table: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """Returns rows of a table at real qualities [batch], between two of them by distance."""
    position = (quality - 1).clamp(0, len(table) - 1)
    return (1 - (position[:, None] - torch.arange(len(table), device=table.device)).abs()).relu() @ table


class Transform(Part):
    """The transforms conv and klt; what gives pixels, and all that is linear in klt, is float32 in any precision."""

    reduced = staticmethod(contextlib.nullcontext)  # Makes the context in which the rest is computed.

    def analyse(self, images: torch.Tensor) -> torch.Tensor:
        if isinstance(self.analysis, Chain):
            with self.reduced():
                return self.analysis(images / 255).float()
        images = images - BLOCK_MIDDLE
        with self.reduced():
            refined = self.analysis.branch(blocks_of(images, 8) / BLOCK_MIDDLE)
        return self.analysis.linear(images / 40) + refined.float()

    def synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        if isinstance(self.synthesis, Chain):
            *inner, last = self.synthesis.layers.children()
            with self.reduced():
                latent = functools.reduce(lambda values, layer: layer(values), inner, latent)
            return last(latent.float()) * 255
        with self.reduced():
            refined = self.synthesis.branch(from_blocks(self.synthesis.entrance(latent), 2))
        return self.synthesis.linear(latent / 1000) + from_blocks(refined.float() * 32, 8) + BLOCK_MIDDLE


def blocks_of(images: torch.Tensor, size: int) -> torch.Tensor:
    """Makes blocks channels, in the order of row, column, channel."""
    split = functional.pixel_unshuffle(images, size).unflatten(1, (images.shape[1], size * size))
    return split.transpose(1, 2).flatten(1, 2)


def from_blocks(values: torch.Tensor, size: int) -> torch.Tensor:
    """Undoes `blocks_of`."""
    return functional.pixel_shuffle(values.unflatten(1, (size * size, -1)).transpose(1, 2).flatten(1, 2), size)


class Entropy(Part):
    """The walk of a hyperprior or a checkerboard, in float32; noise, where it is given, stands in for rounding."""

    def forward(self, latent: torch.Tensor, gain: torch.Tensor, spread: torch.Tensor, noise: tuple | None) -> tuple:
        scaled = latent * gain
        side = self.hyper.analysis(scaled / gain)
        features = self.hyper.synthesis(rounded(side))[..., : latent.shape[2], : latent.shape[3]]
        mean, index = self.parameters_of(features, scaled, gain)
        centred, index = scaled - mean * gain, index + torch.log(gain * spread) / GROWTH
        if noise:
            bits = self.prior(side + noise[0]) + normal_bits(centred + noise[1], index)
        else:
            bits = self.prior(side.round()) + normal_bits(centred.round(), index.clamp(0, SCALES - 1).round())
        y_hat = (rounded(centred) + mean * gain) / gain
        return (y_hat + torch.tanh(self.residual.network(features)) / 2 if hasattr(self, "residual") else y_hat), bits

    def parameters_of(self, features: torch.Tensor, scaled: torch.Tensor, gain: torch.Tensor) -> tuple:
        if not hasattr(self, "context"):
            return self.fused(features, None).chunk(2, 1)
        anchors = parity(*features.shape[2:], features.device) == 1
        first = self.fused(features, None)
        mean = first.chunk(2, 1)[0] * gain
        known = torch.where(anchors, (rounded(scaled - mean) + mean) / gain, 0.0)
        context = self.context(known, parity(*self.context.weight.shape[2:], features.device).float())
        return torch.where(anchors, first, self.fused(features, context)).chunk(2, 1)

    def fused(self, features: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        network = self._modules["parameters"]  # By its name lies a method of modules.
        if context is None and (hasattr(self, "correction") or not hasattr(self, "context")):
            return network(features)
        if context is None:
            context = features.new_zeros(len(features), len(self.context.bias), *features.shape[2:])
        both = torch.cat([context, features], 1)
        return network(features) + self.correction(both) if hasattr(self, "correction") else network(both)


def parity(height: int, width: int, device: torch.device) -> torch.Tensor:
    """Returns 1 where row plus column is odd, otherwise 0 [height, width]."""
    return (torch.arange(height, device=device)[:, None] + torch.arange(width, device=device)) % 2


def rounded(values: torch.Tensor) -> torch.Tensor:
    """Rounds with a gradient of one."""
    return values + (values.round() - values).detach()


def normal_bits(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Returns the bits [batch] of values (differences from their means) at real scale indexes."""
    index = -Bound.apply(-Bound.apply(index, 0.0), 1.0 - SCALES)
    deviation, values = torch.exp(math.log(LOWEST) + GROWTH * index), values.abs()
    lower, upper = (torch.special.log_ndtr((edge - values) / deviation) for edge in (-0.5, 0.5))
    return bits_between(lower, upper).sum((1, 2, 3))


def bits_between(lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """Returns minus log2 of the difference of two cumulatives, from their logarithms."""
    apart = (lower - upper).clamp_max(-1e-30)
    close = apart > -0.693
    near = torch.log(-torch.expm1(torch.where(close, apart, -1.0)))
    far = torch.log1p(-torch.exp(torch.where(close, -1.0, apart)))
    return (upper + torch.where(close, near, far)) * (-1 / math.log(2))


class Model(Part):
    """The whole model, on images [batch, 3, multiple of downscale, same] on 0..255 at real qualities [batch]."""

    def __init__(self, held: dict[str, nn.Module], config: dict):
        super().__init__(held, config)
        self.log_lmbda = torch.tensor(config["lmbda"]).log().reshape(-1, 1)
        strides = [each.row["arguments"].get("stride", 1) for each in self.transform.analysis.modules() if each.row]
        self.downscale = math.prod(strides) if isinstance(self.transform.analysis, Chain) else 16

    def forward(self, images: torch.Tensor, quality: torch.Tensor, noise: tuple | None = None) -> tuple:
        latent = self.transform.analyse(images)
        one = torch.ones(1, 1, 1, 1, device=images.device)
        gain, spread, remainder = self.gains(quality) if hasattr(self, "gains") else (one, one, one)
        y_hat, bits = self.entropy(latent, gain, spread, noise)
        return self.transform.synthesise(y_hat * remainder), bits

    def losses(self, images: torch.Tensor, quality: torch.Tensor, noise: tuple | None = None) -> torch.Tensor:
        """Returns loss, bits per pixel and PSNR in dB, means over the batch."""
        x_hat, bits = self(images, quality, noise)
        bpp, mse = bits / images[0, 0].numel(), (images - x_hat).square().mean((1, 2, 3))
        table = self.log_lmbda.to(images.device)
        lmbda = at(table, quality).exp()[:, 0]
        loss = (bpp + lmbda * mse) * (table.mean().exp() / lmbda).sqrt()  # Without gains this factor is one.
        return torch.stack([loss.mean(), bpp.mean(), (20 * math.log10(255) - 10 * mse.clamp_min(1e-10).log10()).mean()])

    def qualities(self, batch: int, device: torch.device) -> torch.Tensor:
        """Draws a quality for each image, between the first and the last."""
        return 1 + torch.rand(batch, device=device) * (len(self.log_lmbda) - 1)

    def noise(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Draws noise for the side information and for the latent of images."""
        high, wide = (-(-size // self.downscale) for size in images.shape[2:])
        side, depth = len(self.entropy.prior.matrices.get_parameter("0")), self.row["entropy"]["config"]["latent_depth"]
        shapes = (side, -(-high // 4), -(-wide // 4)), (depth, high, wide)
        return tuple(torch.rand(len(images), *shape, device=images.device) - 0.5 for shape in shapes)


PLACES = {"transform": Transform, "entropy": Entropy, "gains": Gains}
SIGNS = {"weight": Convolution, "reparam_beta": GDN, "first": ResidualBlock, "layers": Chain, "matrices": Prior}


def built(tree: dict | np.ndarray, rows: dict, path: str) -> nn.Module | nn.Parameter:
    """Builds the module of nested names, of a kind that its place or the names tell."""
    if isinstance(tree, np.ndarray):
        return nn.Parameter(torch.from_numpy(tree))
    in_order = sorted(tree, key=lambda name: (int(name) if name.isdecimal() else 0, name))
    held = {name: built(tree[name], rows, f"{path}.{name}") for name in in_order}
    kind = PLACES.get(path) or next((SIGNS[name] for name in SIGNS if name in tree), Part)
    row = next((rows[f"{path}.{name}"] for name in ("weight", "reparam_beta") if f"{path}.{name}" in rows), {})
    return kind(held, row)


def load(path: pathlib.Path) -> tuple[Model, dict[str, str]]:
    """Returns the model of a file and the file's metadata."""
    tensors, metadata = read_tensors(path)
    config, tree = json.loads(metadata["config"]), {}
    check(config)
    for name, array in tensors.items():
        *parents, leaf = name.split(".")
        functools.reduce(lambda node, parent: node.setdefault(parent, {}), parents, tree)[leaf] = array
    rows = json.loads(metadata["modules"])
    return Model({name: built(each, rows, name) for name, each in tree.items()}, config), metadata


def check(config: dict) -> None:
    """Refuses a configuration with parts or sizes that this file does not compute."""
    entropy, transform = config["entropy"], config["transform"]
    hyper = entropy["config"].get("hyper") or {"hyper transform": None, "config": {}}
    kinds = [transform["transform"], entropy["entropy model"], hyper["hyper transform"]]
    known = kinds[0] in ("conv", "klt") and kinds[1] in ("hyperprior", "checkerboard") and kinds[2] == "conv"
    strange = {name for part in (transform, entropy, hyper) for name in part["config"]} - SIZES
    if not known or strange or config.get("distortion", "mse") != "mse":
        raise SystemExit(f"This trainer does not compute {kinds} with {sorted(strange)}, {config.get('distortion')}.")


class Photographs:
    """Photographs that stay on the device, decoded; crops are cut from them at random places and scales."""

    def __init__(self, folder: pathlib.Path, crop: int, device: str):
        files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in Image.registered_extensions()]
        pixels = [pixels_of(file) for file in files]
        self.crop, self.pixels = crop, [each.to(device) for each in pixels if min(each.shape[1:]) >= crop]
        if not self.pixels:
            raise SystemExit(f"{folder} holds no photograph of at least {crop}x{crop} pixels.")

    def batch(self, count: int, draw: random.Random) -> torch.Tensor:
        """Returns crops [count, 3, crop, crop] on 0..255."""
        return torch.stack([self._cut(draw.choice(self.pixels), draw) for _ in range(count)])

    def _cut(self, pixels: torch.Tensor, draw: random.Random) -> torch.Tensor:
        side = min(round(self.crop / draw.uniform(LEAST_SCALE, 1)), *pixels.shape[1:])
        top, left = (draw.randint(0, size - side) for size in pixels.shape[1:])
        cut = pixels[:, top : top + side, left : left + side].float()
        if side != self.crop:
            size = (self.crop, self.crop)
            cut = functional.interpolate(cut[None], size, mode="bilinear", antialias=True)[0].round()
        cut = cut.flip(2) if draw.random() < 0.5 else cut
        return cut.transpose(1, 2) if draw.random() < 0.5 else cut


def pixels_of(file: pathlib.Path) -> torch.Tensor:
    """Returns an image, uint8 [3, height, width]."""
    return torch.from_numpy(np.array(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))).permute(2, 0, 1)


class Training:
    """A model, what the optimiser keeps of it, the averages of its weights, and what has been done.

    Args:
      options: The command's.
      device: "cuda" or "cpu".
    """

    def __init__(self, options: argparse.Namespace, device: str):
        self.out, self.progress = options.out, {"step": 0, "minutes": 0.0, "files": []}
        resumed = options.resume and (self.out / "progress.json").exists()
        model, self.metadata = load(self.out / "weights.safetensors" if resumed else options.start)
        self.model = model.to(device, memory_format=torch.channels_last)
        self.weights = list(model.parameters())
        self.averages, *self.moments = [[each.detach().clone() for each in self.weights] for _ in range(3)]
        torch._foreach_zero_([*self.moments[0], *self.moments[1]])
        if resumed:
            self._restore()
        self.optimizer = torch.optim.Adam(self.weights, options.learning_rate, eps=EPSILON, fused=device == "cuda")
        for weight, first, second in zip(self.weights, *self.moments):
            step = torch.tensor(float(self.progress["step"]), device=device)
            self.optimizer.state[weight] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
        self.average = get_ema_multi_avg_fn(AVERAGE)
        self.losses = self.model.losses if options.no_compile or device == "cpu" else torch.compile(self.model.losses)

    def step(self, images: torch.Tensor, quality: torch.Tensor, rate: float) -> torch.Tensor:
        """Takes a step, and returns what `Model.losses` did."""
        values = self.losses(images, quality, self.model.noise(images))
        self.optimizer.zero_grad()
        values[0].backward()
        nn.utils.clip_grad_norm_(self.weights, CLIP)
        self.optimizer.param_groups[0]["lr"] = rate * min(1.0, (self.progress["step"] + 1) / WARM_UP)
        self.optimizer.step()
        self.average(self.averages, self.weights, 1)
        self.progress["step"] += 1
        return values.detach()

    def save(self) -> None:
        """Writes the averaged weights and the state; progress.json, which names the state's files, comes last."""
        names = [name for name, _ in self.model.named_parameters()]
        tensors = {name: each.contiguous().cpu().numpy() for name, each in zip(names, self.averages)}
        if sum(array.nbytes for array in tensors.values()) > LARGEST_FILE - 100_000:
            tensors = {name: array.astype(np.float16) for name, array in tensors.items()}
        write_tensors(self.out / "weights.safetensors", tensors, self.metadata)
        state, last = torch.cat([each.flatten() for each in self._state()]).cpu().numpy(), self.progress["files"]
        pieces = np.array_split(state, math.ceil(state.nbytes / (LARGEST_FILE - 1000)))
        self.progress["files"] = [
            f"state-{self.progress['step']}-{number}.safetensors" for number in range(len(pieces))
        ]
        for name, piece in zip(self.progress["files"], pieces):
            write_tensors(self.out / name, {"state": piece}, {})
        write(self.out / "progress.json", json.dumps(self.progress).encode())
        for name in set(last) - set(self.progress["files"]):
            (self.out / name).unlink(missing_ok=True)

    def _state(self) -> list[torch.Tensor]:
        return [each.detach() for each in [*self.weights, *self.averages, *self.moments[0], *self.moments[1]]]

    def _restore(self) -> None:
        self.progress = json.loads((self.out / "progress.json").read_text())
        pieces = [read_tensors(self.out / name)[0]["state"] for name in self.progress["files"]]
        state = torch.from_numpy(np.concatenate(pieces)).split([each.numel() for each in self._state()])
        for each, values in zip(self._state(), state):
            each.copy_(values.view(each.shape))


@torch.no_grad()
def validate(training: Training, folder: pathlib.Path, device: str) -> list[dict[str, float]]:
    """Returns estimated bits per pixel and PSNR for each quality, means over photographs; ends at averaged weights."""
    torch._foreach_copy_(training.weights, training.averages)
    photographs, rows, multiple = Photographs(folder, 64, device).pixels, [], training.model.downscale
    for quality in range(1, len(training.model.log_lmbda) + 1):
        values = []
        for pixels in photographs:
            height, width = (size // multiple * multiple for size in pixels.shape[1:])
            images, at_quality = (
                pixels[None, :, :height, :width].float(),
                torch.full((1,), float(quality), device=device),
            )
            x_hat, bits = training.model(images, at_quality)
            mse = (x_hat.clamp(0, 255).round() - images).square().mean().item()
            values.append((bits.item() / (height * width), 10 * math.log10(255**2 / max(mse, 1e-10))))
        bpp, psnr = np.mean(values, 0).round(4).tolist()
        rows.append({"quality": quality, "bpp": bpp, "psnr": psnr})
    return rows


class Log:
    """Tells every ten seconds the means since the last time, on the screen and in log.jsonl."""

    def __init__(self, path: pathlib.Path, training: Training, device: str):
        self.path, self.training = path, training
        self.not_finite = torch.full((), math.inf, device=device)  # The first step whose loss was not finite.
        self.sums, self.count, self.since = torch.zeros(3, device=device), 0, time.monotonic()

    def add(self, values: torch.Tensor) -> None:
        step = self.training.progress["step"]
        bad = torch.where(values[0].isfinite(), math.inf, float(step))
        self.not_finite = torch.minimum(self.not_finite, bad)
        self.sums, self.count = self.sums + values, self.count + 1

    def tell(self, minutes: float, rate: float) -> None:
        """Writes a line.

        Raises:
          SystemExit: A loss was not finite.
        """
        first, means = self.not_finite.item(), (self.sums / self.count).tolist()
        if first < math.inf:
            raise SystemExit(
                f"The loss was not finite at step {first:.0f}. The state on disk is from before: --resume."
            )
        seconds, self.since = time.monotonic() - self.since, time.monotonic()
        row = {"step": self.training.progress["step"], "minutes": round(minutes, 2)}
        row |= {name: round(value, 4) for name, value in zip(("loss", "bpp", "psnr"), means)}
        row |= {"steps_a_second": round(self.count / seconds, 2), "learning_rate": float(f"{rate:.3g}")}
        self.sums, self.count = torch.zeros_like(self.sums), 0
        self.write(row)

    def write(self, row: dict) -> None:
        print(json.dumps(row), flush=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def learning_rate(highest: float, share: float) -> float:
    """Returns the rate when a share of all minutes has gone by: half a cosine over the second half, to a hundredth."""
    return highest * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(max(2 * share - 1, 0.0), 1.0))))


def train(training: Training, photographs: Photographs, log: Log, options: argparse.Namespace) -> None:
    """Trains for the minutes that are asked for, and saves every few minutes and at the end."""
    progress, before, start = training.progress, training.progress["minutes"], time.monotonic()
    told = saved = start
    total = max(options.total or before + options.minutes, 1e-9)
    while (now := time.monotonic()) - start < 60 * options.minutes:
        progress["minutes"] = before + (now - start) / 60
        rate = learning_rate(options.learning_rate, progress["minutes"] / total)
        images = photographs.batch(options.batch, random.Random(progress["step"]))
        log.add(training.step(images, training.model.qualities(options.batch, images.device), rate))
        if now - told > LOG_SECONDS:
            told = now
            log.tell(progress["minutes"], rate)
        if now - saved > SAVE_SECONDS:
            saved = now
            training.save()
    if log.count:
        log.tell(progress["minutes"], rate)
    training.save()


def options_of(arguments: list[str] | None, device: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add, gpu = parser.add_argument, device == "cuda"
    add("--start", type=pathlib.Path, help="a model that lic exported; not needed with --resume")
    add("--data", type=pathlib.Path, required=True, help="a folder of photographs")
    add("--out", type=pathlib.Path, required=True)
    add("--minutes", type=float, required=True, help="how long this call trains")
    add("--total", type=float, help="minutes of all calls, in whose second half the learning rate falls")
    add("--resume", action="store_true", help="go on from the state in OUT, if there is one")
    add("--batch", type=int, default=16 if gpu else 4)
    add("--crop", type=int, default=256 if gpu else 128)
    add("--learning-rate", type=float, default=5e-4)
    add("--valid", type=pathlib.Path, help="photographs to measure at the end")
    add("--precision", choices=["float32", "tf32", "bfloat16"], default="bfloat16" if gpu else "float32")
    add("--no-compile", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Trains, and measures where that is asked for."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = options_of(arguments, device)
    options.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"
    if options.precision == "bfloat16":
        Transform.reduced = staticmethod(functools.partial(torch.autocast, device, torch.bfloat16))
    training = Training(options, device)
    torch.manual_seed(training.progress["step"])
    photographs, log = Photographs(options.data, options.crop, device), Log(options.out / "log.jsonl", training, device)
    count = sum(each.numel() for each in training.weights)
    print(f"{count} parameters, {len(photographs.pixels)} photographs, {device}, from step {training.progress['step']}")
    train(training, photographs, log, options)
    for row in validate(training, options.valid, device) if options.valid else []:
        log.write(row)


if __name__ == "__main__":
    main()
