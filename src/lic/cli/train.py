"""`lic train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder of photographs, with all folders inside.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of this training; given again, it goes on.")],
    model: Annotated[str | None, typer.Option(metavar="NAME", help="A registered model; see `lic models`.")] = None,
    transform: Annotated[str | None, typer.Option(metavar="T", help="A transform, in place of a model.")] = None,
    entropy: Annotated[str | None, typer.Option(metavar="E", help="An entropy model, with --transform.")] = None,
    hyper: Annotated[str | None, typer.Option(metavar="H", help="A hyper transform.")] = None,
    size: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A size of the parts, such as width=64; repeatable.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Settings as published, of zyc2022, hzswq2021, ms2020, default.")
    ] = None,
    lmbda: Annotated[
        str | None,
        typer.Option(metavar="L[,L...]", help="Bits per pixel + L x mean squared error; several for one model of all."),
    ] = None,
    distortion: Annotated[str, typer.Option(help="mse or ms-ssim.")] = "mse",
    valid: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photographs to compress and decode after each interval.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Steps of the optimiser.")] = None,
    interval: Annotated[
        int | None, typer.Option(metavar="N", help="Steps from one checkpoint to the next; divides the steps.")
    ] = None,
    batch: Annotated[int | None, typer.Option(metavar="N", help="Crops in a step.")] = None,
    crop: Annotated[int | None, typer.Option(metavar="PIXELS", help="Height and width of the crops.")] = None,
    learning_rate: Annotated[float | None, typer.Option(metavar="R", help="Of Adam, after the warm-up.")] = None,
    warm_up: Annotated[int | None, typer.Option(metavar="N", help="Steps of the warm-up.")] = None,
    decay: Annotated[str | None, typer.Option(help="none, cosine (second half) or tenth (last tenth).")] = None,
    clip: Annotated[float | None, typer.Option(metavar="X", help="Largest norm of the gradients; 0 for none.")] = None,
    average: Annotated[
        float | None, typer.Option(metavar="X", help="What averaged weights keep in a step; 0 for none.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="Of the transforms: float32 or bfloat16.")] = None,
    least_scale: Annotated[
        float | None, typer.Option(metavar="X", help="Crops come from images reduced by X to 1.")
    ] = None,
    small: Annotated[str | None, typer.Option(help="skip or upscale images smaller than a crop.")] = None,
    strategy: Annotated[str, typer.Option(help="none, mirrored or multi-worker.")] = "none",
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of weights, crops and noise.")] = None,
) -> None:
    """Train a model on a folder of photographs, and write RUN/final.codec.

    Stopped at any time, the same command goes on from the last checkpoint. RUN holds everything: run.json, data.txt,
    metrics.jsonl, checkpoints, tensorboard.
    """
    given = {name: value for name, value in locals().items() if name in _SETTINGS and value is not None}
    for name in ("clip", "average"):
        if given.get(name) == 0:
            given[name] = None
    named = _preset_of(recipe)
    parts = {"transform": transform, "entropy": entropy, "hyper": hyper, "distortion": distortion}
    loss = {"lmbda": _numbers(lmbda) if lmbda else named and named.lmbda}
    name = model or (None if transform else named and named.model)
    if not name and not (transform and entropy):
        raise typer.BadParameter("say what to train: --model NAME, --recipe NAME, or --transform T and --entropy E")

    import lic
    from lic.environment import keras
    from lic.training.settings import TrainingSettings
    from lic.training.strategies import scope_of

    with scope_of(strategy):
        try:
            settings = TrainingSettings(**(named.settings if named else {}) | given)
            keras.utils.set_random_seed(settings.seed)  # Weights are drawn from here on.
            made = lic.create_model(name, **parts | loss | _sizes(size or []))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        lic.train(made, data, out, settings, valid=valid, progress=True)
    typer.echo(out / "final.codec")


# Options that are settings of the same name.
_SETTINGS = (
    *("steps", "interval", "batch", "crop", "learning_rate", "warm_up", "decay", "clip"),
    *("average", "precision", "least_scale", "small", "seed"),
)


def _preset_of(name: str | None) -> Any:
    from lic.training.settings import preset

    return preset(name) if name else None


def _numbers(text: str) -> float | tuple[float, ...]:
    try:
        numbers = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--lmbda {text}: expected a number, or several with commas between") from None
    return numbers if len(numbers) > 1 else numbers[0]


def _sizes(texts: list[str]) -> dict[str, Any]:
    import json

    sizes = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            raise typer.BadParameter(f"--size {text}: expected NAME=VALUE, such as width=64")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        sizes[name] = tuple(parsed) if isinstance(parsed, list) else parsed
    return sizes
