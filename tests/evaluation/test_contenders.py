import pytest

from lic.errors import LicError, RegistryError
from lic.evaluation.contenders import NOT_KODAK, OTHER_IMAGES, contenders, find, read_runs
from lic.evaluation.results import Results
from tests.evaluation.conftest import DECIBELS, RATES, rows


def test_a_codec_has_its_points_qualities_and_seconds_per_megapixel(results):
    found, notes = contenders({"run": results})
    assert [each.name for each in found] == ["jpeg", "better", "worse", "single"]
    assert found[0].curve == ("jpeg", RATES, DECIBELS, "made up")
    assert found[0].qualities == (0, 1, 2, 3, 4)
    assert (found[0].encode_seconds, found[0].decode_seconds) == (pytest.approx(1.0), pytest.approx(0.5))
    assert found[3].qualities == (None,)
    assert notes == []


def test_codecs_of_several_runs_are_told_apart_by_folder(run_folder, results):
    other = run_folder.parent / "again" / "run"
    other.mkdir(parents=True)
    Results(rows("jpeg") + rows("new"), (), results.facts).write(other)
    runs = read_runs([run_folder, other / "eval.json"])
    assert list(runs) == [f"{run_folder.parent.name}/run", "again/run"]
    names = [each.name for each in contenders(runs)[0]]
    assert names[:2] == [f"jpeg ({run_folder.parent.name}/run)", "better"]
    assert names[-2:] == ["jpeg (again/run)", "new"]


def test_a_run_named_twice_is_an_error(run_folder):
    with pytest.raises(LicError, match="named twice"):
        read_runs([run_folder, run_folder / "eval.json"])


def test_other_images_are_told(results):
    others = Results(rows("jpeg"), (), {"images": {"sha256": "1"}})
    assert contenders({"a": results, "b": others})[1] == [OTHER_IMAGES]
    assert contenders({"a": results, "b": results})[1] == []


def test_published_curves_rise_and_are_known_by_their_name(results):
    found, notes = contenders({"run": results}, ["published:vtm", "vtm", "webp"])
    assert [each.name for each in found[4:]] == ["published:vtm", "published:webp"]
    assert all(list(each.curve.bpp) == sorted(each.curve.bpp) for each in found)
    assert [each.published for each in found] == 4 * [False] + 2 * [True]
    assert notes == [NOT_KODAK]


def test_over_kodak_published_curves_need_no_note():
    kodak = [row._replace(image=f"kodim{number:02}.png") for row in rows("jpeg")[::2] for number in range(1, 25)]
    assert contenders({"run": Results(kodak)}, ["vtm"])[1] == []


def test_published_curves_are_left_out_of_ms_ssim(results):
    found, notes = contenders({"run": results}, ["vtm"], "ms_ssim_db")
    assert len(found) == 4
    assert found[0].curve.decibels == tuple(each - 16 for each in DECIBELS)
    assert "PSNR only" in notes[0]


def test_a_codec_without_ms_ssim_is_told():
    found, notes = contenders({"run": Results(rows("jpeg", similarity=False))}, measure="ms_ssim_db")
    assert found == []
    assert "no ms_ssim_db for jpeg" in notes[0]


def test_unknown_published_curve_has_near_names(results):
    with pytest.raises(RegistryError, match="Did you mean 'vtm'"):
        contenders({"run": results}, ["vmt"])


def test_find_prefers_the_runs_and_takes_published_curves_by_either_name():
    runs = {"run": Results(rows("webp") + rows("jpeg"))}
    found, _ = contenders(runs)
    assert find("webp", found) is found[0]
    assert find("published:webp", found).label == "WebP"
    assert find("vtm", found).name == "published:vtm"
    with pytest.raises(RegistryError, match="no codec and no published curve named 'jpg'. Did you mean 'jpeg'"):
        find("jpg", found)


def test_find_wants_the_run_only_where_runs_differ():
    same, _ = contenders({"a": Results(rows("jpeg")), "b": Results(rows("jpeg"))})
    assert find("jpeg", same).name == "jpeg (a)"
    others, _ = contenders({"a": Results(rows("jpeg")), "b": Results(rows("jpeg", 1.1))})
    assert find("jpeg (b)", others) is others[1]
    with pytest.raises(RegistryError, match=r"Say which: 'jpeg \(a\)' or 'jpeg \(b\)'"):
        find("jpeg", others)
