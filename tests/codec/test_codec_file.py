import zipfile

import numpy as np
import pytest

import lic
from lic.codec.codec_file import CodecFile, read_text
from lic.errors import CheckpointError
from tests.conftest import tiny_model


@pytest.fixture
def path(tmp_path):
    lic.Codec(tiny_model("klt", "hyperprior"), stored="float16").save(tmp_path / "mine.codec")
    return tmp_path / "mine.codec"


def _rewritten(path, change):
    """The codec file with some members changed."""
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


def test_what_it_says_of_itself(path):
    text = read_text(path)
    assert (text["format"], text["stored"], text["lic"]) == (1, "float16", lic.__version__)
    assert text["fingerprint"] == lic.load(path).fingerprint.hex()


def test_nothing_is_left_beside_it(path):
    assert [file.name for file in path.parent.iterdir()] == ["mine.codec"]


def _change_weight(members):
    name = next(name for name in members if name.startswith("weights/"))
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])


def _pickled(members):
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    members["weights/transform/analysis/linear.npy"] = buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_change_weight, "weights or tables were changed"),
        (_pickled, "damaged codec file .*pickle"),
        (lambda members: members.pop("tables/first.npy"), "weights or tables were changed"),
        (lambda members: members.update({"codec.json": b'{"format": 99}'}), "codec format 99, this lic reads 1"),
        (lambda members: members.update({"codec.json": b'{"format": 1}'}), "damaged codec file"),
        (lambda members: members.update({"codec.json": b"[]"}), "not a codec file"),
        (lambda members: members.pop("codec.json"), "not a codec file"),
        (lambda members: members.update({"weights/x.npy": b"nothing"}), "damaged codec file"),
    ],
)
def test_damage_is_told(path, change, message):
    with pytest.raises(CheckpointError, match=message):
        lic.load(_rewritten(path, change))


@pytest.mark.parametrize("length", [0, 10, 1000, -100])
def test_cut_off_files_are_told(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError):
        lic.load(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="There is no codec file"):
        lic.load(tmp_path / "none.codec")


def test_fingerprint_covers_configuration_weights_and_tables(path):
    file = CodecFile.read(path)
    name = next(name for name in file.arrays if name.startswith("weights/"))
    others = [
        file._replace(config=file.config | {"lmbda": 0.5}),
        file._replace(arrays=file.arrays | {name: file.arrays[name] + np.float16(1)}),
        file._replace(arrays=file.arrays | {"tables/first": file.arrays["tables/first"] + 1}),
    ]
    assert len({codec.fingerprint() for codec in [file, *others]}) == 4
