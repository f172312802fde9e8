import pytest

from lic.environment import tf
from lic.transforms import SwinHyperTransform

SIZES = {"latent_depth": 20, "hyper_width": 8, "side_depth": 12, "hyper_window": 4, "head_dim": 4}


def widths_and_windows(stages):
    return [(block.width, block.window) for stage in stages.stages for block in stage.blocks]


def test_depths_are_those_of_the_stages_next_to_the_latent_and_of_the_other():
    hyper = SwinHyperTransform(**SIZES, hyper_depths=(3, 1))
    assert widths_and_windows(hyper.analysis.layers[-1]) == [(8, 4)] * 3 + [(12, 4)]
    assert widths_and_windows(hyper.synthesis) == [(12, 4)] + [(8, 4)] * 3


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (16, 8)])
def test_features_are_twice_as_deep_as_the_latent(size):
    hyper = SwinHyperTransform(**SIZES, hyper_depths=(1, 1))
    side = hyper.analysis(tf.random.normal((2, *size, 20)))
    assert side.shape == (2, -(-size[0] // 4), -(-size[1] // 4), 12)
    assert hyper.features == hyper.synthesis(side).shape[-1] == 40


def test_features_may_be_fewer():
    assert SwinHyperTransform(**SIZES, features=16, hyper_depths=(1, 1)).features == 16


def test_wrong_widths_are_refused():
    with pytest.raises(ValueError, match="multiple of head_dim. Received: width=10"):
        SwinHyperTransform(20, 10, 12, head_dim=4)
