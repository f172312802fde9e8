import threading

import pytest

from lic.environment import tf
from lic.layers.substitutes import Substitutable, substituted


class Doubled(Substitutable):
    def compute(self, values):
        return 2 * values


def _called(layer):
    return float(layer.call(tf.constant(3.0)))


def test_a_substitute_takes_the_place_of_one_layer_within():
    layer, other = Doubled(), Doubled()
    with substituted({id(layer): tf.negative}):
        assert (_called(layer), _called(other)) == (-3, 6)
    assert _called(layer) == 6


def test_the_inner_one_counts_and_the_outer_one_comes_back():
    layer = Doubled()
    with substituted({id(layer): tf.negative}):
        with substituted({}):
            assert _called(layer) == 6
        assert _called(layer) == -3


def test_it_ends_with_an_error_too():
    layer = Doubled()
    with pytest.raises(RuntimeError), substituted({id(layer): tf.negative}):
        raise RuntimeError
    assert _called(layer) == 6


def test_other_threads_keep_their_layers():
    layer, found = Doubled(), []
    with substituted({id(layer): tf.negative}):
        thread = threading.Thread(target=lambda: found.append(_called(layer)))
        thread.start()
        thread.join()
    assert found == [6]
