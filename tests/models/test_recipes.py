import numpy as np
import pytest

import lic
from lic import registry
from lic.models.tensors import get_tensors


@pytest.mark.parametrize("name", lic.list_models())
def test_stated_number_of_parameters_is_true(name):
    model = lic.create_model(name)
    model(np.zeros((1, 64, 64, 3), np.float32))
    recipe = registry.models.get(name)()
    assert sum(array.size for array in get_tensors(model).values()) == recipe.parameters
    assert recipe.paper
    assert recipe.licence
