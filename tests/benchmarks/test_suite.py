import pytest

import lic
from lic import registry
from tests.benchmarks.conftest import rows_in

ALL = ["start", "transforms", "entropy", "codec", "training", "size"]


@pytest.fixture
def suite(load):
    return load("suite")


def models_of(suite, jobs, function):
    return [task.model for measure, task in jobs if measure is getattr(suite, function)]


def test_everything_that_is_registered_is_measured(suite):
    jobs = suite.jobs_of(suite.registered(), suite.FULL, ALL)
    assert list(suite.SECTIONS) == ALL
    assert models_of(suite, jobs, "measure_transforms") == [f"{name}+hyperprior" for name in lic.list_transforms()]
    *entropy, mixture = models_of(suite, jobs, "measure_entropy")
    assert entropy == [f"conv+{name}" for name in lic.list_entropy_models()]
    assert mixture == "conv+hyperprior+normal-mixture"
    assert models_of(suite, jobs, "measure_training") == lic.list_models()
    assert (
        models_of(suite, suite.jobs_of(suite.registered(), suite.FULL, ["codec"]), "measure_codec") == lic.list_models()
    )
    assert models_of(suite, jobs, "measure_start") == ["default"]


def test_a_part_that_is_registered_elsewhere_is_measured_too(suite, monkeypatch):
    monkeypatch.setitem(registry.entropy_models._entries, "mine", object)
    jobs = suite.jobs_of(suite.registered(), suite.QUICK, ["entropy"])
    assert "conv+mine" in models_of(suite, jobs, "measure_entropy")


def test_quick_has_every_part_and_the_headline(suite):
    names = suite.registered()
    jobs = suite.jobs_of(names, suite.QUICK, ALL)
    assert len(models_of(suite, jobs, "measure_transforms")) == len(names.transforms)
    assert len(models_of(suite, jobs, "measure_entropy")) == len(names.entropy_models) + 1
    assert {"default", "ms2020", "hzswq2021"} == set(models_of(suite, jobs, "measure_codec"))
    assert len(jobs) <= 9 + len(names.transforms) + len(names.entropy_models) + 1


def test_sizes_are_measured_without_tiles_and_with(suite):
    jobs = suite.jobs_of(suite.registered(), suite.FULL, ["size"])
    sides = (256, 512, 1024, 2048, 4096)
    assert [(task.size, task.tile) for _, task in jobs] == [
        (f"{s}x{s}", tile) for s in sides for tile in (None, "auto")
    ]
    assert {task.weights[:8] for _, task in jobs} == {"shipped "}


def test_the_file_is_named_after_the_machine(suite, monkeypatch):
    assert suite.machine_name().rpartition("-tf")[2] in ("2.14", "2.17")
    monkeypatch.setattr(suite, "machine", lambda: {"processor": "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "cores": 4})
    monkeypatch.setattr(suite, "versions", lambda: {"tensorflow-cpu": "2.17.1"})
    monkeypatch.setattr(suite, "_instructions", lambda: ["sse2", "avx2", "avx512f"])
    assert suite.machine_name() == "intel-xeon-gold-6338-cpu-avx512f-4-cores-tf2.17"


def test_a_run_ends_with_the_headline(suite, load, here, monkeypatch, tmp_path, capsys):
    measuring, results = load("measuring"), load("results")
    seconds, rates = {"ms2020": 6.0, "hzswq2021": 2.0}, measuring.Calibration(100, 200, 100, 10)

    def measured(jobs, repeats):
        for _, task in jobs:
            quantity = measuring.Quantity("decompress", "s", [seconds[task.model]] * repeats)
            yield measuring.Measured(task, [quantity], rates, rates)

    monkeypatch.setattr(results, "measured", measured)
    here(suite)
    out = tmp_path / "machine.csv"
    suite.main(["--quick", "--only", "codec", "--model", "ms2020", "hzswq2021", "--out", str(out)])
    rows = rows_in(out)
    assert [(row["model"], row["quantity"], row["median"]) for row in rows] == [
        ("hzswq2021", "decompress", "2"),
        ("ms2020", "decompress", "6"),
        ("ms2020 over hzswq2021", "decompress", "3"),
    ]
    expected = "takes 3 times as long as hzswq2021, a checkerboard, to decompress 768x512. The published ratio is 1.88"
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--model", "ms2O20"], "'ms2020'"), (["--only", "all"], "invalid choice")]
)
def test_wrong_input_is_one_line(suite, here, capsys, arguments, message):
    here(suite)
    with pytest.raises(SystemExit, match="2"):
        suite.main(arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("suite: ")
    assert message in line
