import numpy as np
import pytest

import lic
from lic.entropy import EVERYTHING, Decode, Encode, Estimate, Recorder
from lic.entropy.coders import part_names
from lic.environment import tf
from tests.conftest import ENTROPY_MODELS, tiny_model

COUNTS = {
    "autoregressive": 1,
    "charm": 5,
    "checkerboard": 2,
    "dual": 2,
    "factorized": 1,
    "hierarchical": 11,
    "hyperprior": 1,
    "multi-reference": 4,
    "parametric": 1,
    "quadtree": 4,
    "space-channel": 6,
}


def test_every_registered_name_is_tested_here():
    assert lic.list_entropy_models() == ENTROPY_MODELS


@pytest.mark.parametrize("name", ENTROPY_MODELS)
def test_parts_are_counted_without_the_side_information(name):
    model = tiny_model("conv", name)
    names = part_names(model.entropy)
    assert len(names) == COUNTS[name]
    assert "side" not in names
    bits = model(np.zeros((1, 32, 32, 3), np.float32)).bits
    assert [part for part in bits if part != "side"] == list(names)


@pytest.mark.parametrize("name", ENTROPY_MODELS)
def test_it_records_every_part_around_any_coder(name):
    entropy = tiny_model("conv", name).entropy
    latent = tf.random.normal((1, 3, 5, entropy.latent_depth), stddev=9.0)
    entropy(latent)
    tables = entropy.make_tables()
    y_hat = entropy.walk(encoding := Recorder(Encode(latent, tables)))
    string = encoding.coder.finish().string
    for recorder in (Recorder(Estimate(latent)), Recorder(Decode(string, tf.zeros_like(latent), tables))):
        np.testing.assert_array_equal(entropy.walk(recorder), y_hat)
        assert len(recorder.records) == len(encoding.records)
        assert tuple(dict.fromkeys(record.part.name for record in recorder.records)) == part_names(entropy)
        for one, other in zip(recorder.records, encoding.records):
            assert one.part.name == other.part.name
            np.testing.assert_array_equal(one.values, other.values)
            np.testing.assert_array_equal(one.distribution.coded_by(), other.distribution.coded_by())
        if entropy.hyper:
            np.testing.assert_array_equal(recorder.z_hat, encoding.z_hat)
            np.testing.assert_array_equal(recorder.z_hat, recorder.coder.z_hat)


def test_it_may_replace_distributions():
    latent = tf.random.normal((1, 2, 3, 4))
    normal = lic.entropy.Normal()
    other = normal.of(tf.zeros_like(latent), tf.fill(latent.shape, 50.0))
    recorder = Recorder(estimate := Estimate(latent), lambda part, distribution: other)
    recorder.code(EVERYTHING, normal.of(tf.zeros_like(latent), tf.zeros_like(latent)))
    assert recorder.records[0].distribution is other
    plain = Estimate(latent)
    plain.code(EVERYTHING, other)
    np.testing.assert_array_equal(estimate.bits["latent"], plain.bits["latent"])


def test_the_steps_of_a_serial_order_are_one_record_in_a_graph():
    entropy = tiny_model("klt", "autoregressive").entropy

    def record(latent):
        entropy.walk(recorder := Recorder(Estimate(latent)))
        ((part, distribution, values, _),) = recorder.records
        return part.put(tf.zeros_like(latent), values), distribution.offset

    latent = tf.random.normal((1, 3, 5, entropy.latent_depth), stddev=9.0)
    y_hat, offset = tf.function(record, autograph=False)(latent)
    np.testing.assert_array_equal(y_hat, entropy.walk(eager := Recorder(Estimate(latent))))
    offsets = tf.zeros_like(latent)
    for part, distribution, *_ in eager.records:
        offsets = part.put(offsets, distribution.offset)
    np.testing.assert_allclose(offset, offsets, atol=1e-5)
