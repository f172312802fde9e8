import pytest

from lic.errors import EvaluationError, RegistryError
from lic.evaluation.compare.entries import NOT_KODAK, OTHER_IMAGES, entries_of, find_entry, read_runs
from lic.evaluation.run.results import Results
from tests.evaluation.conftest import DECIBELS, RATES, rows


def test_a_codec_has_its_points_qualities_and_seconds_per_megapixel(results):
    found, notes = entries_of({"run": results})
    assert [each.name for each in found] == ["jpeg", "better", "worse", "single"]
    assert found[0].curve == ("jpeg", RATES, DECIBELS, "made up")
    assert found[0].qualities == (0, 1, 2, 3, 4)
    assert (found[0].encode_seconds, found[0].decode_seconds) == (pytest.approx(1.0), pytest.approx(0.5))
    assert found[3].qualities == (None,)
    assert notes == []


def test_codecs_of_several_runs_have_the_folder_in_their_names(run_folder, results):
    other = run_folder.parent / "again" / "run"
    other.mkdir(parents=True)
    Results(rows("jpeg") + rows("new"), (), results.facts).write(other)
    runs = read_runs([run_folder, other / "eval.json"])
    assert list(runs) == [f"{run_folder.parent.name}/run", "again/run"]
    names = [each.name for each in entries_of(runs)[0]]
    assert names[:2] == [f"jpeg ({run_folder.parent.name}/run)", "better"]
    assert names[-2:] == ["jpeg (again/run)", "new"]


def test_a_run_named_twice_is_an_error(run_folder):
    with pytest.raises(EvaluationError, match="named twice"):
        read_runs([run_folder, run_folder / "eval.json"])


def test_other_images_have_a_note(results):
    others = Results(rows("jpeg"), (), {"images": {"sha256": "1"}})
    assert entries_of({"a": results, "b": others})[1] == [OTHER_IMAGES]
    assert entries_of({"a": results, "b": results})[1] == []


def test_published_curves_rise_and_are_known_by_their_name(results):
    found, notes = entries_of({"run": results}, ["published:vtm", "vtm", "webp"])
    assert [each.name for each in found[4:]] == ["published:vtm", "published:webp"]
    assert all(list(each.curve.bpp) == sorted(each.curve.bpp) for each in found)
    assert [each.published for each in found] == 4 * [False] + 2 * [True]
    assert notes == [NOT_KODAK]


def test_over_kodak_published_curves_need_no_note():
    kodak = [row._replace(image=f"kodim{number:02}.png") for row in rows("jpeg")[::2] for number in range(1, 25)]
    assert entries_of({"run": Results(kodak)}, ["vtm"])[1] == []


def test_published_curves_are_left_out_of_ms_ssim(results):
    found, notes = entries_of({"run": results}, ["vtm"], "ms_ssim_db")
    assert len(found) == 4
    assert found[0].curve.decibels == tuple(each - 16 for each in DECIBELS)
    assert "PSNR only" in notes[0]


def test_a_codec_without_ms_ssim_has_a_note():
    found, notes = entries_of({"run": Results(rows("jpeg", similarity=False))}, measure="ms_ssim_db")
    assert found == []
    assert "no ms_ssim_db for jpeg" in notes[0]


def test_an_unknown_published_curve_is_an_error_with_similar_names(results):
    with pytest.raises(RegistryError, match="Did you mean 'vtm'"):
        entries_of({"run": results}, ["vmt"])


def test_a_name_is_found_in_the_runs_first_and_a_published_curve_by_either_name():
    runs = {"run": Results(rows("webp") + rows("jpeg"))}
    found, _ = entries_of(runs)
    assert find_entry("webp", found) is found[0]
    assert find_entry("published:webp", found).label == "WebP"
    assert find_entry("vtm", found).name == "published:vtm"
    with pytest.raises(RegistryError, match="no codec and no published curve named 'jpg'. Did you mean 'jpeg'"):
        find_entry("jpg", found)


def test_a_name_needs_its_run_only_if_runs_differ():
    same, _ = entries_of({"a": Results(rows("jpeg")), "b": Results(rows("jpeg"))})
    assert find_entry("jpeg", same).name == "jpeg (a)"
    others, _ = entries_of({"a": Results(rows("jpeg")), "b": Results(rows("jpeg", 1.1))})
    assert find_entry("jpeg (b)", others) is others[1]
    with pytest.raises(RegistryError, match=r"Name one of them: 'jpeg \(a\)' or 'jpeg \(b\)'"):
        find_entry("jpeg", others)


def test_seconds_are_over_the_images_that_every_codec_has():
    both = rows("jpeg") + rows("new")
    alone = both[0]._replace(image="alone.png", encode_seconds=1e6, decode_seconds=1e6)
    for seconds in zip(
        *(
            [(each.encode_seconds, each.decode_seconds) for each in entries_of({"run": Results(given)})[0]]
            for given in (both, [*both, alone])
        )
    ):
        assert seconds[0] == seconds[1]
