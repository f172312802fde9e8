"""A folder of small photographs, and settings for a few steps."""

import functools
import warnings

import pytest
from PIL import Image

from lic.environment import tf
from lic.training.settings import TrainingSettings
from tests.conftest import random_images, tiny_model

few_steps = functools.partial(
    TrainingSettings, steps=6, interval=3, batch=2, crop=64, learning_rate=1e-3, average=0.9, least_scale=0.5
)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """Five photographs, one of them in a folder inside, one grey."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "inside").mkdir()
    for number in range(4):
        save(folder / f"{'inside/' if number == 3 else ''}{number}.png", 96 + 8 * number, 128, seed=number)
    Image.fromarray(random_images(100, 90, 1)[..., 0]).save(folder / "grey.png")
    return folder


@pytest.fixture
def eagerly():
    """Runs a test without tracing: that takes longer than the few steps of tests that are not about the graph."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Even though the `tf.config.experimental_run_functions_eagerly`")
        yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def model():
    return tiny_model("klt", "checkerboard", lmbda=(0.002, 0.01, 0.05))


def save(path, height, width, seed=0):
    """Writes a random photograph."""
    Image.fromarray(random_images(height, width, 3, seed=seed)).save(path)
