"""The table of docs/images.md, and each file of it against a formula."""

import functools

import numpy as np

from tests.images import table


@functools.cache
def all_cases():
    return list(table.cases())


def test_each_file_is_right_or_refused():
    wrong = []
    for case in all_cases():
        words, image = table.outcome(case)
        name = (case.format, case.depth, case.transparency, case.colours, words)
        if case.expected is None:
            wrong += [name] * (image is not None)
            continue
        expected = np.asarray(case.expected, np.float64)
        if image is None or image.dtype != np.uint8:
            wrong.append(name)
            continue
        found = image[..., None] if image.ndim < expected.ndim else image
        if image.shape[:2] != expected.shape[:2] or np.abs(found - expected).max() > case.tolerance:
            wrong.append(name)
    assert not wrong


def test_page_holds_the_table():
    text = table.PAGE.read_text()
    assert table.page(text) == text, "docs/images.md is not what python -m tests.images.table writes"
