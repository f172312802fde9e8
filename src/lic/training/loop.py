"""Training of a model on a folder of photographs, resumed where it was stopped."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lic.codec.codec import Codec
from lic.environment import compute_in, keras, tf
from lic.errors import TrainingError
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.distortion import check_size
from lic.models.optimizer import Adam
from lic.training.checkpoints import Checkpoints, averaged
from lic.training.data import Photographs, photograph_files
from lic.training.divergence import StopAtDivergence
from lic.training.initial_scales import start_scales
from lic.training.reports import MetricsLog, ProgressBar, Summaries
from lic.training.run_folder import RunFolder
from lic.training.settings import TrainingSettings
from lic.training.validation import Validation

_SHOWN = 4  # Crops that TensorBoard shows.
_MEASURED = 256  # Crops by which scales are initialised.


def train(
    model: str | CompressionModel,
    data: str | os.PathLike,
    out: str | os.PathLike,
    settings: TrainingSettings | None = None,
    *,
    valid: str | os.PathLike | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = False,
) -> Codec:
    """Trains a model on the photographs of a folder and returns the codec; a second call resumes a stopped training.

    The folder `out` then holds run.json (model, settings, versions), data.txt (the photographs), metrics.jsonl,
    checkpoints, event files for TensorBoard, and final.codec. The function seeds Python, numpy and TensorFlow.

    Args:
      model: Name of a registered model, or a model. The weights of the latter were drawn before this function seeds.
      data: A folder of photographs, searched with all folders inside.
      out: The folder of this training.
      settings: The settings; default `TrainingSettings()`.
      valid: A folder of photographs that are compressed and decoded at the end of each interval.
      callbacks: Further callbacks of Keras, such as those of Weights & Biases or MLflow.
      progress: Whether a progress bar is shown on the standard error.

    Raises:
      TrainingError: `data` or `valid` holds no photographs, crops are too small for the distortion, the batch cannot be
        divided between the devices, `out` holds another training or a damaged checkpoint, or training diverged.
      ImageError: A photograph in `valid` cannot be read.
    """
    if not isinstance(model, (str, CompressionModel)):
        raise TrainingError(
            f"train: expected the name of a model or a lic.CompressionModel. Received: {type(model).__name__}. "
            "The model of a codec is codec.model."
        )
    if settings is not None and not isinstance(settings, TrainingSettings):
        raise TrainingError(
            f"train: expected settings as a lic.TrainingSettings. Received: {settings!r}. Write "
            "lic.TrainingSettings(steps=3)."
        )
    settings = settings or TrainingSettings()
    keras.utils.set_random_seed(settings.seed)
    model = create_model(model) if isinstance(model, str) else model
    try:
        check_size(model.distortion, (settings.crop, settings.crop))
    except ValueError as error:
        raise TrainingError(f"The crops are too small. {error}") from None
    photographs, valid_files = _photographs(data, settings), photograph_files(valid) if valid else []
    run = RunFolder(out)
    config = {"model": model.configuration(), "settings": dataclasses.asdict(settings)}
    run.begin(config, photographs.listing, photographs.digest)
    checkpoints = Checkpoints(run.checkpoints)
    _prepare(model, photographs, settings, fresh=checkpoints.latest is None)
    done = checkpoints.restore(model)
    if done < settings.steps:
        model.fit(
            _shared(photographs, done, settings.steps),
            initial_epoch=done // settings.interval,
            epochs=settings.steps // settings.interval,
            steps_per_epoch=settings.interval,
            verbose=0,
            shuffle=False,
            callbacks=[*_callbacks(run, photographs, settings, valid_files, progress, checkpoints), *callbacks],
        )
    with averaged(model):
        codec = Codec(model)
    codec.save(run.codec)
    return codec


def _shared(photographs: Photographs, start: int, stop: int) -> Any:
    """The batches of the steps, divided between the replicas of the current distribution strategy."""
    strategy = tf.distribute.get_strategy()
    count = strategy.num_replicas_in_sync
    if count == 1:
        return photographs.dataset(start, stop)

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = count // context.num_input_pipelines
        first = own * context.input_pipeline_id
        return photographs.dataset(start, stop, parts=range(first, first + own), of=count)

    return strategy.distribute_datasets_from_function(of_worker)


def _photographs(data: str | os.PathLike, settings: TrainingSettings) -> Photographs:
    return Photographs(
        data,
        settings.crop,
        settings.batch,
        seed=settings.seed,
        least_scale=settings.least_scale,
        small=settings.small,
    )


def _prepare(model: CompressionModel, photographs: Photographs, settings: TrainingSettings, fresh: bool) -> None:
    """Compiles the model, sets its precision and, for a fresh one, initialises its scales."""
    averaging = {"use_ema": True, "ema_momentum": settings.average} if settings.average else {}
    if settings.precision == "bfloat16":
        compute_in(model.transform, "mixed_bfloat16")
    if settings.start_scales and fresh:
        batches = range(-(-_MEASURED // settings.batch))
        start_scales(model, np.concatenate([photographs.batch_at(number) for number in batches])[:_MEASURED])
    model.compile(Adam(settings.schedule(), global_clipnorm=settings.clip, **averaging), seed=settings.seed)


def _callbacks(
    run: RunFolder,
    photographs: Photographs,
    settings: TrainingSettings,
    valid_files: Sequence[pathlib.Path],
    progress: bool,
    checkpoints: Checkpoints,
) -> list[keras.callbacks.Callback]:
    log = MetricsLog(run.metrics)
    callbacks = [
        StopAtDivergence(photographs.batch_at),
        Summaries(run.tensorboard, photographs.batch_at(0)[:_SHOWN]),
        log,
    ]
    if progress:
        callbacks.append(ProgressBar(settings.steps))
    callbacks.append(checkpoints)  # Before validation, which takes long and might be interrupted.
    if valid_files:
        callbacks.append(Validation(valid_files, log))
    return callbacks
