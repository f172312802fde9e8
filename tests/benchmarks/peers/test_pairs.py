import pytest

from tests.benchmarks.conftest import result

# As CompressAI 1.2.8 counts them at quality 4. For each channel its learnt prior has 33 parameters more than ours, and
# its hyper analysis, which ours ends without a bias, one.
PARAMETERS = {"bmshj2018-factorized": 2_998_147, "bmshj2018-hyperprior": 5_075_843, "mbt2018-mean": 7_028_003}
IN_PRIOR, IN_HYPER_ANALYSIS = 33, 1


@pytest.fixture
def pairs(load):
    return load("peers.pairs")


def both(peer="mbt2018-mean", quantity="compress", ours="2", theirs="3", **changes):
    common = {"peer": peer, "quantity": quantity} | changes
    return [
        result(code="lic 0.1.0", model="ours", median=ours, **common),
        result(code="CompressAI 1.2.8", model=peer, median=theirs, **common),
    ]


@pytest.mark.parametrize("peer", PARAMETERS)
def test_equals_have_the_parameters_of_compressai_but_for_those_known(pairs, load, peer):
    from lic.environment import tf

    pair = pairs.pair_of(peer)
    model = load("tasks").Task(pair.model, 64, 64, sizes=pair.sizes).make_model()
    ours = sum(int(tf.size(each)) for each in model.trainable_variables)
    assert pair.equal
    more = IN_PRIOR + (IN_HYPER_ANALYSIS if model.entropy.hyper else 0)
    assert ours + more * model.entropy.prior.channels == PARAMETERS[peer]


def test_the_nearest_model_is_named_if_there_is_no_equal(pairs):
    (row,) = pairs.ratios(both("cheng2020-anchor"))
    assert row["ours"] == "no equal; nearest: ours"
    assert [pair.peer for pair in pairs.PAIRS if not pair.equal] == ["cheng2020-anchor"]


def test_a_ratio_is_theirs_over_ours(pairs):
    (row,) = pairs.ratios(both())
    assert [row[name] for name in ("peer", "ours", "CompressAI", "lic", "ratio")] == [
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
