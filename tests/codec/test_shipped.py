import pytest

import lic
import lic.registry
from lic.codec import read_text
from lic.codec.shipped import codec_path, is_path, name_of
from lic.errors import CheckpointError, RegistryError


def test_a_name_leads_to_the_file_that_ships():
    assert codec_path("default").endswith("default.codec")
    assert name_of(lic.load("default").fingerprint) == f"{lic.load('default').fingerprint.hex()} (default)"


def test_arguments_and_settings_of_later_editions_move_no_fingerprint():
    codec = lic.load("default")
    assert codec.fingerprint.hex() == read_text(codec_path("default"))["fingerprint"] == "420b436c"
    assert (codec.channels, codec.bit_depth) == (3, 8)
    assert lic.Codec(codec.model, stored="float16").fingerprint == codec.fingerprint


def test_an_unknown_fingerprint_is_just_that():
    assert name_of(b"\0\1\2\3") == "00010203"


@pytest.mark.parametrize("path", ["mine.codec", "folder/mine", "./mine"])
def test_a_path_stays_a_path(path):
    assert codec_path(path) == path


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(RegistryError, match="no model named 'defalt'. Did you mean 'default'"):
        lic.load("defalt")


def test_a_model_without_weights_leads_to_training():
    lic.register_model("no-weights")(lambda: lic.PublishedSystem("conv", "factorized"))
    try:
        with pytest.raises(CheckpointError, match="No weights ship for the model 'no-weights'. Train"):
            lic.load("no-weights")
    finally:
        del lic.registry.models._entries["no-weights"]


def test_a_name_leads_to_the_file_that_ships_where_a_folder_is_called_like_it(tmp_path, monkeypatch):
    expected = codec_path("default")
    (tmp_path / "default").mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    assert codec_path("default") == expected
    assert [is_path(text) for text in ("default", "./default", "other")] == [False, True, True]
