import numpy as np
import pytest

from lic.entropy.range_coding.pieces import Pieces
from lic.environment import tf


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("turns", [0, 3])
def test_pieces_of_a_loop_stand_between_those_before_and_after(traced, turns):
    def run(turns):
        pieces = Pieces(tf.int32)
        pieces.add([[9, 8]])

        def body(number, array):
            pieces.array = array
            pieces.add(tf.range(number))
            return number + 1, pieces.array

        pieces.begin_loop()
        _, pieces.array = tf.while_loop(lambda number, _: number < turns, body, (0, pieces.array))
        pieces.end_loop()
        pieces.add(7)
        return pieces.joined()

    run = tf.function(run, autograph=False) if traced else run
    np.testing.assert_array_equal(run(tf.constant(turns)), [9, 8, *([0, 0, 1] if turns else []), 7])
