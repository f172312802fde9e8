"""Trains a model of lic with PyTorch, on a GPU if there is one. This folder needs only torch, numpy and Pillow.

    python train_default.py --start START.safetensors --data PHOTOGRAPHS --out OUT --minutes 20 [--resume]

START holds the configuration and the initial weights, as `lic export --format safetensors` and `start.py` write them.
OUT gets weights.safetensors (averaged weights, for `lic import`), the state from which --resume goes on, and log.jsonl.

With `torchrun --standalone --nproc-per-node 2 -- train_default.py ...` each core of a processor takes steps on crops of
its own, and the processes average their states every 25 steps (local SGD: Stich, ICLR 2019).
"""

import argparse
import json
import math
import os
import pathlib
import random
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageOps
from pytorch_model import GeneralizedNormal, Model, load, read_tensors, write, write_tensors
from soap import SOAP, Adam
from torch import distributed, nn
from torch.nn import functional

LARGEST_FILE, ROOM = 16_000_000, 100_000  # The most bytes of a file, and its bytes for everything but numbers.
LOG_SECONDS, SAVE_SECONDS = 15, 120
# These are as in `lic train --preset default`. While there are few steps, averages are over the last tenth of them.
WARM_UP, CLIP, AVERAGE, LEAST_SCALE = 200, 1.0, 0.998, 0.65
RATES = {"adam": 5e-4, "soap": 1e-3}
LUMA = 0.299, 0.587, 0.114  # Of red, green and blue.
GREY = 0.2  # The share of crops without colour: photographs of that kind are rare, and their errors of colour show.
SHARPEN = 0.5  # The most by which a crop's difference to its 3x3 means is added to it: crops made smaller are too soft.
MEETING = 25  # Steps from one average over the processes to the next.
GROWTH = 1e6  # How many times its lowest, or 1, the mean loss may become, as in `lic train`.


class Photographs:
    """Decoded photographs on the device, from which crops are cut at random places and scales.

    The crops of a batch have one scale, so that one operation cuts all of them and another makes them smaller.

    Args:
      folder: The folder of the photographs.
      crops: Sides of the crops; each batch has one of them, drawn at random.
      device: "cuda" or "cpu".
      process: This process among those that share the training, and how many these are.
    """

    def __init__(self, folder: pathlib.Path, crops: list[int], device: str, process: tuple[int, int] = (0, 1)):
        photographs = read_photographs(folder, max(crops))
        self.crops, self.device, self.process = crops, device, process
        self.pixels = torch.cat([each.permute(1, 2, 0).reshape(-1, 3) for each in photographs]).to(device)
        self.sizes = [tuple(each.shape[1:]) for each in photographs]
        self.starts = np.cumsum([0, *(height * width for height, width in self.sizes)])[:-1].tolist()

    def __len__(self) -> int:
        return len(self.sizes)

    def batch(self, count: int, draw: random.Random) -> torch.Tensor:
        """Returns crops [count, 3, side, side] on 0..255."""
        largest = max(min(size) for size in self.sizes)
        crop = draw.choice(self.crops) if len(self.crops) > 1 else self.crops[0]
        side = min(round(crop / draw.uniform(LEAST_SCALE, 1)), largest)
        enough = [number for number, size in enumerate(self.sizes) if min(size) >= side]
        number, processes = self.process  # All of them draw the same crops, so that they have one size, and share them.
        cuts = [self._cut(draw.choice(enough), side, draw) for _ in range(count * processes)][number::processes]
        start, down, across = torch.tensor(cuts, device=self.device)[:, :, None, None].unbind(1)
        steps = torch.arange(side, device=self.device)
        cut = self.pixels[start + down * steps[:, None] + across * steps].permute(0, 3, 1, 2).float()
        if side != crop:
            cut = functional.interpolate(cut, (crop, crop), mode="bicubic", antialias=True)
        shares = [SHARPEN * draw.random() for _ in range(count * processes)][number::processes]
        means = functional.avg_pool2d(functional.pad(cut, (1, 1, 1, 1), mode="replicate"), 3, 1)
        cut = (cut + cut.new_tensor(shares)[:, None, None, None] * (cut - means)).clamp(0, 255).round()
        grey = [draw.random() < GREY for _ in range(count * processes)][number::processes]
        cut[grey] = (cut[grey] * cut.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True).round()
        return cut.contiguous(memory_format=torch.channels_last)

    def _cut(self, number: int, side: int, draw: random.Random) -> tuple[int, int, int]:
        """Returns the index of a crop's first pixel, and the steps from it to the pixels below it and beside it.

        Crops are flipped and transposed at random; negative and exchanged steps do that.
        """
        height, width = self.sizes[number]
        start, down, across = self.starts[number], width, 1
        start += draw.randint(0, height - side) * down + draw.randint(0, width - side) * across
        if draw.random() < 0.5:
            start, across = start + (side - 1) * across, -across
        return (start, across, down) if draw.random() < 0.5 else (start, down, across)


def read_photographs(folder: pathlib.Path, least: int) -> list[torch.Tensor]:
    """Returns the images of a folder with at least `least` pixels a side, each uint8 [3, height, width]."""
    files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in Image.registered_extensions()]
    pixels = [each for each in map(pixels_of, files) if each is not None and min(each.shape[1:]) >= least]
    if not pixels:
        raise SystemExit(f"{folder} holds no photograph of at least {least}x{least} pixels.")
    return pixels


def pixels_of(file: pathlib.Path) -> torch.Tensor | None:
    """Returns an image, uint8 [3, height, width]; or prints why a file is left out, and returns None."""
    try:
        pixels = np.array(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))
    except OSError as error:
        print(f"{file} is left out: {error}")
        return None
    return torch.from_numpy(pixels).permute(2, 0, 1)


class Training:
    """A training: the model, the state of its optimiser, the averages of its weights, and its progress.

    Args:
      options: The options of the command.
      device: "cuda" or "cpu".
      process: This process among those that share the training, and how many these are. The first one saves.
    """

    def __init__(self, options: argparse.Namespace, device: str, process: tuple[int, int] = (0, 1)):
        self.out, self.progress = options.out, {"step": 0, "minutes": 0.0, "gigapixels": 0.0, "files": []}
        there = (self.out / "progress.json").exists()
        if there and not options.resume:
            raise SystemExit(f"{self.out} holds a training already. Go on with --resume, or choose another --out.")
        if not there and not options.start:
            raise SystemExit(f"{self.out} holds no training to go on from. Give --start.")
        model, self.metadata = load(self.out / "weights.safetensors" if there else options.start)
        if options.last:
            model.entropy.rounds = True
            model.transform.analysis.requires_grad_(False)
        if options.shape:
            model.entropy.likelihood = GeneralizedNormal(options.shape)
            self.metadata["config"] = json.dumps(with_shape(json.loads(self.metadata["config"]), options.shape))
        model.transform.bfloat16 = options.precision == "bfloat16"
        self.model = model.to(device, memory_format=torch.channels_last)
        self.weights = list(model.parameters())
        self.averages = [each.detach().clone() for each in self.weights]
        rate = options.learning_rate
        self.optimizer = (
            SOAP(model.named_parameters(), rate) if options.optimizer == "soap" else Adam(self.weights, rate)
        )
        number, self.processes = process
        self.saves = number == 0
        if self.processes > 1 and options.optimizer != "adam":
            raise SystemExit(
                "Several processes average what the optimiser keeps, and eigenvectors have no average. Received: "
                f"--optimizer {options.optimizer} in {self.processes} processes. Take adam, or one process."
            )
        if there:
            self._restore()
        self.losses = self.model.losses
        if device == "cuda" and not options.no_compile:
            images = torch.zeros(options.batch, 3, options.crop[0], options.crop[0], device=device)
            self.losses = compiled(self.model, images.contiguous(memory_format=torch.channels_last))

    def step(self, images: torch.Tensor, rate: float) -> torch.Tensor:
        """Takes a step, and returns the result of `Model.losses`."""
        values = self.losses(images, *self.model.draw(images))
        self.optimizer.zero_grad()
        values[0].backward()
        nn.utils.clip_grad_norm_(self.weights, CLIP)
        self.optimizer.learning_rate = rate * min(1.0, (self.progress["step"] + 1) / WARM_UP)
        self.optimizer.step()
        self.progress["step"] += 1
        self.progress["gigapixels"] += self.processes * images[:, 0].numel() / 1e9
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.weights, min(1.0, max(1 - AVERAGE, 10 / self.progress["step"])))
        return values.detach()

    def goes_on(self, time_is_left: bool) -> bool:
        """Returns whether the training goes on; several processes meet here, and end together."""
        if self.processes == 1 or self.progress["step"] % MEETING:
            return time_is_left or self.processes > 1
        state = torch.cat([torch.tensor([float(time_is_left)]), *(each.flatten() for each in self._state())])
        distributed.all_reduce(state)
        state /= self.processes
        self._set_state(state[1:])
        return state[0].item() == 1

    def save(self) -> None:
        """Writes the averaged weights and the state. The last file is progress.json, which names those of the state."""
        if not self.saves:
            return
        names = [name for name, _ in self.model.named_parameters()]
        tensors = {name: each.contiguous().cpu().numpy() for name, each in zip(names, self.averages)}
        # No file may be larger than LARGEST_FILE, so weights become float16 if they must, and the state is cut up.
        if sum(array.nbytes for array in tensors.values()) > LARGEST_FILE - ROOM:
            tensors = {name: array.astype(np.float16) for name, array in tensors.items()}
        write_tensors(self.out / "weights.safetensors", tensors, self.metadata)
        state, last = torch.cat([each.flatten() for each in self._state()]).cpu().numpy(), self.progress["files"]
        pieces = np.array_split(state, math.ceil(state.nbytes / (LARGEST_FILE - ROOM)))
        self.progress["files"] = [
            f"state-{self.progress['step']}-{number}.safetensors" for number in range(len(pieces))
        ]
        for name, piece in zip(self.progress["files"], pieces):
            write_tensors(self.out / name, {"state": piece}, {})
        write(self.out / "progress.json", json.dumps(self.progress).encode())
        for name in set(last) - set(self.progress["files"]):
            (self.out / name).unlink(missing_ok=True)

    def _state(self) -> list[torch.Tensor]:
        return [each.detach() for each in [*self.weights, *self.averages, *self.optimizer.kept()]]

    def _restore(self) -> None:
        self.progress = json.loads((self.out / "progress.json").read_text())
        pieces = [read_tensors(self.out / name)[0]["state"] for name in self.progress["files"]]
        self._set_state(torch.from_numpy(np.concatenate(pieces)))
        self.optimizer.start_at(self.progress["step"])

    def _set_state(self, state: torch.Tensor) -> None:
        for each, values in zip(self._state(), state.split([each.numel() for each in self._state()])):
            each.copy_(values.view(each.shape))


def with_shape(config: dict, shape: float) -> dict:
    """Returns a configuration whose likelihood is a generalized normal of that shape, with the same scales."""
    settings = config["entropy"]["config"]
    sizes = settings["likelihood"]["config"] | {"shape": shape, "scale_is": "deviation"}
    settings["likelihood"] = {"kind": "likelihood", "name": "generalized-normal", "config": sizes}
    return config


def compiled(model: Model, images: torch.Tensor) -> Callable:
    """Returns `model.losses` compiled; if PyTorch cannot compile it, prints so and returns it as it is."""
    fast = torch.compile(model.losses)
    try:
        fast(images, *model.draw(images))[0].backward()
    except Exception as error:
        print(f"torch.compile failed, so steps are slower: {error}")
        fast = model.losses
    model.zero_grad()
    return fast


@torch.no_grad()
def validate(training: Training, folder: pathlib.Path, device: str) -> list[dict[str, float]]:
    """Returns mean estimated bits per pixel and PSNR over photographs, for each quality.

    The model has the averaged weights from then on, and computes in float32.
    """
    torch._foreach_copy_(training.weights, training.averages)
    training.model.transform.bfloat16 = False
    photographs, rows, multiple = read_photographs(folder, 64), [], training.model.downscale
    for quality in range(1, len(training.model.log_lmbda) + 1):
        values = []
        for pixels in photographs:
            height, width = (size // multiple * multiple for size in pixels.shape[1:])
            images = pixels[None, :, :height, :width].to(device).float()
            x_hat, bits = training.model(images, torch.full([1], float(quality), device=device))
            mse = (x_hat.clamp(0, 255).round() - images).square().mean().item()
            values.append((bits.item() / (height * width), 10 * math.log10(255**2 / max(mse, 1e-10))))
        bpp, psnr = np.mean(values, 0).round(4).tolist()
        rows.append({"quality": quality, "bpp": bpp, "psnr": psnr})
    return rows


class Log:
    """Means of the losses since the last line, printed and written to log.jsonl every 15 seconds."""

    def __init__(self, path: pathlib.Path, training: Training, device: str):
        self.path, self.training = path, training
        self.not_finite = torch.full((), math.inf, device=device)  # The first step whose loss was not finite.
        self.sums, self.count, self.since = torch.zeros(3, device=device), 0, time.monotonic()
        self.lowest = math.inf  # The lowest mean loss.

    def add(self, values: torch.Tensor) -> None:
        step = self.training.progress["step"]
        # The first bad step stays on the device: to look at each loss would make the GPU wait.
        bad = torch.where(values[0].isfinite(), math.inf, float(step))
        self.not_finite = torch.minimum(self.not_finite, bad)
        self.sums, self.count = self.sums + values, self.count + 1

    def check(self) -> None:
        """Raises SystemExit if a loss was not finite, or the mean loss has grown a million times."""
        step = self.not_finite.item()
        if step < math.inf:
            raise SystemExit(f"The loss was not finite at step {step:.0f}. The state that was saved is from before it.")
        loss = (self.sums[0] / max(self.count, 1)).item()
        if loss > GROWTH * max(self.lowest, 1.0):
            raise SystemExit(f"The mean loss is {loss:.3g}, and was {self.lowest:.3g} before. Lower --learning-rate.")

    def write_means(self, rate: float) -> None:
        """Writes a line, unless `check` raises an error."""
        self.check()
        means = (self.sums / self.count).tolist()
        self.lowest = min(self.lowest, means[0])
        seconds, self.since = time.monotonic() - self.since, time.monotonic()
        row = {"step": self.training.progress["step"], "minutes": round(self.training.progress["minutes"], 2)}
        row |= {name: round(value, 4) for name, value in zip(("loss", "bpp", "psnr"), means)}
        row |= {"steps_a_second": round(self.count / seconds, 2), "learning_rate": float(f"{rate:.3g}")}
        row |= {"gigapixels": round(self.training.progress["gigapixels"], 4)}
        self.sums, self.count = torch.zeros_like(self.sums), 0
        self.write(row)

    def write(self, row: dict) -> None:
        if not self.training.saves:
            return
        print(json.dumps(row), flush=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def learning_rate(highest: float, share: float) -> float:
    """Returns the rate after a share of all minutes: it falls to a hundredth by half a cosine over the second half."""
    return highest * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(max(2 * share - 1, 0.0), 1.0))))


def train(training: Training, photographs: Photographs, log: Log, options: argparse.Namespace) -> None:
    """Trains for `options.minutes`, or until an interrupt. Saves every two minutes and at the end.

    On a processor, which other work may share, minutes are those of the processor.
    """
    clock = time.monotonic if photographs.device == "cuda" else time.process_time
    progress, before, start = training.progress, training.progress["minutes"], clock()
    total, logged, saved, rate = options.total or before + options.minutes, start, start, 0.0
    try:
        while training.goes_on((now := clock()) - start < 60 * options.minutes):
            progress["minutes"] = before + (now - start) / 60
            rate = learning_rate(options.learning_rate, progress["minutes"] / total)
            images = photographs.batch(options.batch, random.Random(progress["step"]))
            log.add(training.step(images, rate))
            if now - logged > LOG_SECONDS:
                log.write_means(rate)
                logged = now
            if now - saved > SAVE_SECONDS:
                log.check()
                training.save()
                saved = now
    except KeyboardInterrupt:
        print("interrupted")
    if log.count:
        log.write_means(rate)
    training.save()


def options_of(arguments: list[str] | None, device: str) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add, gpu = parser.add_argument, device == "cuda"
    add("--start", type=pathlib.Path, help="a model that lic exported; not needed with --resume")
    add("--data", type=pathlib.Path, required=True, help="a folder of photographs")
    add("--out", type=pathlib.Path, required=True)
    add(
        "--minutes", type=float, required=True, help="how long this call trains; of the processor where it is not a GPU"
    )
    add("--total", type=float, help="minutes of all calls, in whose second half the learning rate falls")
    add("--resume", action="store_true", help="go on from the state in OUT, if there is one")
    add(
        "--last",
        action="store_true",
        help="a last phase: the analysis keeps its weights, and numbers are rounded for the rate",
    )
    add("--batch", type=int, default=16 if gpu else 4)
    add(
        "--crop",
        type=int,
        nargs="+",
        default=[256 if gpu else 128],
        help="sides of the crops, one drawn for each batch",
    )
    add("--shape", type=float, help="codes with generalized normal distributions of this shape from now on")
    add("--optimizer", choices=[*RATES], default="adam", help="the same one with --resume")
    add("--learning-rate", type=float, help="default: 5e-4 for adam, 1e-3 for soap")
    add("--valid", type=pathlib.Path, help="photographs to measure at the end")
    add("--precision", choices=["float32", "tf32", "bfloat16"], default="bfloat16" if gpu else "float32")
    add("--no-compile", action="store_true")
    options = parser.parse_args(arguments)
    options.learning_rate = options.learning_rate or RATES[options.optimizer]
    return options


def main(arguments: list[str] | None = None) -> None:
    """Trains as the command line asks, and measures the photographs of --valid."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = options_of(arguments, device)
    number, processes = process = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if processes > 1:
        distributed.init_process_group("gloo")
    options.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"
    training = Training(options, device, process)
    torch.manual_seed(training.progress["step"] * processes + number)
    photographs = Photographs(options.data, options.crop, device, process)
    log = Log(options.out / "log.jsonl", training, device)
    count = sum(each.numel() for each in training.weights)
    print(f"{count} parameters, {len(photographs)} photographs, {device}, from step {training.progress['step']}")
    train(training, photographs, log, options)
    for row in validate(training, options.valid, device) if options.valid and training.saves else []:
        log.write(row)


if __name__ == "__main__":
    main()
