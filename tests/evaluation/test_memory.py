"""Peak memory."""

import numpy as np

from lic.evaluation import memory
from lic.evaluation.memory import peak_memory, reset_peak_memory

MEGABYTES = 96 << 20


def test_the_peak_is_of_what_came_since_the_reset():
    reset_peak_memory()
    before = peak_memory()
    np.ones(MEGABYTES, np.uint8).sum()
    with_array = peak_memory()
    reset_peak_memory()
    assert with_array - before > 0.8 * MEGABYTES
    assert with_array - peak_memory() > 0.8 * MEGABYTES


def test_a_system_that_tells_nothing_has_none(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", tmp_path)
    reset_peak_memory()
    assert peak_memory() is None
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert peak_memory() is None
