"""Crops of photographs: the same for the same seed, all photographs used, broken and small ones named."""

import hashlib
import logging
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from lic.errors import TrainingError
from lic.training.data import Photographs
from tests.conftest import DATA, random_images
from tests.training.conftest import save


def listed(photographs):
    return [name for name, _ in photographs.listing]


@pytest.fixture
def flat(tmp_path):
    """Ten photographs, each of one grey level that is ten times its number."""
    for number in range(10):
        Image.new("RGB", (40, 48), (10 * number,) * 3).save(tmp_path / f"{number}.png")
    return tmp_path


def test_batches_have_the_shape_that_is_asked_for(photographs):
    batch = Photographs(photographs, 32, 3).batch_at(0)
    assert batch.shape == (3, 32, 32, 3)
    assert batch.dtype == np.uint8


def test_folders_inside_are_searched_and_grey_photographs_taken(photographs):
    assert listed(Photographs(photographs, 32)) == ["0.png", "1.png", "2.png", "grey.png", "inside/3.png"]


def test_crops_are_parts_of_a_photograph(tmp_path):
    save(tmp_path / "one.png", 70, 90)
    pixels = np.asarray(Image.open(tmp_path / "one.png"))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (32, 32), (0, 1)).transpose(0, 1, 3, 4, 2)
    for crop in Photographs(tmp_path, 32, 6, flips=False).batch_at(3):
        assert (windows == crop).all((2, 3, 4)).any()


def test_flips_mirror_and_turn(tmp_path):
    save(tmp_path / "one.png", 32, 32)
    pixels = np.asarray(Image.open(tmp_path / "one.png"))
    wanted = [pixels, pixels[:, ::-1], pixels.transpose(1, 0, 2), pixels[:, ::-1].transpose(1, 0, 2)]
    crops = Photographs(tmp_path, 32, 40).batch_at(0)
    seen = [[np.array_equal(crop, each) for each in wanted] for crop in crops]
    assert np.sum(seen, 1).tolist() == [1] * 40
    assert np.sum(seen, 0).min() >= 3


def test_reduced_crops_show_more_of_the_photograph(tmp_path):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    spans = np.ptp(Photographs(tmp_path, 64, 64, least_scale=0.5, flips=False).batch_at(0)[..., 0], (1, 2))
    assert 63 <= spans.min() < 80
    assert 110 < spans.max() <= 128


def test_same_seed_gives_the_same_batches_in_any_order(photographs):
    first, again = (Photographs(photographs, 32, 4, seed=5, least_scale=0.5) for _ in range(2))
    ahead = [again.batch_at(step) for step in (2, 1, 0)]
    for step in range(3):
        assert np.array_equal(first.batch_at(step), ahead[2 - step])


def test_another_seed_gives_other_batches(photographs):
    first, other = (Photographs(photographs, 32, 4, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.batch_at(0), other.batch_at(0))


def test_each_step_trims_its_crops_to_a_size_of_its_own(photographs):
    whole, trimmed = Photographs(photographs, 32, 2), Photographs(photographs, 32, 2, trim=15)
    sizes = set()
    for step in range(60):
        batch = trimmed.batch_at(step)
        height, width = batch.shape[1:3]
        assert np.array_equal(batch, whole.batch_at(step)[:, :height, :width])
        sizes.add((height, width))
    assert len(sizes) > 40
    for counts in zip(*sizes):
        assert (min(counts), max(counts)) == (17, 32)
    for step, batch in enumerate(trimmed.dataset(5, 8), 5):
        assert np.array_equal(batch, trimmed.batch_at(step))
    assert np.array_equal(next(iter(trimmed.dataset(9, parts=range(1, 2), of=2))), trimmed.batch_at(9)[1:])


def test_sharpened_crops_have_more_of_the_difference_to_their_means(photographs):
    plain, sharpened = (Photographs(photographs, 32, 12, sharpen=most).batch_at(0) for most in (0.0, 0.8))
    shares = []
    for before, after in zip(plain.astype(float), sharpened.astype(float)):
        around = np.pad(before, ((1, 1), (1, 1), (0, 0)), "edge")
        detail = before - np.lib.stride_tricks.sliding_window_view(around, (3, 3), (0, 1)).mean((3, 4))
        inside = (after > 0) & (after < 255)
        shares.append(np.vdot((after - before)[inside], detail[inside]) / np.vdot(detail[inside], detail[inside]))
        np.testing.assert_allclose(after, np.clip(before + shares[-1] * detail, 0, 255), atol=1)
    assert 0 <= min(shares) < 0.25
    assert 0.55 < max(shares) <= 0.8


def test_a_share_of_the_crops_loses_its_colours(photographs):
    plain, mixed = (Photographs(photographs, 32, 60, grey=share).batch_at(0) for share in (0.0, 0.3))
    coloured = [np.array_equal(*crops) for crops in zip(plain, mixed)]
    had_colour = [np.ptp(crop, -1).any() for crop in plain]
    removed = [not same for same in coloured]
    assert 0.1 < np.sum(removed) / np.sum(had_colour) < 0.5
    luma = plain @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(mixed[removed], np.repeat(luma[removed][..., None], 3, -1), atol=1)


def test_a_folder_that_does_not_fit_in_memory_gives_all_photographs_and_keeps_few(flat):
    photographs = Photographs(flat, 8, 16, memory=3 * 40 * 48 * 3)
    seen, most = set(), 0
    for step in range(30):
        seen |= set(photographs.batch_at(step)[:, 0, 0, 0].tolist())
        most = max(most, len(photographs._kept))
    assert seen == {10 * number for number in range(10)}
    assert most == 3


def test_memory_counts_photographs_as_they_are_enlarged(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.png", 20, 40)
    photographs = Photographs(tmp_path, 60, 64, small="upscale", memory=2 * 3 * 60 * 120)
    photographs.batch_at(0)
    assert sum(pixels.nbytes for pixels in photographs._kept.values()) == 2 * 3 * 60 * 120


def test_a_window_that_moves_gives_the_same_from_any_start(flat):
    begun, resumed = (Photographs(flat, 8, 16, memory=3 * 40 * 48 * 3) for _ in range(2))
    batches = [begun.batch_at(step) for step in range(30)]
    assert np.array_equal(resumed.batch_at(29), batches[29])


def test_dataset_is_the_batches_from_a_step_to_a_step(photographs):
    data = Photographs(photographs, 32, 2)
    batches = list(data.dataset(3, 6))
    assert data.dataset().element_spec.shape == (2, 32, 32, 3)
    assert len(batches) == 3
    assert batches[0].dtype == "float32"
    for step, batch in enumerate(batches, 3):
        assert np.array_equal(batch.numpy(), data.batch_at(step))


def test_parts_of_a_batch_are_the_batch(photographs):
    data = Photographs(photographs, 32, 4)
    parts = [list(data.dataset(1, 3, parts=range(part, part + 1), of=2)) for part in range(2)]
    both = list(data.dataset(1, 3, parts=range(2), of=2))
    for step in (1, 2):
        assert np.array_equal(np.concatenate([part[step - 1] for part in parts]), data.batch_at(step))
        assert np.array_equal(np.concatenate(both[2 * step - 2 : 2 * step]), data.batch_at(step))


def test_a_batch_that_cannot_be_divided_is_an_error(photographs):
    with pytest.raises(TrainingError, match="batch to be a multiple of 2.*Received: 3"):
        Photographs(photographs, 32, 3).dataset(of=2)


def test_small_photographs_are_named_and_skipped(tmp_path, caplog):
    save(tmp_path / "large.png", 80, 80)
    save(tmp_path / "small.png", 80, 63)
    with caplog.at_level(logging.WARNING):
        photographs = Photographs(tmp_path, 64)
    assert listed(photographs) == ["large.png"]
    assert photographs.skipped == {"small.png": "its 63x80 pixels are less than a crop's 64"}
    assert "small.png is left out: its 63x80 pixels" in caplog.text


def test_small_photographs_are_named_and_enlarged(tmp_path, caplog):
    save(tmp_path / "small.png", 20, 33)
    with caplog.at_level(logging.WARNING):
        photographs = Photographs(tmp_path, 64, 2, small="upscale")
    assert photographs.batch_at(0).shape == (2, 64, 64, 3)
    assert "small.png: 33x20 pixels are enlarged" in caplog.text
    assert not photographs.skipped


def test_broken_files_are_named_once_and_passed_by(tmp_path, caplog):
    save(tmp_path / "good.png", 80, 80)
    for name in ("truncated.jpg", "truncated.png", "text-named.png", "empty.jpg"):
        shutil.copy(DATA / "odd" / name, tmp_path)
    with caplog.at_level(logging.WARNING):
        photographs = Photographs(tmp_path, 16, 8)
        for step in range(8):
            photographs.batch_at(step)
    assert set(photographs.skipped) == {"truncated.jpg", "truncated.png", "text-named.png", "empty.jpg"}
    assert all(caplog.text.count(f"{name} is left out") == 1 for name in photographs.skipped)


def test_odd_photographs_are_read_as_rgb(tmp_path):
    names = ("cmyk.jpg", "rgb-16bit.png", "grey-16bit.png", "rgba.png", "palette-transparent.png", "rgb.bmp")
    for name in names:
        shutil.copy(DATA / "odd" / name, tmp_path)
    photographs = Photographs(tmp_path, 16, 64)
    assert photographs.batch_at(0).shape == (64, 16, 16, 3)
    assert set(listed(photographs)) == set(names)
    assert not photographs.skipped


def test_a_folder_without_photographs_is_an_error(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(TrainingError, match="holds no images. Give a folder"):
        Photographs(tmp_path)


def test_a_folder_of_small_photographs_is_refused_with_the_reason(tmp_path):
    save(tmp_path / "small.png", 20, 20)
    with pytest.raises(TrainingError, match=r"Files that are left out: 1. The first is small.png, because its 20x20"):
        Photographs(tmp_path, 64)


def test_a_folder_of_damaged_photographs_is_refused_with_the_reason(tmp_path):
    shutil.copy(DATA / "odd" / "truncated.png", tmp_path)
    with pytest.raises(TrainingError, match="None of the photographs .* can be read"):
        Photographs(tmp_path, 16).batch_at(0)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="There is no folder"):
        Photographs(tmp_path / "missing")


def test_digests_of_different_files_differ(tmp_path):
    save(tmp_path / "a.png", 64, 64)
    digests = {Photographs(tmp_path, 32).digest, Photographs(tmp_path, 32, seed=3).digest}
    save(tmp_path / "a.png", 64, 64, seed=1)
    digests.add(Photographs(tmp_path, 32).digest)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crop", 0),
        ("batch", 0),
        ("least_scale", 0.0),
        ("least_scale", 1.5),
        ("small", "drop"),
        ("trim", -1),
        ("trim", 32),
        ("sharpen", -1.0),
        ("sharpen", float("inf")),
        ("grey", -0.1),
        ("grey", 1.1),
        ("crop", "64"),
        ("batch", 2.5),
        ("seed", -1),
        ("seed", None),
        ("flips", 1),
        ("memory", float("nan")),
        ("later_crops", ((0, 24),)),
        ("later_crops", ((9, 24), (5, 40))),
        ("later_crops", ((1, 80.5),)),
        ("later_crops", (1, 24)),
    ],
)
def test_wrong_arguments_are_named(photographs, name, value):
    with pytest.raises(
        ValueError, match=rf"Photographs: expected {name} to be .* Received: .*{re.escape(repr(value))}"
    ):
        Photographs(photographs, **{"crop": 32} | {name: value})


@pytest.mark.parametrize(
    ("later", "trim", "message"), [(0, 0, "crop to be at least 1"), (20, 20, "trim .* less than crop=20")]
)
def test_later_crops_are_in_the_range_of_first_ones(photographs, later, trim, message):
    with pytest.raises(ValueError, match=f"Photographs: expected {message}"):
        Photographs(photographs, 32, trim=trim, later_crops=((1, later),))


@pytest.mark.parametrize(
    ("name", "wrong"), [("of", 0), ("of", 1.5), ("start", -1), ("stop", "3"), ("parts", range(2)), ("parts", [-1])]
)
def test_wrong_arguments_of_datasets_are_named(photographs, name, wrong):
    with pytest.raises(ValueError, match=f"dataset: expected {name} to be .* Received: .*{re.escape(repr(wrong))}"):
        Photographs(photographs, 32, 4).dataset(**{name: wrong})


def test_a_step_is_a_whole_number(photographs):
    with pytest.raises(ValueError, match="batch_at: expected step to be a whole number of at least 0"):
        Photographs(photographs, 32).batch_at(-1)


def test_whole_numbers_of_other_types_are_integers(photographs):
    given = Photographs(photographs, 32.0, np.int64(2), seed=3.0, trim=4.0, later_crops=[[2.0, np.int32(16)]])
    plain = Photographs(photographs, 32, 2, seed=3, trim=4, later_crops=((2, 16),))
    for step, batch in enumerate(given.dataset(1.0, 3.0, of=1.0), 1):
        np.testing.assert_array_equal(batch, plain.batch_at(step))
        np.testing.assert_array_equal(given.batch_at(float(step)), plain.batch_at(step))


def test_crops_have_other_sizes_from_given_steps_on(photographs):
    source = Photographs(photographs, 16, 2, later_crops=((2, 24), (5, 32)))
    assert [source.batch_at(step).shape[1] for step in range(6)] == [16, 16, 24, 24, 24, 32]
    assert [batch.shape[1] for batch in source.dataset(1, 3)] == [16, 24]
    assert Photographs(photographs, 16, 2, later_crops=iter(((2, 24), (5, 32)))).batch_at(5).shape[1] == 32
    plain = Photographs(photographs, 32, 2)  # Photographs smaller than the largest crops are left out of both.
    assert source.listing == plain.listing
    np.testing.assert_array_equal(source.batch_at(5), plain.batch_at(5))


def test_the_crops_of_a_seed_stay_the_same(tmp_path):
    """A training that goes on under a later edition sees the crops that it would have seen."""
    for number in range(3):
        Image.fromarray(random_images(40, 50, 3, seed=number)).save(tmp_path / f"{number}.png")
    batch = Photographs(tmp_path, 8, 16, seed=5).batch_at(3)
    assert hashlib.sha256(batch.tobytes()).hexdigest()[:16] == "60eb63332a04b94a"
