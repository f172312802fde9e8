"""The folder of a training refuses another training."""

import json

import pytest

import lic
from lic.errors import TrainingError
from lic.training.run_folder import RunFolder
from tests.conftest import DAMAGED_JSON

CONFIG = {
    "model": {"transform": {"width": 8}, "lmbda": (0.1, 0.2)},
    "settings": {"steps": 10, "interval": 5, "seed": 0},
}


def begin(path, digest="abc", **settings):
    config = CONFIG | {"settings": CONFIG["settings"] | settings}
    RunFolder(path).begin(config, [("a.png", 7), ("b/c.jpg", 9)], digest)


def test_it_records_model_and_data(tmp_path):
    begin(tmp_path / "deep" / "run")
    run = json.loads((tmp_path / "deep" / "run" / "run.json").read_text())
    assert run["config"]["model"]["lmbda"] == [0.1, 0.2]
    assert run["data"] == {"files": 2, "sha256": "abc"}
    assert run["made_with"]["tensorflow"].startswith("2.")
    assert (tmp_path / "deep" / "run" / "data.txt").read_text() == "7\ta.png\n9\tb/c.jpg\n"


def test_the_same_training_and_a_longer_one_go_on(tmp_path):
    begin(tmp_path)
    written = (tmp_path / "run.json").read_bytes()
    begin(tmp_path)
    begin(tmp_path, steps=20, interval=10)
    assert (tmp_path / "run.json").read_bytes() == written


def test_another_setting_is_named(tmp_path):
    begin(tmp_path)
    with pytest.raises(TrainingError, match=r"settings.seed=0, this one has 1. Give the same"):
        begin(tmp_path, seed=1)


def test_other_photographs_are_named(tmp_path):
    begin(tmp_path)
    with pytest.raises(TrainingError, match="data.sha256='abc', this one has 'xyz'"):
        begin(tmp_path, "xyz")


@pytest.mark.parametrize(
    "text",
    [
        *DAMAGED_JSON,
        '{"config": ',
        '{"config": 3, "data": {}}',
        '{"config": {}, "data": {}}',
        '{"config": {"model": {}, "settings": []}, "data": {}}',
        '{"config": {"model": {}, "settings": {"seed": NaN}}, "data": {}}',
        '{"config": {"model": {}, "settings": {"seed": 1e999}}, "data": {}}',
    ],
)
def test_a_damaged_run_json_is_named(tmp_path, text):
    begin(tmp_path)
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(TrainingError, match=r"run.json is damaged .*Put it back from a copy"):
        begin(tmp_path)
    with pytest.raises(TrainingError, match="run.json is damaged"):
        lic.training.codec_of_run(tmp_path)
