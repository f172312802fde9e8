import json

import pytest

from lic.errors import EvaluationError
from lic.evaluation.run.journal import Journal
from tests.evaluation.run.test_results import row

FACTS = {"images": {"count": 2}, "codecs": {"a": {"settings": "fast"}}}


def test_rows_are_there_again(tmp_path):
    Journal(tmp_path / "run", FACTS).add([row(), row(image="2")])
    journal = Journal(tmp_path / "run", FACTS)
    assert journal.rows == [row(), row(image="2")]
    journal.add([row(image="3")])
    assert len(Journal(tmp_path / "run", FACTS).rows) == 3


def test_a_line_that_was_cut_off_is_left_out_and_the_next_is_whole(tmp_path):
    Journal(tmp_path, FACTS).add([row(), row(image="2")])
    file = tmp_path / "rows.jsonl"
    file.write_text(file.read_text()[:-30])
    Journal(tmp_path, FACTS | {"codecs": {"b": {}}}).add([row(image="3")])
    journal = Journal(tmp_path, FACTS)
    assert journal.rows == [row(), row(image="3")]
    assert journal.facts["codecs"].keys() == {"a", "b"}


def test_codecs_add_up(tmp_path):
    Journal(tmp_path, FACTS).add([row()])
    more = Journal(tmp_path, FACTS | {"codecs": {"b": {}}})
    assert more.facts["codecs"] == {"a": {"settings": "fast"}, "b": {}}
    assert Journal(tmp_path, FACTS).facts["codecs"].keys() == {"a", "b"}


def test_other_images_and_other_codecs_of_a_name_are_refused(tmp_path):
    Journal(tmp_path, FACTS)
    with pytest.raises(EvaluationError, match="another folder"):
        Journal(tmp_path, FACTS | {"images": {"count": 3}})
    with pytest.raises(EvaluationError, match="another codec a"):
        Journal(tmp_path, FACTS | {"codecs": {"a": {"settings": "slow"}}})


def test_a_row_that_stands_twice_counts_once(tmp_path):
    Journal(tmp_path, FACTS).add([row(), row(image="2"), row()])
    assert Journal(tmp_path, FACTS).rows == [row(), row(image="2")]


@pytest.mark.parametrize(
    "line",
    [
        '{"codec": 1}',
        "{}",
        json.dumps(row()._asdict() | {"height": "8"}),
        json.dumps(row()._asdict() | {"bpp": -1}),
        '{"facts": 3}',
        '{"facts": {}}',
        '{"facts": {"images": {}, "codecs": []}}',
        '{"facts": {"images": {}, "codecs": {"a": 3}}}',
    ],
)
def test_a_line_that_was_edited_is_named(tmp_path, line):
    Journal(tmp_path, FACTS).add([row()])
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write("\n" + line)
    with pytest.raises(EvaluationError, match=r"rows.jsonl is damaged .*or write to another folder"):
        Journal(tmp_path, FACTS)


@pytest.mark.parametrize("line", ["[]", "7", "null", "[" * 100_000, '{"codec": NaN}', "\xff"])
def test_a_line_that_is_no_object_is_left_out(tmp_path, line):
    Journal(tmp_path, FACTS).add([row()])
    with (tmp_path / "rows.jsonl").open("ab") as file:
        file.write(b"\n" + line.encode("latin-1"))
    assert Journal(tmp_path, FACTS).rows == [row()]


def test_rows_of_what_nobody_knows_are_refused(tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row()._asdict()))
    with pytest.raises(EvaluationError, match="rows, and not what they measure"):
        Journal(tmp_path, FACTS)
