import functools
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import lic
from lic.entropy import Estimate, Recorder
from lic.environment import tf
from lic.errors import CheckpointError
from lic.interop import tensorflow_checkpoint as checkpoints
from lic.interop.import_weights import import_checkpoint
from lic.interop.tensorflow_checkpoint import published_path
from lic.models.create import create_model
from lic.weights import get_tensors
from tests.conftest import assert_near

GOLDEN = pathlib.Path(os.environ.get("LIC_GOLDEN", pathlib.Path(__file__).parents[3] / "shared" / "golden"))
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden files are not there; LIC_GOLDEN names them")


@pytest.fixture(scope="module", params=["hzswq2021", "zyc2022"])
def imported(request, tmp_path_factory):
    """A model of the golden files, from a checkpoint as the published code writes it, and what it should compute."""
    folder = tmp_path_factory.mktemp("checkpoint")
    script = GOLDEN / "make_checkpoint.py"
    subprocess.run([sys.executable, str(script), request.param, str(folder)], check=True, capture_output=True)
    model = import_checkpoint(folder, request.param)
    shutil.rmtree(folder)
    return model, GOLDEN / request.param


class WithRealIndex(Estimate):
    """Estimates with the real scale index, as the published code does."""

    def bits_of(self, centred, distribution):
        return distribution.bits(centred)


def bpp_of(bits, images):
    return float(tf.add_n(list(bits.values()))[0]) / images[0, ..., 0].size


@needs_golden
def test_it_equals_the_published_code(imported):
    model, folder = imported
    expected = np.load(folder / "expected.npz")
    images = expected["x"].reshape(1, *expected["x"].shape[-3:]).astype(np.float32)
    compressed = model(images)
    assert_near(compressed.y, expected["y"].reshape(compressed.y.shape), 1e-3)
    side = model.entropy.hyper.analysis(compressed.y)
    assert_near(side, expected["z"].reshape(side.shape), 1e-3)
    assert bpp_of(compressed.bits, images) == pytest.approx(float(expected["bpp"]), rel=5e-3)
    mse = float(np.mean((compressed.x_hat - images) ** 2))
    assert mse == pytest.approx(float(expected["mse"]), rel=1e-3)
    model.entropy.walk(coder := WithRealIndex(compressed.y))
    assert bpp_of(coder.bits, images) == pytest.approx(float(expected["bpp"]), rel=1e-3)


@needs_golden
def test_means_and_scale_indexes_are_the_published_ones(imported):
    model, folder = imported
    expected = np.load(folder / "expected.npz")
    model.entropy.walk(recorder := Recorder(Estimate(tf.constant(expected["y"]))))
    for number in sorted(int(name.split("_")[1]) for name in expected if name.startswith("mu_")):
        record = recorder.records[number]
        for name, values in (("mu", record.distribution.offset), ("index", record.distribution.index)):
            assert_near(as_published(record.part, values, expected["y"]), expected[f"{name}_{number}"], 1e-3)


def as_published(part, values, latent):
    """Returns a part's values in the shape in which the published code codes them."""
    if part.name.startswith("channels"):
        return values
    # The four neighbours' positions are planes side by side; a pass codes two of them.
    packed = part.put(tf.zeros_like(latent), values)
    anchors = [packed[:, 0::2, 1::2], packed[:, 1::2, 0::2]]
    others = [packed[:, 0::2, 0::2], packed[:, 1::2, 1::2]]
    return tf.concat(anchors if part.name == "anchors" else others, -1)


@needs_golden
def test_the_round_trip_gives_the_published_image(imported):
    model, folder = imported
    image, published = (np.asarray(Image.open(folder / name)) for name in ("x.png", "x_hat.png"))
    codec = lic.Codec(model)
    decoded = codec.decompress(codec.compress(image)).astype(int)
    assert np.mean(np.abs(decoded - published) <= 1) >= 0.999


def make_tiny(name):
    """Returns the named model at tiny widths."""
    sizes = {"width": 8, "latent_depth": 20, "hyper_width": 8, "side_depth": 4}
    sizes |= {
        "hzswq2021": {"context_width": 8, "parameter_widths": (9, 7)},
        "ms2020": {"slice_widths": (6, 5)},
        "zyc2022": {"slice_widths": (6, 5), "head_dim": 4, "features": 40},
    }[name]
    model = create_model(name, **sizes)
    model(np.zeros((1, 64, 64, 3), np.float32))
    return model


@functools.cache
def tiny_for_reading(name):
    """Returns the same, made once in a process; tests must leave it as it is."""
    return make_tiny(name)


def objects(name, model):
    """Objects named as in the published code, with random values for all weights of a model."""
    root = tf.Module()
    for ours, array in get_tensors(model).items():
        *parents, last = published_path(name, ours).split("/")
        module = root
        for parent in parents:
            if not hasattr(module, parent):
                setattr(module, parent, tf.Module())
            module = getattr(module, parent)
        setattr(module, last, tf.Variable(tf.random.normal(array.shape)))
    # The import ignores these objects.
    root.optimizer, root.bpp, root.em_y = tf.Module(), tf.Module(), tf.Module()
    for passed_over in (root.optimizer, root.bpp, root.em_y):
        passed_over.total = tf.Variable(1.0)
    return root


@pytest.fixture(autouse=True)
def _tiny_models(monkeypatch, request):
    if "imported" not in request.fixturenames:
        monkeypatch.setattr(checkpoints, "create_model", make_tiny)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("hzswq2021", "model"),
        ("hzswq2021", "root"),
        ("hzswq2021", "folder"),
        ("ms2020", "savedmodel"),
        ("zyc2022", "root"),
    ],
)
def test_every_weight_arrives_in_its_place(name, form, tmp_path):
    root = objects(name, tiny_for_reading(name))
    saved = tf.train.Checkpoint(model=root) if form == "model" else tf.train.Checkpoint(root)
    path = saved.write(str(tmp_path / ("variables/variables" if form == "savedmodel" else "ckpt")))
    if form == "folder":
        path = saved.save(str(tmp_path / "other" / "ckpt")).rsplit("/", 1)[0]
    model = import_checkpoint(tmp_path if form == "savedmodel" else path, name)
    for ours, array in get_tensors(model).items():
        value = root
        for part in published_path(name, ours).split("/"):
            value = getattr(value, part)
        np.testing.assert_array_equal(array, value)


def test_missing_extra_and_misshaped_variables_are_named(tmp_path):
    name = "hzswq2021"

    def imported_with(change):
        root = objects(name, tiny_for_reading(name))
        change(root)
        return import_checkpoint(tf.train.Checkpoint(root).write(str(tmp_path / "ckpt")), name)

    layer = "layer_with_weights-1"
    with pytest.raises(CheckpointError, match=f"lacks the variable 'analysis_transform/{layer}/_bias_parameter'"):
        imported_with(lambda root: delattr(getattr(root.analysis_transform, layer), "_bias_parameter"))
    with pytest.raises(CheckpointError, match="has the variable 'analysis_transform/extra'"):
        imported_with(lambda root: setattr(root.analysis_transform, "extra", tf.Variable(1.0)))
    with pytest.raises(CheckpointError, match=r"'transform/analysis/layers/3/bias' has shape \(5,\), expected \(8,\)"):
        imported_with(
            lambda root: setattr(getattr(root.analysis_transform, layer), "_bias_parameter", tf.Variable(tf.zeros(5)))
        )


def test_other_files_than_checkpoints_are_refused(tmp_path):
    name = "hzswq2021"
    with pytest.raises(CheckpointError, match="There is no checkpoint .*nothing, or it lacks its index"):
        import_checkpoint(tmp_path / "nothing", name)
    (tmp_path / "photo.png").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        import_checkpoint(tmp_path / "photo.png", name)
    root = tf.Module()
    root.other = tf.Variable(1.0)
    with pytest.raises(CheckpointError, match="lacks the object 'analysis_transform'"):
        import_checkpoint(tf.train.Checkpoint(root).write(str(tmp_path / "ckpt")), name)


@pytest.mark.parametrize("part", ["ckpt.index", "ckpt.data-00000-of-00001"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_cut_off_files_are_refused(part, share, tmp_path):
    name = "hzswq2021"
    path = tf.train.Checkpoint(objects(name, tiny_for_reading(name))).write(str(tmp_path / "ckpt"))
    data = (tmp_path / part).read_bytes()
    (tmp_path / part).write_bytes(data[: int(share * len(data))])
    with pytest.raises(CheckpointError):
        import_checkpoint(path, name)


def test_other_models_cannot_be_imported(tmp_path):
    (tmp_path / "anything").write_bytes(b"")
    with pytest.raises(CheckpointError, match="one of hzswq2021, ms2020, zyc2022. Received: 'default'"):
        import_checkpoint(tmp_path / "anything", "default")
