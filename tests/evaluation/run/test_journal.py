import json
import logging
import warnings

import pytest

from lic.errors import EvaluationError
from lic.evaluation.run.journal import Journal
from lic.evaluation.run.results import Failure
from tests.evaluation.run.test_results import row

FACTS = {"images": {"count": 2}, "codecs": {"a": {"settings": "fast"}}}


def test_rows_are_there_again(tmp_path):
    Journal(tmp_path / "run", FACTS).add([row(), row(image="2")])
    journal = Journal(tmp_path / "run", FACTS)
    assert journal.rows == [row(), row(image="2")]
    journal.add([row(image="3")])
    assert len(Journal(tmp_path / "run", FACTS).rows) == 3


def test_seconds_of_other_machines_are_a_warning(tmp_path):
    facts = FACTS | {"machine": {"cores": 2}, "conventions": {"images_at_once": 1}}
    Journal(tmp_path, facts).add([row()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Journal(tmp_path, facts)
    for changed in ({"machine": {"cores": 4}}, {"conventions": {"images_at_once": 2}}):
        with pytest.warns(UserWarning, match="the seconds of its codecs do not compare"):
            Journal(tmp_path, facts | changed)


def test_failures_are_there_again_until_there_is_a_row(tmp_path):
    failures = [Failure(image, "a", 1.0, "no room") for image in ("1", "2")]
    Journal(tmp_path, FACTS).add([], failures)
    journal = Journal(tmp_path, FACTS)
    assert (journal.rows, journal.failures) == ([], failures)
    journal.add([row("a", "2", 1.0)])
    assert Journal(tmp_path, FACTS).failures == failures[:1]


def test_a_line_that_was_cut_off_is_left_out_with_a_warning_and_the_next_is_whole(tmp_path, caplog):
    Journal(tmp_path, FACTS).add([row(), row(image="2")])
    file = tmp_path / "rows.jsonl"
    file.write_text(file.read_text()[:-30])
    with caplog.at_level(logging.WARNING, "lic"):
        Journal(tmp_path, FACTS | {"codecs": {"b": {}}}).add([row(image="3")])
    assert caplog.messages == [f"{file}: line 4 is cut off or damaged, and counts as missing"]
    journal = Journal(tmp_path, FACTS)
    assert journal.rows == [row(), row(image="3")]
    assert journal.facts["codecs"].keys() == {"a", "b"}


def test_codecs_add_up(tmp_path):
    Journal(tmp_path, FACTS).add([row()])
    more = Journal(tmp_path, FACTS | {"codecs": {"b": {}}})
    assert more.facts["codecs"] == {"a": {"settings": "fast"}, "b": {}}
    assert Journal(tmp_path, FACTS).facts["codecs"].keys() == {"a", "b"}


def images(folder="kodak", count=24, sha256="one"):
    return {"images": {"folder": folder, "count": count, "sha256": sha256}, "codecs": {}}


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (images("clic", 1), "This evaluation is of 1 image in the folder 'clic'."),
        (images(count=23), "This evaluation is of 23 images in the folder 'kodak'."),
        (images(sha256="other"), "of 24 images in the folder 'kodak', whose names or contents differ."),
    ],
)
def test_other_images_are_refused_in_a_sentence(tmp_path, now, sentence):
    Journal(tmp_path, images())
    with pytest.raises(EvaluationError) as refusal:
        Journal(tmp_path, now)
    message = str(refusal.value)
    assert "holds results of other images: 24 images in the folder 'kodak'. " in message
    assert message.endswith(f"{sentence} Write to another folder.")
    assert "{" not in message


def test_another_codec_of_a_name_is_refused_in_a_sentence(tmp_path):
    Journal(tmp_path, images() | {"codecs": {"a": {"settings": "lic", "fingerprint": "01", "lmbda": 0.01}}})
    with pytest.raises(EvaluationError) as refusal:
        Journal(tmp_path, images() | {"codecs": {"a": {"settings": "lic", "fingerprint": "02"}}})
    message = str(refusal.value)
    assert "another codec a: fingerprint 01, lmbda 0.01. The codec to be measured has fingerprint 02. " in message
    assert message.endswith("NAME=PATH.")
    assert "{" not in message


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
