"""Codec files as they are written, damaged ones, and ones that were changed on purpose with a fingerprint that fits."""

import copy
import inspect
import io
import json
import pathlib
import resource
import shutil
import zipfile
from typing import NamedTuple

import numpy as np
import pytest

import lic
from lic import config, registry
from lic.codec import codec_file
from lic.codec.codec_file import CodecFile, read_text, restored_model, restored_tables
from lic.errors import CheckpointError
from tests.codec.golden_streams import FOLDER
from tests.conftest import random_images, slow_but, tiny_model

WEIGHT = "weights/entropy/hyper/analysis/layers/0/kernel"
OTHER = "weights/entropy/hyper/analysis/layers/1/kernel"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "mine.codec"
    lic.Codec(tiny_model("klt", "hyperprior"), stored="float16").save(path)
    return path


@pytest.fixture
def path(written, tmp_path):
    """A copy of a codec file, which a test may change."""
    return shutil.copy(written, tmp_path / "mine.codec")


def _rewritten(path, change):
    """Returns the codec file with some members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_the_same_codec_gives_the_same_file(path, tmp_path):
    lic.load(path).save(tmp_path / "again.codec")
    assert (tmp_path / "again.codec").read_bytes() == path.read_bytes()


def test_its_text_describes_the_codec(path):
    text = read_text(path)
    assert (text["format"], text["stored"], text["lic"]) == (1, "float16", lic.__version__)
    assert text["fingerprint"] == lic.load(path).fingerprint.hex()


def test_nothing_is_left_beside_it(path):
    assert [file.name for file in path.parent.iterdir()] == ["mine.codec"]


def _change_weight(members):
    name = next(name for name in members if name.startswith("weights/"))
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])


def _pickled(members):
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    members["weights/transform/analysis/linear.npy"] = buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_change_weight, "weights or tables were changed"),
        (_pickled, "damaged codec file .*pickle"),
        (lambda members: members.pop("tables/cdf_offset.npy"), "weights or tables were changed"),
        (lambda members: members.update({"codec.json": b'{"format": 99}'}), "codec format 99, this lic reads 1"),
        (lambda members: members.update({"codec.json": b'{"format": 1}'}), "damaged codec file"),
        (lambda members: members.update({"codec.json": b"[]"}), "not a codec file"),
        (lambda members: members.pop("codec.json"), "not a codec file"),
        (lambda members: members.update({"weights/x.npy": b"nothing"}), "damaged codec file"),
    ],
)
def test_damage_is_refused(path, change, message):
    with pytest.raises(CheckpointError, match=message):
        lic.load(_rewritten(path, change))


@pytest.mark.parametrize("length", [0, 10, 1000, -100])
def test_cut_off_files_are_refused(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError):
        lic.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="There is no codec file"):
        lic.load(tmp_path / "none.codec")


def test_fingerprint_covers_configuration_weights_and_tables(path):
    file = CodecFile.read(path)
    name = next(name for name in file.arrays if name.startswith("weights/"))
    others = [
        file._replace(config=file.config | {"lmbda": 0.5}),
        file._replace(arrays=file.arrays | {name: file.arrays[name] + np.float16(1)}),
        file._replace(arrays=file.arrays | {"tables/cdf_offset": file.arrays["tables/cdf_offset"] + 1}),
    ]
    assert len({codec.fingerprint() for codec in [file, *others]}) == 4


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "mine.codec"
    model = tiny_model("klt", "hyperprior", lmbda=(0.002, 0.02))
    lic.Codec(model, deterministic=True, calibration=[random_images(64, 80, 3)]).save(path)
    return CodecFile.read(path)


def _weight(change):
    return lambda file: file._replace(arrays={**file.arrays, WEIGHT: change(file.arrays[WEIGHT])})


def _table(name, change):
    name = f"tables/{name}"

    def changed(file):
        array = file.arrays[name].copy()
        return file._replace(arrays={**file.arrays, name: change(array)})

    return changed


def _entry(name, number, value):
    def change(array):
        array[number] = value
        return array

    return _table(name, change)


def _described(**changes):
    return lambda file: file._replace(tables={**file.tables, **changes})


def _config(change):
    def changed(file):
        config = copy.deepcopy(file.config)
        change(config)
        return file._replace(config=config)

    return changed


def _part(kind, **changes):
    return _config(lambda config: config[kind]["config"].update(changes))


MODELS = {
    "weight of another shape": (_weight(lambda array: array[0]), "has shape"),
    "weight missing": (lambda file: file._replace(arrays=_without(file.arrays, WEIGHT)), "is missing"),
    "weight too many": (lambda file: file._replace(arrays={**file.arrays, "weights/x": np.ones(3, "f")}), "no such"),
    "weights swapped": (lambda file: file._replace(arrays=_swapped(file.arrays)), "has shape"),
    "whole weights": (_weight(lambda array: array.astype(np.int32)), "to be float32. Received: int32"),
    "text as weights": (_weight(lambda array: np.full(array.shape, "x")), "to be float32. Received: <U1"),
    "weights that are not finite": (_weight(lambda array: array * np.nan), "not finite"),
    "another type": (lambda file: file._replace(stored="float8"), "stored as one of.*Received: 'float8'"),
    "a million filters": (_part("entropy", prior_filters=[3] * 100_000), "weights that are left"),
    "very many blocks": (_part("transform", num_blocks=60_000), "many more layers than there are weights"),
    "very many channels": (_part("transform", channels=65_536), "expected channels to be .* from 1 to 4096"),
    "an infinite step": (_part("transform", step=float("inf")), "holds the number inf"),
    "an empty configuration": (lambda file: file._replace(config={}), "describes no model"),
    "a list as configuration": (lambda file: file._replace(config=[1]), "describes no model"),
    "an unknown size": (_part("transform", foo=3), "describes no model"),
    "text as width": (_part("transform", width="x"), "describes no model"),
    "a negative width": (_part("transform", width=-3), "describes no model"),
    "a giant": (_part("transform", width=10**7), "holds the number 10000000|asks for a weight of shape"),
    "text as lmbda": (_config(lambda config: config.update(lmbda="x")), "describes no model"),
}
TABLES = {
    "a count of zero": (_entry("pmf", 5, 0), "positive count"),
    "a negative count": (_entry("pmf", 5, -7), "positive count"),
    "a larger count": (_entry("pmf", 5, 9999), "sum to 65536"),
    "counts as floats": (_table("pmf", lambda array: array.astype(np.float32)), "int32"),
    "counts missing": (_table("pmf", lambda array: array[:-5]), "positive count"),
    "a longer cdf": (_entry("cdf_length", 1, 9), "positive count"),
    "a negative cdf": (_entry("cdf_length", 1, -3), "cdfs of 1 to"),
    "an endless cdf": (_entry("cdf_length", 1, 10**9), "cdfs of 1 to"),
    "cdfs missing": (_table("cdf_length", lambda array: array[:-2]), "cdfs of 1 to"),
    "a first symbol out of range": (_entry("cdf_offset", 1, 2**31 - 1), "beyond"),
    "a first symbol below": (_entry("cdf_offset", 1, -(2**31)), "beyond"),
    "other priors": (_described(sources=[["likelihood", 64], ["prior", 5]]), "the model needs"),
    "other scales": (_described(sources=[["likelihood", 63], ["prior", 4]]), "the model needs"),
    "sources that are none": (_described(sources="x"), "tables are damaged"),
    "no sources": (lambda file: file._replace(tables={"scales": [64, 0.11, 256.0]}), "tables are damaged"),
}


def _swapped(arrays):
    return {**arrays, WEIGHT: arrays[OTHER], OTHER: arrays[WEIGHT]}


def _without(arrays, name):
    return {each: array for each, array in arrays.items() if each != name}


@pytest.fixture(scope="module")
def model(file):
    return restored_model(file)


@pytest.mark.parametrize("damage", MODELS)
def test_weights_and_configurations_that_do_not_fit_are_refused(file, damage):
    change, message = MODELS[damage]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match=message):
        restored_model(change(file))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB


@pytest.mark.parametrize("damage", TABLES)
def test_tables_that_do_not_fit_are_refused(file, model, damage):
    change, message = TABLES[damage]
    with pytest.raises(CheckpointError, match=message):
        restored_tables(change(file), model)


@pytest.mark.parametrize("damage", [MODELS["weights that are not finite"], TABLES["a count of zero"]])
def test_a_codec_is_not_made_of_either(file, damage, tmp_path):
    change, message = damage
    change(file).write(tmp_path / "changed.codec")
    with pytest.raises(CheckpointError, match=message):
        lic.load(tmp_path / "changed.codec")


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file._replace(tables={}, arrays=_without(file.arrays, "tables/pmf")),
        lambda file: file._replace(tables={}),
        lambda file: file._replace(arrays={**file.arrays, "tables/more": np.zeros(3, np.int32)}),
        lambda file: file._replace(arrays={**file.arrays, "other": np.zeros(3, np.int32)}),
        lambda file: file._replace(tables={"sources": [["likelihood", 64.0], ["prior", 4], ["prior", 4]]}),
    ],
    ids=["no tables", "tables not described", "another table", "another array", "a source twice"],
)
def test_a_file_whose_codec_would_have_another_fingerprint_is_refused(file, change, tmp_path):
    change(file).write(tmp_path / "changed.codec")
    with pytest.raises(CheckpointError, match="Get the codec file anew"):
        lic.load(tmp_path / "changed.codec")


@pytest.mark.parametrize(
    "change",
    [
        lambda integer: dict(list(integer.items())[:-1]),
        lambda integer: {name: np.asarray("x") for name in integer},
        lambda integer: {name: array + 100 if array.ndim else array for name, array in integer.items()},
        lambda integer: {name: array[:-1] if array.ndim else array for name, array in integer.items()},
    ],
    ids=["missing", "text", "too fine", "too few"],
)
def test_units_that_do_not_fit_are_refused(file, change, tmp_path):
    file._replace(integer=change(file.integer)).write(tmp_path / "changed.codec")
    with pytest.raises(CheckpointError):
        lic.load(tmp_path / "changed.codec", deterministic=True)


def test_as_it_was_it_loads(file, tmp_path):
    file.write(tmp_path / "same.codec")
    assert lic.load(tmp_path / "same.codec").fingerprint == file.fingerprint()


def test_fingerprint_takes_whole_numbers_as_one_type(path):
    file = CodecFile.read(path)
    changed = copy.deepcopy(file.config)
    assert json.dumps(changed["transform"]["config"]["step"]) == "52.0"
    changed["transform"]["config"]["step"] = 52
    changed["transform"]["config"]["width"] = 8.0
    assert file._replace(config=changed).fingerprint() == file.fingerprint()
    changed["transform"]["config"]["step"] = 52.5
    assert file._replace(config=changed).fingerprint() != file.fingerprint()


def test_a_part_that_is_not_registered_is_named(path):
    def rename(members):
        text = json.loads(members["codec.json"])
        text["config"]["transform"]["name"] = "none"
        members["codec.json"] = json.dumps(text).encode()

    with pytest.raises(lic.RegistryError, match="no transform named 'none'"):
        lic.load(_rewritten(path, rename))


KINDS = (registry.transforms, registry.hyper_transforms, registry.entropy_models)
# An argument of every registered part, with another default that computes something else or moves a shape.
OTHER_DEFAULTS = [
    (registry.transforms, "bottleneck", "attention", False),
    (registry.transforms, "conv", "square_root", True),
    (registry.transforms, "klt", "num_blocks", 2),
    (registry.transforms, "mixed", "blocks", 1),
    (registry.transforms, "partial", "blocks", (1, 1, 1)),
    (registry.transforms, "residual", "attention", True),
    (registry.transforms, "rwkv", "blocks", (1, 1, 1)),
    (registry.transforms, "swin", "window", 2),
    (registry.hyper_transforms, "bottleneck-swin", "hyper_window", 2),
    (registry.hyper_transforms, "conv", "features_activation", None),
    (registry.hyper_transforms, "mixed", "hyper_window", 2),
    (registry.hyper_transforms, "partial", "hyper_blocks", 2),
    (registry.hyper_transforms, "rwkv", "hyper_blocks", 1),
    (registry.hyper_transforms, "subpixel", "hyper_activation", "relu"),
    (registry.hyper_transforms, "swin", "hyper_window", 2),
    (registry.entropy_models, "autoregressive", "context_size", 3),
    (registry.entropy_models, "charm", "feature_support", "halves"),
    (registry.entropy_models, "checkerboard", "fusion", "add"),
    (registry.entropy_models, "dual", "context_size", 5),
    (registry.entropy_models, "factorized", "prior_filters", (2, 2)),
    (registry.entropy_models, "hierarchical", "misread_features", True),
    (registry.entropy_models, "hyperprior", "zero_mean", True),
    (registry.entropy_models, "multi-reference", "context_size", 3),
    (registry.entropy_models, "parametric", "likelihood_bound", 1e-9),
    (registry.entropy_models, "quadtree", "fusion", "add"),
    (registry.entropy_models, "space-channel", "fusion", "concatenate"),
]


def _model_with(kind, name, **sizes):
    """Returns a model of this part and of small other ones."""
    if kind is registry.transforms:
        return tiny_model(name, "factorized", **sizes)
    if kind is registry.hyper_transforms:
        return tiny_model("klt", "hyperprior", hyper=name, residual=False, **sizes)
    return tiny_model("klt", name, **sizes)


def test_every_registered_part_has_another_default():
    assert [(kind, name) for kind, name, *_ in OTHER_DEFAULTS] == [
        (kind, name) for kind in KINDS for name in kind.names()
    ]


def _forget_arguments():
    """The arguments of a class are looked up once, so they are forgotten when its constructor changes."""
    config.constructor_arguments.cache_clear()
    config._parameters.cache_clear()


@pytest.fixture
def _own_constructors():
    """Arguments of the constructors that a test brings are forgotten after it."""
    yield
    _forget_arguments()


def _replace_constructor(monkeypatch, maker, constructor, *parameters):
    """Gives a part a constructor with these parameters, as a later edition may."""
    constructor.__signature__ = inspect.signature(maker.__init__).replace(parameters=parameters)
    constructor.__annotations__ = {each.name: each.annotation for each in parameters if each.annotation != each.empty}
    monkeypatch.setattr(maker, "__init__", config._recording(maker, constructor))
    _forget_arguments()


def _set_default(monkeypatch, maker, argument, value):
    """Changes the default of an argument of a constructor, as a later edition may."""
    before, parameters = maker.__init__.__wrapped__, inspect.signature(maker.__init__).parameters
    assert parameters[argument].default != value

    def constructor(self, *args, **kwargs):
        given = inspect.signature(before).bind(self, *args, **kwargs).arguments
        before(self, *args, **kwargs, **({} if argument in given else {argument: value}))

    changed = {**parameters, argument: parameters[argument].replace(default=value)}
    _replace_constructor(monkeypatch, maker, constructor, *changed.values())


_ORDINARY = [case for case in OTHER_DEFAULTS if case[1:3] in [("conv", "square_root"), ("checkerboard", "fusion")]]


@pytest.mark.usefixtures("_own_constructors")
@pytest.mark.parametrize(("kind", "name", "argument", "value"), slow_but(OTHER_DEFAULTS, *_ORDINARY))
def test_a_default_that_changes_later_changes_no_file(kind, name, argument, value, tmp_path, monkeypatch):
    maker = kind.get(name)
    default = inspect.signature(maker.__init__).parameters[argument].default
    model = _model_with(kind, name, **{argument: default})
    codec, image = lic.Codec(model), random_images(40, 56, 3)
    codec.save(tmp_path / "before.codec")
    stream = codec.compress(image)
    decoded = codec.decompress(stream)

    _set_default(monkeypatch, maker, argument, value)
    assert config.constructor_arguments(maker)[argument].default == value
    again = lic.load(tmp_path / "before.codec")
    assert again.fingerprint == codec.fingerprint
    assert again.compress(image) == stream
    np.testing.assert_array_equal(again.decompress(stream), decoded)
    again.save(tmp_path / "after.codec")
    assert (tmp_path / "after.codec").read_bytes() == (tmp_path / "before.codec").read_bytes()


class Golden(NamedTuple):
    """A codec file of tests/data, one of its streams, and what its codecs gave before anything was changed."""

    path: pathlib.Path
    stream: bytes
    decoded: np.ndarray
    compressed: bytes
    plain: bytes
    deterministic: bytes


@pytest.fixture(scope="module")
def golden():
    path, stream = FOLDER / "charm.codec", (FOLDER / "charm-crop.lic").read_bytes()
    codec = lic.load(path, deterministic=True)
    decoded = codec.decompress(stream)
    return Golden(path, stream, decoded, codec.compress(decoded), lic.load(path).fingerprint, codec.fingerprint)


def _add_argument(monkeypatch, maker, argument, default, declared):
    """Gives a part another argument, as a later edition may."""
    before = maker.__init__.__wrapped__

    def constructor(self, *args, **kwargs):
        self.added = kwargs.pop(argument, default)
        before(self, *args, **kwargs)

    *parameters, keywords = inspect.signature(maker.__init__).parameters.values()
    added = inspect.Parameter(argument, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=float)
    _replace_constructor(monkeypatch, maker, constructor, *parameters, added, keywords)
    monkeypatch.setattr(maker, "added_arguments", {**maker.added_arguments, argument: declared})


ADDED = [(registry.transforms, "conv"), (registry.hyper_transforms, "conv"), (registry.entropy_models, "charm")]


@pytest.mark.usefixtures("_own_constructors")
@pytest.mark.parametrize(("kind", "name"), slow_but(ADDED, ADDED[1]))
def test_an_argument_that_is_added_later_moves_no_fingerprint_and_no_stream(golden, kind, name, tmp_path, monkeypatch):
    maker = kind.get(name)
    _add_argument(monkeypatch, maker, "dilation", default=3.0, declared=1)

    def part_of(model):
        return next(each for each in (model.transform, model.entropy, model.entropy.hyper) if isinstance(each, maker))

    codec = lic.load(golden.path, deterministic=True)
    part = part_of(codec.model)
    assert part.added == part.get_config()["dilation"] == 1
    assert codec.fingerprint == golden.deterministic
    np.testing.assert_array_equal(codec.decompress(golden.stream), golden.decoded)
    assert codec.compress(golden.decoded) == golden.compressed

    codec.save(tmp_path / "again.codec")
    assert CodecFile.read(tmp_path / "again.codec").fingerprint(deterministic=True) == golden.deterministic
    assert lic.load(tmp_path / "again.codec").fingerprint == golden.plain
    made = lic.Codec(codec.model, stored="float16")
    assert made.fingerprint == golden.plain
    made.save(tmp_path / "made.codec")
    assert read_text(tmp_path / "made.codec")["fingerprint"] == golden.plain.hex()

    part._arguments["dilation"] = 3.0  # The new default is another model, with a fingerprint of its own.
    other = lic.Codec(codec.model, stored="float16")
    assert other.fingerprint != golden.plain
    assert part_of(other.model).added == 3


def test_a_setting_of_the_codec_that_is_added_later_moves_no_fingerprint(golden, tmp_path, monkeypatch):
    settings = codec_file.ADDED_SETTINGS | {"later": 1}
    monkeypatch.setattr(codec_file, "ADDED_SETTINGS", settings)
    file = CodecFile.read(golden.path)
    assert file.settings == settings
    assert file.fingerprint() == golden.plain
    file.write(tmp_path / "again.codec")
    assert read_text(tmp_path / "again.codec").items() >= settings.items()
    again = lic.load(tmp_path / "again.codec", deterministic=True)
    np.testing.assert_array_equal(again.decompress(golden.stream), golden.decoded)

    file._replace(settings={"later": 2}).write(tmp_path / "other.codec")
    other = CodecFile.read(tmp_path / "other.codec")
    assert other.settings == settings | {"later": 2}
    assert other.fingerprint() != golden.plain


def test_channels_and_bits_of_the_codec_move_no_fingerprint_of_files_without_them(golden):
    text = read_text(golden.path)
    assert not text.keys() & {"channels", "bit_depth"}
    codec = lic.load(golden.path)
    assert (codec.channels, codec.bit_depth) == (3, 8)
    assert lic.Codec(codec.model, stored="float16").fingerprint == golden.plain
    assert lic.Codec(codec.model, stored="float16", bit_depth=9).fingerprint != golden.plain


@pytest.mark.parametrize("settings", [{"bit_depth": 17}, {"bit_depth": "8"}, {"bit_depth": None}, {"channels": 4}])
def test_channels_and_bits_that_no_codec_has_are_refused(golden, settings, tmp_path):
    CodecFile.read(golden.path)._replace(settings=settings).write(tmp_path / "wrong.codec")
    with pytest.raises(CheckpointError, match="expected bit_depth from 8 to 16, and channels=3"):
        lic.load(tmp_path / "wrong.codec")


def test_members_that_unpack_to_gigabytes_are_refused_packed(path):
    header = (
        b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,)}".ljust(124) % 2**28
    )
    archive = zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED)
    with archive, archive.open("weights/zeros.npy", "w") as file:
        file.write(header[:10] + header[10:127].ljust(117) + b"\n")
        for _ in range(64):
            file.write(bytes(1 << 24))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="'weights/zeros|'zeros'"):
        lic.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20 // 4


@pytest.mark.parametrize("text", ["[" * 200_000, '{"format": 1, "x": ' + "[" * 900 + "]" * 900 + "}", " " * (1 << 23)])
def test_texts_that_are_deep_or_long_are_refused(path, text):
    with pytest.raises(CheckpointError):
        lic.load(_rewritten(path, lambda members: members.update({"codec.json": text})))


UNITS = {
    "levels below 0": ("levels", np.array(-5, np.int32)),
    "levels of another type": ("levels", np.array(511.0)),
    "levels that are no number": ("levels", np.array(np.nan)),
    "many levels": ("levels", np.full(3, 511, np.int32)),
    "inputs that are no numbers": ("inputs", np.full(12, np.nan, np.float32)),
    "inputs of another length": ("inputs", np.zeros(3, np.int8)),
    "very fine inputs": ("inputs", np.full(12, 127, np.int8)),
    "outputs of text": ("outputs", np.full(24, "x")),
}


@pytest.mark.parametrize("case", UNITS)
def test_units_that_are_not_exact_are_refused(file, tmp_path, case):
    field, value = UNITS[case]
    name = next(name for name in file.integer if name.endswith(f"/{field}"))
    file._replace(integer={**file.integer, name: value}).write(tmp_path / "x.codec")
    with pytest.raises(CheckpointError, match="units"):
        lic.load(tmp_path / "x.codec", deterministic=True)


def test_units_that_were_changed_are_refused(file, tmp_path):
    file.write(tmp_path / "mine.codec")

    def change(members):
        name = next(name for name in members if name.startswith("integer/") and name.endswith("inputs.npy"))
        members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])

    with pytest.raises(CheckpointError, match="changed"):
        lic.load(_rewritten(tmp_path / "mine.codec", change))
