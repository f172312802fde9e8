"""`lic train`."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Annotated, Any

import typer

from lic.cli import options

# The fields of `TrainingSettings` that are options, with their defaults and those of presets. They are repeated here
# because `--help` does not wait for TensorFlow; a test compares them.
_SETTINGS = {
    "steps": "1000000; presets: hzswq2021 2000000, ms2020 2000000, default 25000",
    "interval": "1000",
    "batch": "8; presets: zyc2022 16",
    "crop": "256; presets: default 176",
    "later_crops": "none; presets: default 20000:256",
    "optimizer": "adam",
    "trim": "0; presets: default 63",
    "sharpen": "0.0; presets: default 0.5",
    "grey": "0.0; presets: default 0.2",
    "learning_rate": "0.001; presets: zyc2022 0.0001, hzswq2021 0.0001, ms2020 0.0001",
    "warm_up": "200; presets: zyc2022 0, hzswq2021 0, ms2020 0",
    "decay": "tenth; presets: zyc2022 none, default cosine",
    "clip": "1.0; presets: zyc2022 0, hzswq2021 0, ms2020 0",
    "average": "0.995; presets: zyc2022 0, hzswq2021 0, ms2020 0, default 0.998",
    "precision": "float32",
    "least_scale": "1.0; presets: default 0.65",
    "small": "skip",
    "start_scales": "on; presets: zyc2022 off, hzswq2021 off, ms2020 off",
    "seed": "0",
    "frozen": "none",
    "rounded": "off",
    "last_steps": "0",
}
# Arguments of `lic.create_model` that are no sizes, with the options that give them.
_OWN_OPTIONS = {
    "name": "--model",
    **{name: f"--{name}" for name in ("transform", "entropy", "hyper", "likelihood", "lmbda", "distortion")},
}


def _setting(name: str, metavar: str | None, text: str) -> Any:
    """Returns an option that is a field of `TrainingSettings`; its default is None, so that presets are seen."""
    return typer.Option(metavar=metavar, help=f"{text} [default: {_SETTINGS[name]}]")


def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder of photographs, with all folders inside.")],
    out: Annotated[
        Path, typer.Option(metavar="RUN", help="Folder of this training; given again, the training is resumed.")
    ],
    model: Annotated[str | None, typer.Option(metavar="NAME", help="A registered model; see `lic models`.")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="CODEC",
            help="Weights to start from: default, a codec file, or a run's folder.",
        ),
    ] = None,
    transform: Annotated[str | None, typer.Option(metavar="T", help="A transform, in place of a model.")] = None,
    entropy: Annotated[str | None, typer.Option(metavar="E", help="An entropy model, with --transform.")] = None,
    hyper: Annotated[
        str | None,
        typer.Option(metavar="H", help="A hyper transform. [default: the one named like the transform, else conv]"),
    ] = None,
    likelihood: Annotated[
        str | None, typer.Option(metavar="L", help="A likelihood. [default: that of the entropy model, mostly normal]")
    ] = None,
    size: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A size of the parts, such as width=64; repeatable.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Published settings, also for --from: zyc2022, hzswq2021, ms2020, default."),
    ] = None,
    lmbda: Annotated[
        str | None,
        typer.Option(
            metavar="L[,L...]",
            help="Loss: bits per pixel + L x mean squared error; several L make several qualities. "
            "[default: 0.01, or that of the model or preset]",
        ),
    ] = None,
    distortion: Annotated[str | None, typer.Option(help="mse or ms-ssim. [default: mse]")] = None,
    valid: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of photographs to compress and decode after each interval."),
    ] = None,
    steps: Annotated[int | None, _setting("steps", "N", "Steps of the optimizer.")] = None,
    interval: Annotated[
        int | None, _setting("interval", "N", "Steps from one checkpoint to the next, a divisor of the steps.")
    ] = None,
    batch: Annotated[int | None, _setting("batch", "N", "Crops in a step.")] = None,
    crop: Annotated[int | None, _setting("crop", "PIXELS", "Height and width of the crops.")] = None,
    later_crops: Annotated[
        str | None,
        _setting("later_crops", "STEP:PIXELS[,...]", "Steps from which on crops have other sizes, such as 30000:256."),
    ] = None,
    optimizer: Annotated[str | None, _setting("optimizer", None, "adam or soap.")] = None,
    trim: Annotated[
        int | None,
        _setting(
            "trim", "PIXELS", "Rows and columns that the crops of a step may lack, so that padded borders are trained."
        ),
    ] = None,
    sharpen: Annotated[
        float | None,
        _setting("sharpen", "X", "Crops are sharpened by up to so much of their difference to 3x3 means."),
    ] = None,
    grey: Annotated[float | None, _setting("grey", "X", "Share of the crops whose colours are removed.")] = None,
    learning_rate: Annotated[
        float | None, _setting("learning_rate", "R", "Learning rate of the optimizer after the warm-up.")
    ] = None,
    warm_up: Annotated[int | None, _setting("warm_up", "N", "Steps of the warm-up.")] = None,
    decay: Annotated[str | None, _setting("decay", None, "none, cosine (second half) or tenth (last tenth).")] = None,
    clip: Annotated[float | None, _setting("clip", "X", "Largest norm of the gradients; 0 for none.")] = None,
    average: Annotated[
        float | None,
        _setting("average", "X", "Share of their value that averaged weights keep in a step; 0 for none."),
    ] = None,
    precision: Annotated[
        str | None, _setting("precision", None, "Type in which transforms compute: float32 or bfloat16.")
    ] = None,
    least_scale: Annotated[
        float | None, _setting("least_scale", "X", "Crops come from images reduced by a factor from X to 1.")
    ] = None,
    small: Annotated[str | None, _setting("small", None, "Images smaller than a crop: skip or upscale.")] = None,
    start_scales: Annotated[
        bool | None, _setting("start_scales", None, "Initialise the scales by the latents of photographs.")
    ] = None,
    frozen: Annotated[
        list[str] | None,
        _setting("frozen", "PART", "A part that keeps its weights, such as transform/analysis; repeatable."),
    ] = None,
    rounded: Annotated[
        bool | None, _setting("rounded", None, "Round numbers for the rate too, in place of noise.")
    ] = None,
    last_steps: Annotated[
        int | None,
        _setting(
            "last_steps",
            "N",
            "Steps of a last phase, analysis frozen and numbers rounded: at most the interval, or a multiple.",
        ),
    ] = None,
    strategy: Annotated[str, typer.Option(help="none, mirrored or multi-worker.")] = "none",
    seed: Annotated[int | None, _setting("seed", "N", "Seed of weights, crops and noise.")] = None,
) -> None:
    """Train a model on a folder of photographs, and write RUN/final.codec.

    If the training is stopped, the same command resumes it from the last checkpoint. RUN holds all of its files:
    run.json, data.txt, metrics.jsonl, checkpoints, tensorboard.
    """
    given = {name: value for name, value in locals().items() if name in _SETTINGS and value is not None}
    for name in ("clip", "average"):
        if given.get(name) == 0:
            given[name] = None
    if later_crops:
        given["later_crops"] = _pairs(later_crops)
    published = _preset_of(preset)
    parts = {"transform": transform, "entropy": entropy, "hyper": hyper, "likelihood": likelihood}
    loss = {"lmbda": _numbers(lmbda) if lmbda else None, "distortion": distortion or "mse"}
    if published and not lmbda and loss["distortion"] == "mse":  # The preset's weight is one of that.
        loss["lmbda"] = published.lmbda
    name = model or (None if transform or start else published and published.model)
    if start and (name or size or lmbda or distortion or any(parts.values())):
        raise typer.BadParameter(
            "--from brings the model; give no --model, parts, sizes, --lmbda or --distortion with it"
        )
    if not start and not name and not (transform and entropy):
        raise typer.BadParameter("name what to train: --model, --preset, --from, or --transform and --entropy")

    import lic
    from lic.environment import keras
    from lic.training import TrainingSettings, scope_of
    from lic.training.checkpoints import latest_step
    from lic.training.run_folder import RunFolder
    from lic.training.strategies import Strategy

    options.check_choice("strategy", strategy, typing.get_args(Strategy))
    with scope_of(strategy):
        try:
            settings = TrainingSettings(**(published.settings if published else {}) | given)
            keras.utils.set_random_seed(settings.seed)  # Weights are drawn from here on.
            made = options.codec_at(start) if start else lic.create_model(name, **parts | loss | _sizes(size or []))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        if name == "default" and not latest_step(RunFolder(out).checkpoints):
            typer.echo("The weights are fresh; `--from default` starts from those that ship.", err=True)
        try:
            lic.train(made, data, out, settings, valid=valid, progress=True)
        except KeyboardInterrupt:
            _print_where_it_stopped(out)
            raise
    typer.echo(RunFolder(out).codec)


def _print_where_it_stopped(out: Path) -> None:
    from lic.training.checkpoints import latest_step
    from lic.training.run_folder import RunFolder

    run = RunFolder(out)
    first, last = (latest_step(each.checkpoints) for each in (run, RunFolder(run.last_phase)))
    if first:
        saved = f"Step {last} of the last phase" if last else f"Step {first}"
        text = (
            f"{saved} is saved. The same command goes on from there. `lic compress --model {out}` and "
            f"`lic train --from {out}` take its codec."
        )
    else:
        text = "No step is saved yet: the first checkpoint comes after --interval steps."
    typer.echo(f"\n{text}", err=True)


def _preset_of(name: str | None) -> Any:
    if not name:
        return None
    from lic.training import preset

    return preset(name)


def _numbers(text: str) -> float | tuple[float, ...]:
    try:
        numbers = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--lmbda {text}: expected a number, or several separated by commas") from None
    return numbers if len(numbers) > 1 else numbers[0]


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    try:
        pairs = tuple(tuple(map(int, each.split(":"))) for each in text.split(","))
    except ValueError:
        pairs = ((),)
    if any(len(pair) != 2 for pair in pairs):
        raise typer.BadParameter(f"--later-crops {text}: expected STEP:PIXELS, or several separated by commas")
    return pairs


def _sizes(texts: list[str]) -> dict[str, Any]:
    import json

    sizes = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            raise typer.BadParameter(f"--size {text}: expected NAME=VALUE, such as width=64")
        if name in _OWN_OPTIONS:
            raise typer.BadParameter(f"--size {text}: expected a size of the parts. Give {_OWN_OPTIONS[name]}")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        sizes[name] = tuple(parsed) if isinstance(parsed, list) else parsed
    return sizes
