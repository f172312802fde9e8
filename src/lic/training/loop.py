"""Training of a model on a folder of photographs, resumed where it was stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lic.codec.codec import Codec
from lic.environment import POLICIES, compute_in, keras, policies_of, set_policies, tf
from lic.errors import CheckpointError, TrainingError, as_error, check_path
from lic.folder_lock import locked, make_folder
from lic.images import image_size
from lic.models.base import CompressionModel
from lic.models.create import create_model
from lic.models.distortion import check_size
from lic.models.optimizer import Adam
from lic.models.soap import SOAP
from lic.models.untrusted_config import check_numbers, described_by_file
from lic.training.averaging import AveragingAdam, AveragingSOAP
from lic.training.checkpoints import Checkpoints, averaged
from lic.training.data import Photographs, photograph_files
from lic.training.divergence import StopAtDivergence
from lic.training.initial_scales import start_scales
from lic.training.reports import MetricsLog, ProgressBar, Summaries
from lic.training.run_folder import RunFolder
from lic.training.settings import TrainingSettings
from lic.training.validation import Validation
from lic.weights import named_layers, named_variables, set_tensors

_log = logging.getLogger(__name__)
_SHOWN = 4  # Crops that TensorBoard shows.
_LEAST_POSITIONS = 12  # Of a latent's height and width, from which on most positions of a context see no border.
_MEASURED = 256  # Crops by which scales are initialised.


def train(
    model: str | CompressionModel | Codec,
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
    checkpoints, event files for TensorBoard, and final.codec. A last phase has a folder of its own inside it,
    last-phase. The function seeds Python, numpy and TensorFlow.

    Args:
      model: Name of a registered model, whose weights are drawn; or a model, whose weights were drawn before this
        function seeds; or a codec, whose weights training starts from. The codec itself stays as it is.
      data: A folder of photographs, searched with all folders inside.
      out: The folder of this training.
      settings: The settings; default `TrainingSettings()`.
      valid: A folder of photographs that are compressed and decoded at the end of each interval.
      callbacks: Further callbacks of Keras, such as those of Weights & Biases or MLflow.
      progress: Whether a progress bar is shown on the standard error.

    Raises:
      TrainingError: `data` or `valid` holds no photographs, crops are too small for the distortion, the batch cannot be
        divided between the devices, `out` holds another training, more steps or a damaged checkpoint, a callback of
        Keras cannot set the learning rate, a file cannot be written, or training diverged.
      ImageError: A photograph in `valid` cannot be read.
      LicError: No codec can be made of the model.
    """
    if not isinstance(model, (str, CompressionModel, Codec)):
        raise TrainingError(
            f"train: expected the name of a model, a lic.CompressionModel or a lic.Codec. Received: "
            f"{type(model).__name__}. Make a model by lic.create_model, or load a codec by lic.load."
        )
    check_path("train", "data", data)
    check_path("train", "out", out)
    if valid is not None:
        check_path("train", "valid", valid)
    if settings is not None and not isinstance(settings, TrainingSettings):
        raise TrainingError(
            f"train: expected settings as a lic.TrainingSettings. Received: {settings!r}. Write "
            "lic.TrainingSettings(steps=3)."
        )
    settings = settings or TrainingSettings()
    if not isinstance(callbacks, (list, tuple)):
        raise TrainingError(
            f"train: expected callbacks as a list of Keras callbacks. Received: {callbacks!r}. Write callbacks=[...]."
        )
    for phase in filter(None, (settings, settings.last_phase)):
        _check_callbacks(callbacks, phase)
    keras.utils.set_random_seed(settings.seed)
    start = model.fingerprint.hex() if isinstance(model, Codec) else None
    if isinstance(model, Codec) and model.bit_depth != 8:
        raise TrainingError(
            f"train: expected a codec of 8 bits, as photographs have. Received: one of {model.bit_depth}. Train a "
            "copy of its model, copy.deepcopy(codec.model), by fit on arrays on 0..255, and make a lic.Codec of it."
        )
    if isinstance(model, Codec) and model.skip_below is not None:
        _log.warning(
            "train: the codec's skip_below=%s is left out. Make lic.Codec(trained.model, skip_below=%s) of the result.",
            *(model.skip_below, model.skip_below),
        )
    model = _model_of(model)
    if type(model) is not CompressionModel:
        Codec(model)  # A subclass that no codec can be made of is refused before it is trained.
    try:
        check_numbers(model.configuration(), model.count_params())
    except CheckpointError as error:
        raise TrainingError(f"train: no codec can be made of the model. {error}") from None
    if model.transform.channels != 3:
        raise TrainingError(
            f"train: expected a model for images of 3 channels, as photographs have. Received: one for "
            f"{model.transform.channels}. Train it by model.compile and model.fit on arrays on 0..255."
        )
    try:
        least = min([settings.crop, *(crop for _, crop in settings.later_crops)])
        check_size(model.distortion, (least - settings.trim,) * 2)
    except ValueError as error:
        raise TrainingError(f"The crops are too small. {error}") from None
    photographs, valid_files = _photographs(data, settings), photograph_files(valid) if valid else []
    if model.distortion == "ms-ssim":
        _check_sizes(valid_files)
    _warn_of_small_crops(model, settings)
    run = RunFolder(out)
    make_folder(run.path, TrainingError)
    with locked(run.path, TrainingError, "training"):
        codec = _trained(model, photographs, run, settings, start, valid_files, callbacks, progress)
        last = settings.last_phase
        if last is not None:
            # The last phase is a training of its own, so that it is resumed as any other is.
            codec = train(codec, data, run.last_phase, last, valid=valid, callbacks=callbacks, progress=progress)
        with _as_training_error(run.path):
            codec.save(run.codec)
        return codec


def _trained(
    model: CompressionModel,
    photographs: Photographs,
    run: RunFolder,
    settings: TrainingSettings,
    start: str | None,
    valid_files: Sequence[pathlib.Path],
    callbacks: Sequence[keras.callbacks.Callback],
    progress: bool,
) -> Codec:
    """Trains a model in a folder that no other process writes to, and returns the codec."""
    config = {"model": model.configuration(), "settings": dataclasses.asdict(settings), "start": start}
    config |= {"added": added} if (added := model.added_configuration()) else {}
    run.begin(config, photographs.listing, photographs.digest)
    checkpoints = Checkpoints(run.checkpoints)
    if settings.start_scales and checkpoints.latest is None and not start:
        batches = [photographs.batch_at(step) for step in range(-(-_MEASURED // settings.batch))]
        side = min(min(batch.shape[1:3]) for batch in batches)  # Crops may be trimmed, and have other sizes later.
        start_scales(model, np.concatenate([batch[:, :side, :side] for batch in batches])[:_MEASURED])
    with _prepared(model, settings):
        done = checkpoints.restore(model)
        if done > settings.steps:
            raise TrainingError(
                f"{run.path} has taken {done} steps, more than steps={settings.steps}. Give at least as many; "
                "lic.training.codec_of_run returns the codec of the last checkpoint."
            )
        if done % settings.interval:
            raise TrainingError(
                f"{run.path} has taken {done} steps, which are no multiple of interval={settings.interval}, so that no "
                f"epoch begins there. Give an interval that divides {done} and steps={settings.steps}."
            )
        if done < settings.steps:
            run.begin_more_steps()
            bars = [ProgressBar(settings.steps)] if progress else []  # After validation, whose results they show.
            with _as_training_error(run.path), contextlib.ExitStack() as shown:
                ours = [*_callbacks(run, photographs, valid_files, checkpoints), *map(shown.enter_context, bars)]
                model.fit(
                    _shared(photographs, done, settings.steps),
                    initial_epoch=done // settings.interval,
                    epochs=settings.steps // settings.interval,
                    steps_per_epoch=settings.interval,
                    verbose=0,
                    shuffle=False,
                    callbacks=[*ours, *callbacks],
                )
        with averaged(model):
            return Codec(model)


def codec_of_run(folder: str | os.PathLike) -> Codec:
    """Returns the codec of a training's last checkpoint, with averaged weights if there are any.

    Args:
      folder: The folder of the training, which may be stopped or still run.

    Raises:
      TrainingError: The folder holds no training, or no checkpoint yet, or the checkpoint is damaged.
    """
    check_path("codec_of_run", "folder", folder)
    run = RunFolder(folder)
    if Checkpoints(RunFolder(run.last_phase).checkpoints).latest:
        return codec_of_run(run.last_phase)
    config, checkpoints = run.facts()["config"], Checkpoints(run.checkpoints)
    if not checkpoints.latest:
        raise TrainingError(f"{folder} has no checkpoint yet. Wait for the first, which comes after `interval` steps.")
    weights = checkpoints.weight_headers()
    if not weights:
        raise TrainingError(f"{checkpoints.latest} is damaged, as are all before. Train in another folder.")
    damaged = as_error(TrainingError, f"{folder}: run.json describes no training", "Put it back from a copy.")
    with damaged, described_by_file(config["model"], weights):
        model = CompressionModel.from_configuration(config["model"])
    shapes = {name: tuple(variable.shape) for name, variable in named_variables(model).items()}
    set_tensors(model, checkpoints.averaged_weights(shapes))
    return Codec(model)


def _model_of(model: str | CompressionModel | Codec) -> CompressionModel:
    if isinstance(model, Codec):
        copy = CompressionModel.from_config(model.model.get_config())
        copy.set_weights(model.model.get_weights())
        return copy
    return create_model(model) if isinstance(model, str) else model


def _warn_of_small_crops(model: CompressionModel, settings: TrainingSettings) -> None:
    crop = settings.last_crop
    positions = crop // model.transform.downscale
    if positions < _LEAST_POSITIONS:
        _log.warning(
            "train: the latents of crops of %d have %dx%d positions, of which most see padded borders. A context that "
            "learns them may take several times as many bits for larger images. Take crops of 256.",
            *(crop, positions, positions),
        )


def _check_sizes(files: Sequence[pathlib.Path]) -> None:
    """Raises a TrainingError if an image is too small for MS-SSIM, before any step is taken."""
    for file in files:
        try:
            check_size("ms-ssim", image_size(file))
        except ValueError as error:
            raise TrainingError(f"{file} is too small to be measured. {error} Leave it out of `valid`.") from None


def _check_callbacks(callbacks: Sequence[keras.callbacks.Callback], settings: TrainingSettings) -> None:
    for each in callbacks:
        if not isinstance(each, keras.callbacks.Callback):
            raise TrainingError(f"train: expected callbacks as instances of Keras callbacks. Received: {each!r}.")
        if settings.average and getattr(each, "restore_best_weights", False):
            raise TrainingError(
                "train: EarlyStopping restores weights that are not averaged, and the codec has averaged ones. Give "
                "restore_best_weights=False, or average=None."
            )
    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    given = next((type(each).__name__ for each in callbacks if isinstance(each, setters)), None)
    if given and not settings.has_constant_rate:
        raise TrainingError(
            f"train: {given} sets the learning rate, which a warm-up, a decay or a last phase sets too. Give "
            'warm_up=0, decay="none" and last_steps=0.'
        )


@contextlib.contextmanager
def _as_training_error(folder: pathlib.Path) -> Iterator[None]:
    """Makes a TrainingError of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{error.filename or folder} could not be written ({error.strerror or error}). Checkpoints that "
            "were written before are whole: make room, and give the same command to go on."
        ) from error


def _shared(photographs: Photographs, start: int, stop: int) -> Any:
    """Returns the batches of the steps, divided between the replicas of the current distribution strategy."""
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
        trim=settings.trim,
        sharpen=settings.sharpen,
        grey=settings.grey,
        later_crops=settings.later_crops,
    )


@contextlib.contextmanager
def _prepared(model: CompressionModel, settings: TrainingSettings) -> Iterator[None]:
    """Compiles the model; sets its precision, what is frozen, and how numbers are rounded while the context lasts."""
    layers = sorted(named_layers(model).items())  # A layer comes before the layers inside, which its own setting sets.
    trainable, quantization = [layer.trainable for _, layer in layers], model.entropy.quantization
    policies = policies_of(model.transform)
    try:
        compute_in(model.transform, POLICIES[settings.precision])
        for name in settings.frozen:
            _freeze(model, name)
        if not model.trainable_variables:
            raise TrainingError(
                f"train: expected frozen to leave weights to train. Received: {settings.frozen!r}, which are all parts "
                "of the model. Leave one out."
            )
        if settings.rounded:
            model.entropy.quantization = "ste/ste"
        _compile(model, settings)
        yield
    finally:
        set_policies(model.transform, policies)
        for (_, layer), value in zip(layers, trainable):
            layer.trainable = value
        model.entropy.quantization = quantization


def _compile(model: CompressionModel, settings: TrainingSettings) -> None:
    # A constant rate is a number, which callbacks of Keras may change.
    rate = settings.learning_rate if settings.has_constant_rate else settings.schedule()
    plain, averaging = {"adam": (Adam, AveragingAdam), "soap": (SOAP, AveragingSOAP)}[settings.optimizer]
    kind = functools.partial(averaging, ema_momentum=settings.average) if settings.average else plain
    model.compile(kind(rate, global_clipnorm=settings.clip), seed=settings.seed)


def _freeze(model: CompressionModel, name: str) -> None:
    """Makes a part keep its weights."""
    layers = named_layers(model)
    inside = [layer for path, layer in layers.items() if path == name or path.startswith(f"{name}/")]
    if not inside:
        parts = sorted(path for path in layers if path.count("/") == 1)
        raise TrainingError(
            f"train: expected frozen to name parts of the model, such as {', '.join(parts)}. Received: {name!r}."
        )
    for layer in inside:
        layer.trainable = False


def _callbacks(
    run: RunFolder, photographs: Photographs, valid_files: Sequence[pathlib.Path], checkpoints: Checkpoints
) -> list[keras.callbacks.Callback]:
    log = MetricsLog(run.metrics)
    callbacks = [
        StopAtDivergence(photographs.batch_at),
        Summaries(run.tensorboard, photographs.batch_at(0)[:_SHOWN]),
        log,
    ]
    callbacks.append(checkpoints)  # Before validation, which takes long and might be interrupted.
    if valid_files:
        callbacks.append(Validation(valid_files, log))
    return callbacks
