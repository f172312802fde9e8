"""Training a model on a folder of photographs, and going on where it was stopped."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lic.codec.codec import Codec
from lic.environment import compute_in, keras, tf
from lic.images import image_files
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.optimizer import Adam
from lic.training.checkpoints import Checkpoints
from lic.training.data import Photographs
from lic.training.metrics_log import MetricsLog
from lic.training.nonfinite import StopWhereNotFinite
from lic.training.progress import ProgressBar
from lic.training.run_folder import RunFolder
from lic.training.settings import TrainingSettings
from lic.training.start import start_scales
from lic.training.state import averaged
from lic.training.summaries import Summaries
from lic.training.validation import Validation

_SHOWN, _MEASURED = 4, 256  # Crops that TensorBoard shows, and that scales start from.


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
    """Trains a model on the photographs of a folder, and returns the codec; called again, it goes on where it stopped.

    The folder `out` then holds run.json (model, settings, versions), data.txt (the photographs), metrics.jsonl,
    checkpoints, event files for TensorBoard, and final.codec. Seeds Python, numpy and TensorFlow; a model that is given
    has drawn its weights before.

    Args:
      model: A registered model's name, or a model with fresh weights.
      data: A folder of photographs, searched with all folders inside.
      out: The folder of this training.
      settings: How; default `TrainingSettings()`.
      valid: A folder of photographs that are compressed and decoded at the end of each interval.
      callbacks: Further callbacks of Keras, such as those of Weights & Biases or MLflow.
      progress: Whether a bar is shown on the standard error.

    Raises:
      CheckpointError: `out` holds another training.
      ImageError: There are no photographs in `data`, or no folder `valid`.
      LicError: Training diverged; the message names the part where it began.
    """
    settings = settings or TrainingSettings()
    keras.utils.set_random_seed(settings.seed)
    model = create_model(model) if isinstance(model, str) else model
    photographs = _photographs(data, settings)
    run = RunFolder(out)
    config = {"model": model.get_config(), "settings": dataclasses.asdict(settings)}
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
            callbacks=[*_callbacks(run, photographs, settings, valid, progress, checkpoints), *callbacks],
        )
    with averaged(model):
        codec = Codec(model)
    codec.save(run.codec)
    return codec


def _shared(photographs: Photographs, start: int, stop: int) -> Any:
    """The data of the steps, divided between the replicas of the distribution strategy that is in use."""
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
    """Compiles the model, in the precision that is asked for, and starts its scales where training begins."""
    averaging = {"use_ema": True, "ema_momentum": settings.average} if settings.average else {}
    model.make_variables()
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
    valid: str | os.PathLike | None,
    progress: bool,
    checkpoints: Checkpoints,
) -> list[keras.callbacks.Callback]:
    log = MetricsLog(run.metrics)
    first = [
        StopWhereNotFinite(photographs.batch_at),
        Summaries(run.tensorboard, photographs.batch_at(0)[:_SHOWN]),
        log,
    ]
    if progress:
        first.append(ProgressBar(settings.steps))
    # The checkpoint comes first: validation takes its time.
    return [*first, checkpoints, *([Validation(image_files(valid), log)] if valid else [])]
