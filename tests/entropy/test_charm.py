import numpy as np
import pytest

from lic.entropy import ChARM, Estimate, Recorder
from lic.layers import Convolution
from lic.testing.entropy_laws import (
    configuration_and_weights_make_it_anew,
    estimating_encoding_and_decoding_are_equal_to_the_bit,
    gradients_reach_every_variable,
    no_part_depends_on_a_later_one,
    trial_of_entropy_model,
)
from lic.transforms import ConvHyperTransform
from tests.conftest import tiny_model


def _hyper():
    return ConvHyperTransform(latent_depth=12, hyper_width=8, side_depth=4, features=8, outer_width=8)


def _slice_depths(entropy):
    return [networks.part[1] - networks.part[0] for networks in entropy.slices]


@pytest.mark.parametrize(("depth", "count"), [(12, 1), (12, 5), (12, 12), (320, 10), (192, 10)])
def test_slices_cover_the_channels_evenly(depth, count):
    depths = _slice_depths(ChARM(depth, _hyper(), num_slices=count))
    assert sum(depths) == depth
    assert len(depths) == count
    assert max(depths) - min(depths) <= 1


@pytest.mark.parametrize(("max_support", "seen"), [(None, [0, 1, 2, 3]), (2, [0, 1, 2, 2]), (0, [0, 0, 0, 0])])
def test_support_is_limited_to_the_first_slices(max_support, seen):
    entropy = ChARM(12, _hyper(), num_slices=4, max_support=max_support, slice_widths=(4, 4))
    entropy(np.zeros((1, 4, 4, 12), np.float32))
    inputs = [networks.mean.layers[0].kernel.shape[2] for networks in entropy.slices]
    assert inputs == [8 + 3 * number for number in seen]


def test_widths_may_differ_from_slice_to_slice():
    entropy = ChARM(12, _hyper(), num_slices=2, slice_widths=((4, 5), (6, 7)))
    entropy(np.zeros((1, 4, 4, 12), np.float32))
    assert [[layer.filters for layer in networks.mean.layers] for networks in entropy.slices] == [[4, 5, 6], [6, 7, 6]]


def test_residual_prediction_is_switched_in_or_left_out():
    latent = np.random.default_rng(0).normal(size=(1, 4, 4, 12)).astype(np.float32)
    for residual in (False, True):
        entropy = ChARM(12, _hyper(), num_slices=2, slice_widths=(4, 4), residual=residual)
        y_hat = entropy.walk(recorder := Recorder(Estimate(latent)))
        changed = np.abs(y_hat - np.concatenate([record.values for record in recorder.records], -1)).max()
        assert (changed > 0) == residual
        assert changed <= 0.5


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="num_slices.*13"):
        ChARM(12, _hyper(), num_slices=13)
    with pytest.raises(ValueError, match="slice_widths"):
        ChARM(12, _hyper(), num_slices=3, slice_widths=((4, 4), (4, 4)))
    with pytest.raises(ValueError, match="max_support.*-1"):
        ChARM(12, _hyper(), max_support=-1)
    for widths in ((), (16,), (16, 16, 16)):
        with pytest.raises(ValueError, match="expected slice_widths to be 2 widths, one fewer than kernel_sizes"):
            ChARM(12, _hyper(), num_slices=3, slice_widths=widths)


@pytest.mark.parametrize(("support", "features"), [("own", 12), ("own", 25), ("halves", 23)])
def test_features_that_cannot_be_shared_out_are_refused(support, features):
    hyper = ConvHyperTransform(12, hyper_width=8, side_depth=4, features=features)
    with pytest.raises(ValueError, match=f"expected the hyper transform's features to be of .*{support}.*: {features}"):
        ChARM(12, hyper, num_slices=3, feature_support=support)


def test_depths_that_slices_do_not_divide_make_a_model():
    model = tiny_model("conv", "charm", latent_depth=11, num_slices=4)
    assert _slice_depths(model.entropy) == [2, 3, 3, 3]


def test_slices_may_differ_in_depth():
    model = tiny_model("conv", "charm", slice_depths=(1, 4, 7), num_slices=10)
    assert _slice_depths(model.entropy) == [1, 4, 7]
    with pytest.raises(ValueError, match=r"slice_depths.*add up to latent_depth=12.*\(5, 6\)"):
        ChARM(12, _hyper(), slice_depths=(5, 6))


class _SeesThroughContexts(ChARM):
    """Each slice sees its support through a layer of its own, but for the layer that all slices share."""

    def context(self, number, first):
        if first:
            return Convolution(4, 3, activation="relu")
        if number == 0:
            self.shared = Convolution(8 + number, 1)
        return self.shared if number == 0 else None


def test_a_slice_may_see_its_support_through_a_layer():
    entropy = _SeesThroughContexts(12, _hyper(), num_slices=3, slice_widths=(4,), kernel_sizes=(3, 3), residual=True)
    entropy(np.zeros((1, 4, 4, 12), np.float32))
    assert [networks.mean.layers[0].kernel.shape[2] for networks in entropy.slices] == [4, 4, 4]
    assert [networks.residual.network.layers[0].kernel.shape[2] for networks in entropy.slices] == [8, 8, 8]
    assert [networks.index.layers[0].kernel.shape[2] for networks in entropy.slices] == [8, 12, 16]
    trial_of_entropy_model(entropy).check(
        estimating_encoding_and_decoding_are_equal_to_the_bit,
        no_part_depends_on_a_later_one,
        gradients_reach_every_variable,
        configuration_and_weights_make_it_anew,
    )
