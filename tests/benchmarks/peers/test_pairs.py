"""Pairs of systems and the ratios of their measurements."""

import pytest

from lic import registry
from lic.interop.torch_systems import SYSTEMS
from tests.benchmarks.conftest import result


@pytest.fixture
def pairs(load):
    return load("peers.pairs")


def both(peer="mbt2018-mean", quantity="compress", ours="2", theirs="3", **changes):
    common = {"peer": peer, "quantity": quantity} | changes
    return [
        result(code="lic 0.1.0", model="ours", median=ours, **common),
        result(code="CompressAI 1.2.8", model=peer, median=theirs, **common),
    ]


def test_every_system_of_other_code_is_in_a_pair(pairs):
    models = {pair.model for pair in pairs.PAIRS}
    # The former is CompressAI's other form of the same system; the authors' code of the latter needs a GPU.
    assert models == set(SYSTEMS) - {"elic2022-chandelier", "lalic"}
    assert models <= set(registry.list_models())


def test_a_ratio_is_theirs_over_ours(pairs):
    (row,) = pairs.ratios(both())
    assert [row[name] for name in ("peer", "ours", "theirs", "lic", "ratio")] == [
        *("mbt2018-mean", "ours", "3", "2", "1.50"),
    ]
    assert pairs.slower([row]) == "lic is slower in none of these."


def test_quantities_in_which_ours_is_slower_are_named(pairs):
    rows = pairs.ratios(both(ours="4") + both(quantity="training step", size="8x256x256"))
    assert [row["ratio"] for row in rows] == ["0.75 (slower)", "1.50"]
    assert pairs.slower(rows) == "lic is slower in: compress of mbt2018-mean."


def test_unsteady_machines_are_marked(pairs):
    ours, theirs = both()
    (row,) = pairs.ratios([ours, theirs | {"rate_after": "120"}])
    assert row["ratio"] == "1.50 (unsteady)"


def test_only_common_quantities_are_compared_and_the_last_counts(pairs):
    rows = [*both(ours="9"), *both(), result(code="lic 0.1.0", peer="mbt2018-mean", quantity="decompress")]
    assert [row["ratio"] for row in pairs.ratios([*rows, *both(quantity="build")])] == ["1.50"]
