import numpy as np
import pytest

from lic.environment import tf
from lic.errors import CheckpointError, RegistryError
from lic.models.untrusted_config import described_by_file
from lic.weights import get_tensors
from tests.conftest import tiny_model

ONE = {"weight": np.zeros(100_000, np.int8)}


@pytest.mark.parametrize(
    "error",
    [
        KeyError("depth"),
        TypeError("no list"),
        ValueError("negative"),
        AttributeError("no name"),
        tf.errors.InvalidArgumentError(None, None, "of TensorFlow"),
        MemoryError("too much"),
    ],
)
def test_any_failure_is_a_checkpoint_error(error):
    message = rf"describes no model \({type(error).__name__}: .*Get the file anew"
    with pytest.raises(CheckpointError, match=message), described_by_file({}, ONE):
        raise error


def test_a_part_that_is_not_registered_stays_that_error():
    with pytest.raises(RegistryError, match="nothing of that name"), described_by_file({}, ONE):
        raise RegistryError("nothing of that name")


def test_a_weight_of_more_numbers_than_the_file_has_is_refused():
    model = tiny_model("klt", "factorized")
    config, weights = model.configuration(), get_tensors(model)
    with described_by_file(config, weights):
        tiny_model("klt", "factorized")
    few = {name: weight.ravel()[:2] for name, weight in weights.items()}
    with pytest.raises(CheckpointError, match="numbers and .* weights that are left"), described_by_file(config, few):
        tiny_model("klt", "factorized")
    with pytest.raises(CheckpointError, match="and 0 weights that are left"), described_by_file(config, ONE):
        tiny_model("klt", "factorized")


@pytest.mark.parametrize("number", [10**6, -(10**9), 1e300, float("nan"), float("inf")])
def test_a_number_that_no_part_can_have_is_refused(number):
    for config in ({"width": number}, {"parts": [{"config": {"scales": [number, 0.1]}}]}):
        with pytest.raises(CheckpointError, match="holds the number"), described_by_file(config, ONE):
            pass


def test_parts_inside_parts_inside_parts_are_refused():
    config = []
    for _ in range(1000):
        config = [config]
    with pytest.raises(CheckpointError, match="deep"), described_by_file(config, ONE):
        pass
