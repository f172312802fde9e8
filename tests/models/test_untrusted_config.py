import pytest

from lic.environment import tf
from lic.errors import CheckpointError, RegistryError
from lic.models.untrusted_config import described_by_file
from tests.conftest import tiny_model


@pytest.mark.parametrize(
    "error",
    [
        KeyError("depth"),
        TypeError("no list"),
        ValueError("negative"),
        AttributeError("no name"),
        tf.errors.InvalidArgumentError(None, None, "of TensorFlow"),
    ],
)
def test_any_failure_is_a_checkpoint_error(error):
    message = rf"describes no model \({type(error).__name__}: .*Get the file anew"
    with pytest.raises(CheckpointError, match=message), described_by_file(1):
        raise error


def test_a_part_that_is_not_registered_stays_that_error():
    with pytest.raises(RegistryError, match="nothing of that name"), described_by_file(1):
        raise RegistryError("nothing of that name")


def test_a_weight_of_more_numbers_than_the_file_has_is_refused():
    with pytest.raises(CheckpointError, match="more than the 10 numbers that there are"), described_by_file(10):
        tiny_model("klt", "factorized")
    with described_by_file(10**6):
        tiny_model("klt", "factorized")
