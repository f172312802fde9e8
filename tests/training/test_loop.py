"""A whole training: the files in its folder, stopping and resuming, and wrong arguments."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import lic
from lic.environment import keras, tf
from lic.errors import TrainingError
from lic.folder_lock import locked
from lic.training import loop, start_scales
from lic.training.data import Photographs
from lic.training.settings import TrainingSettings
from lic.weights import get_tensors, named_layers
from tests.conftest import random_images, tiny_model
from tests.training.conftest import few_steps


def make(**sizes):
    keras.utils.set_random_seed(0)  # Fixtures are made before a test's own numbers are drawn.
    return tiny_model("conv", "factorized", lmbda=(0.002, 0.01, 0.05), **sizes)


class KillAfter(keras.callbacks.Callback):
    """Stops training in the middle, as kill -9 would: nothing more is written."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == self.steps:
            raise KilledError


class KilledError(Exception):
    """The error that `KillAfter` raises."""


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder):
    return {row["step"]: row["loss"] for row in rows(folder) if "loss" in row}


@pytest.fixture(scope="module")
def trained(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    csv = keras.callbacks.CSVLogger(folder.parent / "epochs.csv")
    return folder, lic.train(make(), photographs, folder, few_steps(), valid=photographs / "inside", callbacks=[csv])


def test_a_folder_holds_everything(trained):
    folder, _ = trained
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["checkpoints", "data.txt", "final.codec", "metrics.jsonl", "run.json", "tensorboard"]
    run = json.loads((folder / "run.json").read_text())
    assert run["config"]["settings"]["steps"] == 6
    assert run["config"]["model"]["lmbda"] == [0.002, 0.01, 0.05]
    assert run["data"]["files"] == 5
    assert len(run["data"]["sha256"]) == 64
    assert run["made_with"].keys() >= {"lic", "python", "tensorflow", "keras", "numpy", "machine"}


def test_the_codec_is_the_one_on_disk(trained):
    folder, codec = trained
    image = random_images(50, 70, 3)
    stream = codec.compress(image, quality=2.5)
    for path in (folder / "final.codec", folder):  # The folder of a finished training stands for its codec.
        assert np.array_equal(lic.load(path).decompress(stream), codec.decompress(stream))


def test_each_of_the_first_steps_and_each_validation_has_a_line(trained):
    folder, _ = trained
    assert sorted(losses(folder)) == [1, 2, 3, 4, 5, 6]
    validated = [row["validation"] for row in rows(folder) if "validation" in row]
    assert [row["quality"] for row in validated] == [1, 2, 3] * 2
    assert all(row["coded_bpp"] > row["estimated_bpp"] > 0 for row in validated)


def test_epochs_report_the_means_of_their_last_line(trained):
    folder, _ = trained
    header, *epochs = (line.split(",") for line in (folder.parent / "epochs.csv").read_text().splitlines())
    reported = [float(epoch[header.index("loss")]) for epoch in epochs]
    assert reported == pytest.approx([losses(folder)[3], losses(folder)[6]], rel=1e-5)


def test_training_that_is_resumed_equals_one_that_was_not(trained, photographs, tmp_path):
    folder, codec = trained
    with pytest.raises(KilledError):
        lic.train(make(), photographs, tmp_path, few_steps(), callbacks=[KillAfter(4)])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-0000003.npz"]
    resumed = lic.train(make(), photographs, tmp_path, few_steps())
    for step, loss in losses(folder).items():
        assert losses(tmp_path)[step] == pytest.approx(loss, rel=1e-5)
    wanted, weights = get_tensors(codec.model), get_tensors(resumed.model)
    for name in wanted:
        np.testing.assert_allclose(weights[name], wanted[name], atol=1e-4, err_msg=name)


def test_training_that_is_finished_only_gives_its_codec(trained, photographs):
    folder, codec = trained
    again = lic.train(make(), photographs, folder, few_steps(), callbacks=[KillAfter(1)])
    assert again.fingerprint == codec.fingerprint


def test_an_interval_that_no_epoch_begins_at_is_refused(trained, photographs, tmp_path):
    folder = shutil.copytree(trained[0], tmp_path / "run")
    done = max(row["step"] for row in rows(folder))
    settings = few_steps(steps=2 * (done + 1), interval=done + 1)
    with pytest.raises(TrainingError, match=f"has taken {done} steps, which are no multiple of interval={done + 1}"):
        lic.train(make(), photographs, folder, settings)


def test_two_trainings_in_one_folder_are_refused(trained, photographs):
    wanted = pytest.raises(TrainingError, match="Another training writes to")
    with locked(trained[0], TrainingError, "training"), wanted:
        lic.train(make(), photographs, trained[0], few_steps())


def test_a_folder_of_another_training_is_an_error(trained, photographs):
    with pytest.raises(TrainingError, match="settings.learning_rate=0.001, this one has 0.1"):
        lic.train(make(), photographs, trained[0], few_steps(learning_rate=0.1))


@pytest.mark.usefixtures("eagerly")
def test_a_registered_model_is_trained_by_name(photographs, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(loop, "create_model", lambda name: made.append(name) or tiny_model("klt", "factorized"))
    settings = TrainingSettings(steps=1, batch=1, crop=32)
    codec = lic.train("default", photographs, tmp_path, settings, valid=photographs / "inside")
    assert made == ["default"]
    assert not codec.qualities
    assert [row["validation"]["quality"] for row in rows(tmp_path) if "validation" in row] == [None]


@pytest.mark.usefixtures("eagerly")
def test_training_that_diverges_stops_and_names_the_part(photographs, tmp_path):
    model = tiny_model("klt", "factorized")
    kernel = model.transform.synthesis.entrance.kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(TrainingError, match="diverged at step 0: the weight .*entrance.* is not finite"):
        lic.train(model, photographs, tmp_path, few_steps())


def test_transforms_may_compute_in_bfloat16(photographs, tmp_path):
    model, seen = tiny_model("klt", "factorized"), []
    entrance = model.transform.synthesis.entrance
    watch = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: seen.append(entrance.compute_dtype))
    settings = few_steps(steps=2, interval=2, precision="bfloat16", start_scales=True, trim=15)
    codec = lic.train(model, photographs, tmp_path, settings, callbacks=[watch])
    assert all(weight.dtype == "float32" for weight in codec.model.weights)
    assert seen == ["bfloat16"]


@pytest.mark.usefixtures("eagerly")
def test_transforms_compute_in_the_precision_of_the_settings(photographs, tmp_path):
    codec, seen = lic.Codec(tiny_model("klt", "factorized"), precision="bfloat16"), []
    watch = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.append(watch.model.transform.synthesis.entrance.compute_dtype)
    )
    lic.train(codec, photographs, tmp_path, few_steps(steps=1, interval=1), callbacks=[watch])
    assert seen == ["float32"]


@pytest.mark.usefixtures("eagerly")
def test_settings_of_a_codec_that_training_leaves_out_are_named(photographs, tmp_path, caplog):
    codec = lic.Codec(tiny_model("klt", "hyperprior"), skip_below=0.3)
    trained = lic.train(codec, photographs, tmp_path, few_steps(steps=1, interval=1))
    assert trained.skip_below is None
    assert "the codec's skip_below=0.3 is left out" in caplog.text


class Weighted(lic.CompressionModel):
    """A model with an argument of its own."""

    def __init__(self, transform, entropy, lmbda=0.01, weight=0.1, **kwargs):
        super().__init__(transform, entropy, lmbda, **kwargs)
        self.weight = weight

    def distortion_of(self, images, decoded):
        return self.weight * super().distortion_of(images, decoded)


@pytest.mark.usefixtures("eagerly")
def test_a_folder_of_another_class_or_another_argument_of_it_is_refused(photographs, tmp_path):
    parts, settings = tiny_model("klt", "factorized"), few_steps(steps=1, interval=1)
    lic.train(Weighted(parts.transform, parts.entropy), photographs, tmp_path, settings)
    for model, named in (
        (parts, "added.class='tests.training.test_loop.Weighted', this one has None"),
        (Weighted(parts.transform, parts.entropy, weight=99.0), r"added.weight=0.1, this one has 99.0"),
    ):
        with pytest.raises(TrainingError, match=named):
            lic.train(model, photographs, tmp_path, settings)
    assert loop.codec_of_run(tmp_path).model.lmbda == 0.01


class Inverted(lic.CompressionModel):
    """A model whose synthesis no codec file holds."""

    def synthesise(self, y_hat):
        return 255 - super().synthesise(y_hat)


def test_a_model_that_no_codec_holds_is_refused_before_training(photographs, tmp_path):
    parts = tiny_model("klt", "factorized")
    with pytest.raises(lic.LicError, match="expected the method synthesise of lic.CompressionModel"):
        lic.train(Inverted(parts.transform, parts.entropy), photographs, tmp_path / "run", few_steps())
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("eagerly")
def test_trained_parts_keep_their_scales(photographs, tmp_path):
    trained = tiny_model("klt", "hyperprior")
    start_scales(trained, random_images(4, 64, 64, 3))
    model = lic.CompressionModel(trained.transform, trained.entropy)
    before = get_tensors(model)
    lic.train(model, photographs, tmp_path, few_steps(steps=1, interval=1, learning_rate=1e-9, start_scales=True))
    for name, values in get_tensors(model).items():
        np.testing.assert_allclose(values, before[name], atol=1e-6, err_msg=name)


def test_a_step_is_traced_once_for_trimmed_crops_of_all_sizes(photographs, monkeypatch):
    traced, gradients_of = [], lic.CompressionModel.gradients_of

    def noted(model, images, weights=None):
        traced.append(tuple(images.shape))
        return gradients_of(model, images, weights)

    monkeypatch.setattr(lic.CompressionModel, "gradients_of", noted)
    model = tiny_model("klt", "factorized")
    model.compile()
    model.fit(Photographs(photographs, 64, 2, trim=63).dataset(stop=6), verbose=0)
    assert traced == [(2, None, None, 3)]
    assert int(model.optimizer.iterations) == 6


@pytest.mark.parametrize("folder", ["none", "empty"])
def test_a_folder_without_photographs_is_named_before_training(photographs, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    for data, valid in ((tmp_path / folder, None), (photographs, tmp_path / folder)):
        with pytest.raises(TrainingError, match=f"{folder}.* Give a folder of images"):
            lic.train(make(), data, tmp_path / "run", few_steps(), valid=valid)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("sizes", [{}, {"crop": 176, "trim": 16}, {"crop": 176, "later_crops": ((1, 160),)}])
def test_crops_too_small_for_ms_ssim_are_named_before_training(photographs, tmp_path, sizes):
    model = tiny_model("klt", "factorized", lmbda=20.0, distortion="ms-ssim")
    with pytest.raises(TrainingError, match="crops are too small. MS-SSIM: expected images of at least 161x161"):
        lic.train(model, photographs, tmp_path / "run", few_steps(**sizes))
    assert not (tmp_path / "run").exists()


def test_images_too_small_for_ms_ssim_are_named_before_training(tmp_path):
    for name, side in (("data", 170), ("valid", 100)):
        (tmp_path / name).mkdir()
        Image.fromarray(random_images(side, side, 3)).save(tmp_path / name / "a.png")
    model, settings = tiny_model("klt", "factorized", lmbda=20.0, distortion="ms-ssim"), few_steps(crop=162)
    with pytest.raises(TrainingError, match=r"a.png is too small to be measured. MS-SSIM: .* Leave it out of `valid`"):
        lic.train(model, tmp_path / "data", tmp_path / "run", settings, valid=tmp_path / "valid")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (3, None, "expected the name of a model, a lic.CompressionModel or a lic.Codec. Received: int"),
        ("bmshj2018-hyperprior", {"steps": 3}, r"expected settings as a lic.TrainingSettings. Received: {'steps': 3}"),
    ],
)
def test_other_arguments_are_refused(model, settings, message, tmp_path):
    with pytest.raises(lic.TrainingError, match=message):
        lic.train(model, tmp_path, tmp_path / "run", settings)


class Seen(keras.callbacks.Callback):
    """Keeps the logs of each epoch."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))


@pytest.mark.usefixtures("eagerly")
def test_callbacks_see_the_validation(photographs, tmp_path):
    seen = Seen()
    best = keras.callbacks.ModelCheckpoint(str(tmp_path / "best.weights.h5"), "val_loss", save_weights_only=True)
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=9)
    callbacks = [seen, best, stopping]
    lic.train(make(), photographs, tmp_path / "run", few_steps(), valid=photographs / "inside", callbacks=callbacks)
    validated = [row["validation"] for row in rows(tmp_path / "run") if row.get("validation", {}).get("quality") == 2]
    assert [logs["val_loss"] for logs in seen.logs] == pytest.approx([row["loss"] for row in validated], rel=1e-3)
    assert all(logs.keys() >= {"loss", "bpp", "psnr", "val_bpp", "val_psnr"} for logs in seen.logs)
    assert (tmp_path / "best.weights.h5").exists()


@pytest.mark.usefixtures("eagerly")
def test_a_codec_is_trained_further_and_stays_as_it_is(trained, photographs, tmp_path):
    _, codec = trained
    before = get_tensors(codec.model)
    further = lic.train(codec, photographs, tmp_path, few_steps(learning_rate=1e-9, average=None, start_scales=True))
    for name, values in get_tensors(codec.model).items():
        np.testing.assert_array_equal(values, before[name])
        # Nor were its scales initialised again.
        np.testing.assert_allclose(get_tensors(further.model)[name], values, atol=1e-4)
    with pytest.raises(TrainingError, match="start="):
        lic.train(make(), photographs, tmp_path, few_steps(learning_rate=1e-9, average=None, start_scales=True))


@pytest.mark.usefixtures("eagerly")
def test_a_stopped_training_has_a_codec(trained, photographs, tmp_path):
    with pytest.raises(TrainingError, match=r"holds no training: it has no run\.json"):
        loop.codec_of_run(tmp_path)
    with pytest.raises(KilledError):
        lic.train(make(), photographs, tmp_path, few_steps(), callbacks=[KillAfter(2)])
    with pytest.raises(TrainingError, match="has no checkpoint yet"):
        loop.codec_of_run(tmp_path)
    with pytest.raises(KilledError):
        lic.train(make(), photographs, tmp_path, few_steps(), callbacks=[KillAfter(5)])
    image = random_images(50, 70, 3)
    codec = loop.codec_of_run(tmp_path)
    assert codec.decompress(codec.compress(image, quality=2)).shape == image.shape
    whole, finished = loop.codec_of_run(trained[0]), trained[1]
    assert whole.fingerprint == finished.fingerprint
    assert whole.fingerprint != codec.fingerprint


def test_fewer_steps_than_were_taken_are_refused(trained, photographs):
    with pytest.raises(TrainingError, match="has taken 6 steps, more than steps=3"):
        lic.train(make(), photographs, trained[0], few_steps(steps=3))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=0, min_delta=1e9),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate),
    ],
)
def test_callbacks_set_a_constant_learning_rate_and_are_refused_beside_a_schedule(callback, photographs, tmp_path):
    with pytest.raises(
        TrainingError, match="sets the learning rate, which a warm-up, a decay or a last phase sets too"
    ):
        lic.train(make(), photographs, tmp_path / "refused", few_steps(warm_up=2), callbacks=[callback])
    with pytest.raises(TrainingError, match='decay="none" and last_steps=0'):
        settings = few_steps(warm_up=0, decay="none", last_steps=2)
        lic.train(make(), photographs, tmp_path / "refused", settings, callbacks=[callback])
    assert not (tmp_path / "refused").exists()
    model = make()
    lic.train(model, photographs, tmp_path / "run", few_steps(warm_up=0, decay="none"), callbacks=[callback])
    assert float(np.asarray(model.optimizer.learning_rate)) < 1e-3


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (["a"], "expected callbacks as instances of Keras callbacks. Received: 'a'"),
        ([keras.callbacks.Callback], "as instances of Keras callbacks. Received: <class"),
        ([keras.callbacks.EarlyStopping(restore_best_weights=True)], "restore_best_weights=False, or average=None"),
    ],
)
def test_callbacks_that_cannot_work_are_refused(callbacks, message, photographs, tmp_path):
    with pytest.raises(TrainingError, match=message):
        lic.train(make(), photographs, tmp_path / "run", few_steps(average=0.9), callbacks=callbacks)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("eagerly")
def test_a_full_disk_is_an_error_that_names_the_file(photographs, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "step-0000003.npz")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(TrainingError, match=r"step-0000003.npz could not be written \(No space left on device\)"):
        lic.train(make(), photographs, tmp_path, few_steps())


def test_a_model_that_no_codec_file_can_describe_is_refused_before_its_first_step(photographs, tmp_path):
    model = lic.create_model(
        transform="klt", entropy="factorized", width=8, latent_depth=12, num_blocks=1, lmbda=100_000.0
    )
    with pytest.raises(
        TrainingError, match="no codec can be made of the model. .* the number 100000.0, expected one of"
    ):
        lic.train(model, photographs, tmp_path / "run", few_steps())
    assert not (tmp_path / "run").exists()


def test_models_of_other_images_than_photographs_are_refused_with_a_way_on(tmp_path):
    grey = tiny_model("klt", "factorized", channels=1)
    with pytest.raises(TrainingError, match=r"images of 3 channels.*one for 1.*model.fit"):
        lic.train(grey, tmp_path, tmp_path / "out")
    deep = lic.Codec(tiny_model("klt", "factorized"), bit_depth=12)
    with pytest.raises(TrainingError, match=r"a codec of 8 bits.*one of 12"):
        lic.train(deep, tmp_path, tmp_path / "out")


# SOAP, crops that grow, and a last phase with a frozen analysis, killed in both phases.
PHASES = {"optimizer": "soap", "later_crops": ((3, 48),), "crop": 32, "last_steps": 4, "interval": 2}


def test_phases_that_are_resumed_equal_those_that_were_not(photographs, tmp_path):
    settings = few_steps(**PHASES | {"steps": 6})
    whole = lic.train(make(), photographs, tmp_path / "whole", settings)
    for killed_after in (5, 3):  # In the last phase steps are counted anew; its first checkpoint comes after two.
        with pytest.raises(KilledError):
            lic.train(make(), photographs, tmp_path / "parts", settings, callbacks=[KillAfter(killed_after)])
    resumed = lic.train(make(), photographs, tmp_path / "parts", settings)
    wanted, weights = get_tensors(whole.model), get_tensors(resumed.model)
    for name in wanted:
        np.testing.assert_allclose(weights[name], wanted[name], atol=1e-4, err_msg=name)
    assert lic.load(tmp_path / "whole" / "final.codec").fingerprint == whole.fingerprint
    assert loop.codec_of_run(tmp_path / "whole").fingerprint == whole.fingerprint


def test_the_last_phase_keeps_the_analysis(photographs, tmp_path):
    settings = few_steps(**PHASES | {"steps": 4, "last_steps": 2})
    last = get_tensors(lic.train(make(), photographs, tmp_path, settings).model)
    first = get_tensors(loop.codec_of_run(shutil.move(tmp_path / "last-phase", tmp_path / "aside") and tmp_path).model)
    changed = {name.rpartition("/")[0] for name in first if not np.array_equal(last[name], first[name])}
    assert not any(name.startswith("transform/analysis") for name in changed)
    assert any(name.startswith("transform/synthesis") for name in changed)
    assert any(name.startswith("entropy/") for name in changed)


@pytest.mark.usefixtures("eagerly")
def test_a_longer_training_begins_its_last_phase_anew(photographs, tmp_path, caplog):
    short = few_steps(steps=3, interval=3, last_steps=1)
    codecs = [lic.train(make(), photographs, tmp_path, short) for _ in range(2)]
    assert "is removed" not in caplog.text
    codecs.append(lic.train(make(), photographs, tmp_path, few_steps(steps=6, interval=3, last_steps=1)))
    assert "last-phase is removed, since more steps are taken" in caplog.text
    assert [codec.fingerprint == codecs[0].fingerprint for codec in codecs] == [True, True, False]
    assert loop.codec_of_run(tmp_path).fingerprint == codecs[2].fingerprint
    assert lic.load(tmp_path / "final.codec").fingerprint == codecs[2].fingerprint


@pytest.mark.usefixtures("eagerly")
def test_a_longer_training_that_is_stopped_has_no_codec_of_fewer_steps(photographs, tmp_path):
    short = lic.train(make(), photographs, tmp_path, few_steps(steps=3, interval=3, last_steps=1))
    with pytest.raises(KilledError):
        longer = few_steps(steps=9, interval=3, last_steps=1)
        lic.train(make(), photographs, tmp_path, longer, callbacks=[KillAfter(7)])
    assert not (tmp_path / "final.codec").exists()
    assert loop.codec_of_run(tmp_path).fingerprint != short.fingerprint


@pytest.mark.usefixtures("eagerly")
def test_a_training_that_is_stopped_in_its_last_phase_has_no_final_codec(photographs, tmp_path):
    with pytest.raises(KilledError):
        lic.train(
            make(), photographs, tmp_path, few_steps(steps=3, interval=3, last_steps=6), callbacks=[InLastPhase()]
        )
    assert not (tmp_path / "final.codec").exists()
    assert loop.codec_of_run(tmp_path).fingerprint


class InLastPhase(keras.callbacks.Callback):
    """Stops training in its last phase, whose first epoch of this model is over before."""

    def on_epoch_begin(self, epoch, logs=None):
        if self.model.entropy.quantization == "ste/ste" and epoch:
            raise KilledError


@pytest.mark.usefixtures("eagerly")
def test_what_is_frozen_stays_so_in_the_last_phase(photographs, tmp_path):
    model = make()
    before = get_tensors(model)
    settings = few_steps(steps=1, interval=1, last_steps=1, frozen=("transform/synthesis",), start_scales=False)
    after = get_tensors(lic.train(model, photographs, tmp_path, settings).model)
    changed = {name.rpartition("/")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert not any(name.startswith("transform/synthesis") for name in changed)


@pytest.mark.usefixtures("eagerly")
def test_the_callers_model_keeps_its_settings(photographs, tmp_path):
    model = make()

    def settings_of():
        layers = named_layers(model).items()
        return [(name, layer.trainable, layer.dtype_policy.name) for name, layer in layers], model.entropy.quantization

    before = settings_of()
    changed = few_steps(steps=1, interval=1, frozen=("transform/analysis",), rounded=True, precision="bfloat16")
    lic.train(model, photographs, tmp_path / "first", changed)
    assert settings_of() == before
    codec = lic.train(model, photographs, tmp_path / "second", few_steps(steps=1, interval=1))
    assert loop.codec_of_run(tmp_path / "second").fingerprint == codec.fingerprint


class Penalised(lic.CompressionModel):
    """A model with a weight of its own, which no codec takes."""

    def __init__(self, transform, entropy, lmbda=0.01):
        super().__init__(transform, entropy, lmbda=lmbda)
        self.penalty = self.add_weight(name="penalty", shape=(), initializer="ones")

    def losses_of(self, images, training=False, quality=None):
        losses = super().losses_of(images, training=training, quality=quality)
        return losses | {"loss": losses["loss"] + tf.square(tf.convert_to_tensor(self.penalty))}


@pytest.mark.usefixtures("eagerly")
def test_a_subclass_with_weights_of_its_own_has_a_codec(photographs, tmp_path):
    parts = make()
    model = Penalised(parts.transform, parts.entropy)
    codec = lic.train(model, photographs, tmp_path, few_steps())
    assert loop.codec_of_run(tmp_path).fingerprint == codec.fingerprint
    assert float(np.asarray(model.penalty)) < 1


class HalvesTheRate(keras.callbacks.Callback):
    """Halves the learning rate before each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.5 * float(np.asarray(self.model.optimizer.learning_rate))


@pytest.mark.usefixtures("eagerly")
def test_a_learning_rate_that_a_callback_has_set_is_resumed(photographs, tmp_path):
    settings = few_steps(warm_up=0, decay="none", learning_rate=1e-3)
    with pytest.raises(KilledError):
        lic.train(make(), photographs, tmp_path, settings, callbacks=[HalvesTheRate(), KillAfter(settings.steps - 1)])
    lic.train(model := make(), photographs, tmp_path, settings, callbacks=[HalvesTheRate()])
    epochs = settings.steps // settings.interval
    assert float(np.asarray(model.optimizer.learning_rate)) == pytest.approx(1e-3 / 2**epochs)


@pytest.mark.usefixtures("eagerly")
def test_scales_start_from_crops_that_soon_have_another_size(photographs, tmp_path):
    settings = few_steps(steps=2, interval=2, start_scales=True, later_crops=((1, 32),))
    assert lic.train(make(), photographs, tmp_path, settings).qualities == (1, 2, 3)


def test_a_part_that_is_not_there_cannot_be_frozen(photographs, tmp_path):
    with pytest.raises(TrainingError, match="such as .*transform/analysis.* Received: 'analysis'"):
        lic.train(make(), photographs, tmp_path, few_steps(frozen=("analysis",)))
    model = tiny_model("klt", "factorized")
    with pytest.raises(TrainingError, match="expected frozen to leave weights to train"):
        lic.train(model, photographs, tmp_path / "all", few_steps(frozen=("transform", "entropy")))
    assert model.trainable_variables


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(("crops", "warned"), [({"crop": 64}, True), ({"crop": 48, "later_crops": ((1, 96),)}, False)])
def test_crops_whose_latents_see_little_but_borders_are_warned_of(crops, warned, photographs, tmp_path, caplog):
    model = make(analysis_strides=(4, 2))
    lic.train(model, photographs, tmp_path, few_steps(steps=1, interval=1, start_scales=False, **crops))
    assert ("latents of crops of 64 have 8x8 positions" in caplog.text) == warned


def test_settings_reach_the_photographs(tmp_path, monkeypatch):
    given = {"seed": 3, "least_scale": 0.5, "small": "upscale", "trim": 2, "sharpen": 0.3, "grey": 0.1}
    given["later_crops"] = ((1, 48),)
    seen = []
    monkeypatch.setattr(loop, "Photographs", lambda *sizes, **options: seen.append((sizes, options)))
    loop._photographs(tmp_path, TrainingSettings(steps=2, crop=32, batch=5, **given))
    assert seen == [((tmp_path, 32, 5), given)]
