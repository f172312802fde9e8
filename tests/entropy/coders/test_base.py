import numpy as np
import pytest

import lic
from lic.entropy import (
    EVERYTHING,
    CdfTables,
    Decode,
    Encode,
    Estimate,
    FactorizedPrior,
    Normal,
    Recorder,
    anchors,
    channels,
    non_anchors,
    wavefronts,
)
from lic.environment import tf
from lic.transforms import ConvHyperTransform
from tests.conftest import tiny_model

LATENT = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32) * 3


@pytest.mark.parametrize("shape", [(1, 1, 1, 5), (2, 3, 4, 1), (2, 3, 1, 5), (2, 3, 4, 6), (2, 4, 3, 5)])
@pytest.mark.parametrize("which", ["mean", "index", "both"])
def test_parameters_of_another_shape_than_the_part_are_refused_at_the_first_call(shape, which):
    mean = tf.zeros(LATENT.shape if which == "index" else shape)
    index = tf.zeros(LATENT.shape if which == "mean" else shape)
    with pytest.raises(ValueError, match="the part 'latent'.*" + str(shape[0])):
        Estimate(LATENT).code(EVERYTHING, Normal().of(mean, index))


def test_the_message_names_the_part_and_both_shapes():
    with pytest.raises(ValueError, match=r"'channels 1-3' has the shape \(2, 3, 4, 1\), expected .*\(2, 3, 4, 3\)"):
        Estimate(LATENT).code(channels(1, 4), Normal()(tf.zeros((2, 3, 4, 2))))


def test_a_prior_of_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match="'latent' has the shape"):
        Estimate(LATENT).code(EVERYTHING, FactorizedPrior(4))


def walk_on_more(coder):
    """Codes a further latent by two parts, twice, and then the latent."""
    for prior, hyper in zip(PRIORS, HYPERS):
        more = coder.latent("more", hyper)
        first = more.code(anchors(), prior)
        second = more.code(non_anchors(), prior)
        z_hat = non_anchors().put(anchors().put(more.zeros, first), second)
    return coder.code(EVERYTHING, Normal().of(coder.zeros + tf.reduce_mean(z_hat), coder.zeros + 20))


HYPERS = [ConvHyperTransform(5, 8, 4) for _ in range(2)]
PRIORS = [FactorizedPrior(4) for _ in range(2)]


def test_further_latents_share_the_stream_and_have_keys_of_their_own():
    latent = tf.constant(LATENT[:1])
    tables = CdfTables.make({"a": Normal(), "b": PRIORS[0], "c": PRIORS[1]})
    estimate, encode = Estimate(latent), Encode(latent, tables)
    expected = walk_on_more(estimate)
    assert list(estimate.bits) == ["more/anchors", "more/non-anchors", "more 2/anchors", "more 2/non-anchors", "latent"]
    np.testing.assert_array_equal(walk_on_more(encode), expected)
    decode = Decode(encode.finish().string, tf.zeros_like(latent), tables)
    np.testing.assert_array_equal(walk_on_more(decode), expected)
    assert decode.z_hat is None  # It is set by `coder.side` only.
    recorder = Recorder(Estimate(latent))
    walk_on_more(recorder)
    assert [record.part.name for record in recorder.further] == list(estimate.bits)[:-1]
    assert [record.part.name for record in recorder.records] == ["latent"]


def test_a_further_latent_has_a_name_and_no_loop_around_it():
    with pytest.raises(ValueError, match=r"coder.latent: expected name to be the key of its bits"):
        Estimate(LATENT).latent("", HYPERS[0])
    with pytest.raises(lic.LicError, match="a call in the walk itself"):
        coder = Estimate(LATENT)
        tf.function(lambda: coder.latent("more", HYPERS[0]).zeros)()


def test_parameters_in_place_of_a_distribution_are_refused():
    with pytest.raises(ValueError, match=r"expected a lic.Distribution for the part 'latent'.*self.likelihood"):
        Estimate(LATENT).code(EVERYTHING, tf.zeros((2, 3, 4, 10)))


def test_means_and_indexes_apart_are_coded_as_together():
    mean, index = tf.fill(LATENT.shape, 0.3), tf.fill(LATENT.shape, 20.0)
    one, other = Estimate(LATENT), Estimate(LATENT)
    np.testing.assert_array_equal(
        one.code(EVERYTHING, Normal().of(mean, index)),
        other.code(EVERYTHING, Normal()(tf.concat([mean, index], -1))),
    )
    np.testing.assert_array_equal(one.bits["latent"], other.bits["latent"])


@pytest.mark.parametrize("part", [EVERYTHING, channels(1, 4), anchors()], ids=lambda part: part.name)
def test_shapes_are_checked_in_graphs_of_any_size(part):
    def code(latent):
        wrong = tf.concat([part.take(latent)] * 2, -1)
        return Estimate(latent).code(part, Normal()(tf.concat([wrong, wrong], -1)))

    with pytest.raises(ValueError, match=part.name):
        tf.function(code, [tf.TensorSpec((1, None, None, 5))], autograph=False).get_concrete_function()


def test_a_likelihood_that_the_tables_do_not_have_is_named():
    model = tiny_model("conv", "hyperprior", likelihood="laplace")
    entropy, latent = model.entropy, tf.zeros((1, 2, 2, 12))
    entropy(latent)
    for coder in (Encode(latent, entropy.make_tables()), Decode(tf.constant(b""), latent, entropy.make_tables())):
        with pytest.raises(
            lic.LicError, match="'latent' is coded under .*Normal.*which the coder's tables do not have"
        ):
            coder.code(EVERYTHING, Normal().of(latent, latent))


HYPER = ConvHyperTransform(5, 4, 4, features=5)


def _in_a_loop(coder):
    return tf.while_loop(lambda count, _: count < 2, lambda count, _: (count + 1, _coded(coder)), (0, coder.zeros))


def _coded(coder):
    return coder.code(EVERYTHING, Normal().of(coder.zeros, coder.zeros))


@pytest.mark.parametrize(
    "walk",
    [
        _in_a_loop,
        lambda coder: tf.cond(tf.reduce_sum(coder.zeros) < 1, lambda: _coded(coder), lambda: coder.zeros),
        lambda coder: tf.function(lambda: _coded(coder), autograph=False)(),
        lambda coder: tf.cond(
            tf.reduce_sum(coder.zeros) < 1,
            lambda: coder.side(HYPER, FactorizedPrior(4)),
            lambda: coder.zeros,
        ),
    ],
    ids=["while_loop", "cond", "function", "side"],
)
def test_a_call_in_an_inner_graph_is_refused(walk):
    with pytest.raises(lic.LicError, match="inner graph of TensorFlow, such as the body of tf.while_loop"):
        tf.function(lambda: walk(Estimate(LATENT)), autograph=False)()


@pytest.mark.parametrize("code", [lambda coder: _coded(coder), lambda coder: coder.latent("more", HYPER)])
@pytest.mark.parametrize("traced", [False, True])
def test_a_step_of_serial_codes_nothing_itself(code, traced):
    def walk():
        coder = Estimate(LATENT)

        def step(known, part):
            code(coder)
            return Normal()(tf.concat([part.take(known)] * 2, -1))

        return coder.serial(wavefronts(3), step)

    with pytest.raises(lic.LicError, match="or in a step of coder.serial"):
        tf.function(walk, autograph=False)() if traced else walk()


def test_given_side_information_is_that_of_its_hyper_transform():
    coder = Estimate(LATENT, sides={HYPERS[1]: tf.fill((2, 1, 1, 4), 2.0)})
    coder.side(HYPERS[0], PRIORS[0])
    np.testing.assert_array_equal(coder.z_hat, tf.round(HYPERS[0].analysis(LATENT)))
    coder.side(HYPERS[1], PRIORS[1])
    np.testing.assert_array_equal(coder.z_hat, np.full((2, 1, 1, 4), 2.0, np.float32))
