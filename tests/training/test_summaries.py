"""What TensorBoard is given."""

import numpy as np
import pytest

import lic
from lic.environment import tf
from lic.training.summaries import Summaries
from tests.conftest import random_images, tiny_model


@pytest.fixture
def events(tmp_path):
    """Tag -> steps, of six steps of training with scalars each two."""
    model = tiny_model("klt", "factorized")
    model.compile(lic.Adam(), seed=0)
    images = random_images(2, 32, 48, 3)
    summaries = Summaries(tmp_path, images[:1], every=2)
    data = tf.data.Dataset.from_tensors(images.astype(np.float32)).repeat(6)
    model.fit(data, verbose=0, callbacks=[summaries])
    found = {}
    for file in tmp_path.glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value
    return found


def test_scalars_at_their_steps(events):
    for name in ("loss", "bpp", "mse", "psnr"):
        assert sorted(events[name]) == [2, 4, 6]


def test_originals_lie_beside_reconstructions(events):
    value = events["original and decoded"][6]
    width, height, png = value.tensor.string_val[:3]
    assert (width, height) == (b"96", b"32")
    decoded = tf.io.decode_png(png).numpy()
    assert np.array_equal(decoded[:, :48], random_images(2, 32, 48, 3)[0])
