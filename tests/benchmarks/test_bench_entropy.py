import pytest

import lic
from tests.conftest import tiny_model

WALKS = {"estimate": "s", "encode": "s", "decode": "s"}
RATES = {"estimate rate": "symbols/s", "encode rate": "symbols/s", "decode rate": "symbols/s"}
CODERS = {"encode range coder": "s", "decode range coder": "s"}


@pytest.fixture
def task(load, monkeypatch):
    tasks = load("tasks")
    model = tiny_model("conv", "checkerboard")
    monkeypatch.setattr(tasks.Task, "make_model", lambda task: model)
    return tasks.Task("conv+checkerboard", 64, 48, repeats=2)


def test_walks_are_measured_in_seconds_and_symbols(load, task):
    quantities = {quantity.name: quantity for quantity in load("bench_entropy").measure_entropy(task)}
    units = {name: quantity.unit for name, quantity in quantities.items()}
    assert units == WALKS | RATES | CODERS | {"symbols": "symbols", "bits per symbol": "bits"}
    (symbols,) = quantities["symbols"].values
    assert symbols == 4 * 3 * 12 + 1 * 1 * 4
    for walk in WALKS:
        seconds, rates = quantities[walk].values, quantities[f"{walk} rate"].values
        assert [len(seconds), len(rates)] == [2, 2]
        assert [second * rate for second, rate in zip(seconds, rates)] == pytest.approx([symbols, symbols])
    for name in CODERS:
        assert len(quantities[name].values) == 2
        assert all(0 < seconds < 1 for seconds in quantities[name].values)


def test_a_walk_that_decodes_other_symbols_is_an_error(load, task, monkeypatch):
    walks = load("walks")
    decode = walks.Walks._decode

    def wrong(self, *arguments):
        y_hat, symbols, indexes = decode(self, *arguments)
        return y_hat, symbols + 1, indexes

    monkeypatch.setattr(walks.Walks, "_decode", wrong)
    with pytest.raises(ValueError, match="Received: others"):
        load("bench_entropy").measure_entropy(task)


def test_without_models_all_registered_entropy_models_are_measured(load, here):
    script = load("bench_entropy")
    here(script, load("tasks"))
    jobs = script.jobs_of(script.command_line().parse_args(["--latent-depth", "32", "--size", "64x64", "32x32"]))
    names = [f"conv+{name}" for name in lic.list_entropy_models()]
    assert [(task.model, task.size) for _, task in jobs] == [(n, s) for n in names for s in ("64x64", "32x32")]
    assert jobs[0][1].make_model().transform.depth == 32


def test_an_unknown_part_is_refused_before_anything_is_measured(load, here, capsys):
    script = load("bench_entropy")
    here(script, load("tasks"))
    with pytest.raises(SystemExit, match="2"):
        script.main(["--model", "conv+chram"])
    assert "Did you mean 'charm'?" in capsys.readouterr().err
