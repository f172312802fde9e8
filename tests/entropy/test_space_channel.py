import numpy as np
import pytest

from lic.entropy import Estimate, Recorder, SpaceChannel, anchors, non_anchors
from lic.entropy.coders import part_names
from lic.environment import tf
from lic.layers import ChannelMixBlock, Convolution, RWKVBlock
from lic.testing import check_entropy_model
from lic.transforms import ConvHyperTransform


def _model(depth=12, **options):
    hyper = ConvHyperTransform(latent_depth=depth, hyper_width=8, side_depth=4, features=8, outer_width=8)
    return SpaceChannel(depth, hyper, **{"context_width": 8, "parameter_widths": (10,)} | options)


def _depths(entropy):
    return [group.stop - group.start for group in entropy.groups]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(320, [16, 16, 32, 64, 192]), (192, [10, 9, 19, 39, 115]), (12, [1, 1, 3, 7]), (2, [1, 1]), (1, [1])],
)
def test_groups_have_the_papers_shares_and_cover_all_channels(depth, expected):
    assert _depths(_model(depth)) == expected


def test_groups_may_be_given():
    entropy = _model(group_depths=(5, 7))
    assert _depths(entropy) == [5, 7]
    names = ["channels 0-4 anchors", "channels 0-4 non-anchors", "channels 5-11 anchors", "channels 5-11 non-anchors"]
    assert list(part_names(entropy)) == names


def _parameters(entropy, latent, side):
    entropy.walk(recorder := Recorder(Estimate(latent, sides={entropy.hyper: side})))
    distributions = {record.part.name: record.distribution for record in recorder.records}
    return {name: (each.offset.numpy(), each.index.numpy()) for name, each in distributions.items()}


@pytest.mark.parametrize(
    ("changed", "part", "sees"),
    [
        (anchors(), "channels 0-4 non-anchors", True),
        (anchors(), "channels 5-11 anchors", True),
        (non_anchors(), "channels 0-4 non-anchors", False),
        (non_anchors(), "channels 5-11 anchors", True),
    ],
)
def test_a_group_sees_those_before_it_and_its_non_anchors_see_its_anchors(changed, part, sees):
    entropy, side = _model(group_depths=(5, 7)), tf.zeros((1, 1, 2, 4))
    for variable in _built(entropy):
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    latent = tf.random.normal((1, 3, 5, 12), stddev=3.0)
    first = latent[..., :5]
    moved = tf.concat([changed.put(first, changed.take(first) + 7.0), latent[..., 5:]], -1)
    before, after = (_parameters(entropy, values, side)[part] for values in (latent, moved))
    assert any(np.any(one != other) for one, other in zip(before, after, strict=True)) == sees


def _built(entropy):
    entropy(tf.zeros((1, 4, 4, 12)))
    return entropy.trainable_variables


def test_context_of_anchors_starts_at_nothing():
    entropy, side = _model(group_depths=(12,)), tf.zeros((1, 1, 1, 4))
    latent = tf.random.normal((1, 3, 4, 12), stddev=9.0)
    one, other = (_parameters(entropy, values, side)["channels 0-11 non-anchors"] for values in (latent, 2 * latent))
    np.testing.assert_array_equal(one, other)


def test_biases_start_means_and_scales_of_each_group():
    entropy = _model(group_depths=(5, 7))
    _built(entropy)
    assert [bounds for _, *bounds in entropy.scale_biases] == [[0, 5], [5, 12]]
    for layer, start, stop in entropy.scale_biases:
        bias = np.asarray(layer.bias)
        np.testing.assert_array_equal(bias[: stop - start], 0)
        np.testing.assert_allclose(bias[stop - start :], entropy.likelihood.scales.index_of(1.0), rtol=1e-6)


@pytest.mark.parametrize(("parity", "place"), [("odd", (0, 1)), ("even", (0, 0))])
def test_anchors_lie_at_the_parity_that_is_asked_for(parity, place):
    entropy = _model(group_depths=(12,), anchor_parity=parity)
    latent = tf.reshape(tf.range(24.0), (1, 1, 2, 12))
    entropy.walk(recorder := Recorder(Estimate(latent, sides={entropy.hyper: tf.zeros((1, 1, 1, 4))})))
    first = recorder.records[0]
    np.testing.assert_array_equal(first.part.take(latent)[0, 0, 0], latent[0][place])


@pytest.mark.parametrize(("support", "seen"), [("all", [2, 6, 9]), ("first and last", [2, 6, 5])])
def test_context_of_a_group_is_made_of_its_support(support, seen):
    entropy = _model(group_depths=(2, 4, 3, 3), support=support, channel_widths=(7,), channel_kernel_size=5)
    _built(entropy)
    networks = [group.channel_context for group in entropy.groups[1:]]
    assert [network.layers[0].kernel.shape for network in networks] == [(5, 5, depth, 7) for depth in seen]


def test_widths_as_published_are_those_of_the_parameters():
    widths = ((9, 8), (7,))
    entropy = _model(group_depths=(5, 7), context_width=None, parameter_widths=widths, fusion="concatenate")
    _built(entropy)
    assert [group.context.filters for group in entropy.groups] == [10, 14]
    shapes = [[layer.kernel.shape[2:] for layer in group.parameters.layers] for group in entropy.groups]
    assert shapes == [[(10 + 8, 9), (9, 8), (8, 10)], [(14 + 8 + 14, 7), (7, 14)]]


@pytest.mark.parametrize("depths", [(5, 6), (12, 0), (), (13, -1)])
def test_groups_that_do_not_add_up_are_refused(depths):
    with pytest.raises(ValueError, match="group_depths to be .*(latent_depth=12|at least 1).* Received: "):
        _model(group_depths=depths)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"context_size": 4}, "context_size to be odd. Received: 4"),
        ({"support": "last"}, "support to be one of 'all', 'first and last'. Received: support='last'"),
        ({"fusion": "sum"}, "fusion to be one of 'concatenate', 'add'. Received: fusion='sum'"),
        ({"anchor_parity": 0}, "anchor_parity to be one of 'even', 'odd'. Received: anchor_parity=0"),
        ({"parameter_widths": ((8,),)}, "parameter_widths to be one tuple, or 4. Received: "),
    ],
)
def test_options_that_do_not_fit_are_refused(option, expected):
    with pytest.raises(ValueError, match=f"SpaceChannel: expected {expected}"):
        _model(**option)


class _OwnContexts(SpaceChannel):
    def context(self, number, context_width):
        return Convolution(context_width + number, 1)


def test_a_group_may_have_a_context_network_of_its_own():
    entropy = _OwnContexts(12, _model().hyper, group_depths=(2, 4, 6), context_width=8, parameter_widths=(10,))
    entropy(np.zeros((1, 3, 4, 12), np.float32))
    assert [group.channel_context and group.channel_context.filters for group in entropy.groups] == [None, 9, 10]
    assert [group.parameters.layers[0].kernel.shape[2] for group in entropy.groups] == [8, 17, 18]


@pytest.mark.parametrize(
    ("fusion", "quick"),
    [
        ("add", True),
        pytest.param("concatenate", True, marks=pytest.mark.slow),
        pytest.param("add", False, marks=pytest.mark.slow),
    ],
)
def test_contexts_may_have_rwkv_blocks(fusion, quick):
    entropy = _model(group_depths=(5, 7), channel_widths=(6,), rwkv_blocks=2, rwkv_expansion=3, fusion=fusion)
    _built(entropy)
    kinds = [type(layer) for layer in entropy.groups[1].channel_context.layers]
    assert kinds == [Convolution, RWKVBlock, RWKVBlock, Convolution]
    assert entropy.groups[1].channel_context.layers[1].channel_mix.expansion.filters == 18
    assert {type(layer) for layer in entropy.groups[0].parameters.layers} == {ChannelMixBlock}
    for layer, start, stop in entropy.scale_biases:
        expected = entropy.likelihood.scales.index_of(1.0)
        np.testing.assert_allclose(np.asarray(layer.bias)[stop - start :], expected, rtol=1e-6)
    check_entropy_model(entropy, quick=quick)
