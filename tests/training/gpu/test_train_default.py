"""The trainer in PyTorch, where torch is installed."""

import json
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image

import lic
from lic.interop.safetensors import import_safetensors
from tests.conftest import random_images
from tests.training.gpu.make_fixtures import FOLDER, ROOT

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.numpy")
PROGRESS = {"step": 1, "minutes": 0.5, "gigapixels": 0.1}
START = FOLDER / "klt-checkerboard-gains.safetensors"


@pytest.fixture
def trainer(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "training/gpu")
    import train_default

    return train_default


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(random_images(80, 96, 3, seed=number)).save(folder / f"{number}.png")
    (folder / "damaged.png").write_bytes(b"\x89PNG")
    return folder


def _train(trainer, photographs, out, *more, minutes="0.05"):
    trainer.main(
        [*("--data", str(photographs), "--out", str(out), "--batch", "2", "--crop", "32", "--minutes", minutes), *more]
    )
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("optimizer", ["adam", "soap"])
def test_it_trains_and_goes_on(trainer, photographs, tmp_path, capsys, optimizer):
    out, chosen = tmp_path / "out", ("--optimizer", optimizer)
    first = _train(trainer, photographs, out, "--start", str(START), *chosen)[-1]
    assert first["step"] == json.loads((out / "progress.json").read_text())["step"] > 0
    assert np.isfinite([first["loss"], first["bpp"], first["psnr"]]).all()
    assert "damaged.png is left out" in capsys.readouterr().out
    lines = _train(trainer, photographs, out, "--resume", "--valid", str(photographs), *chosen)
    assert lines[1]["step"] > first["step"]
    assert lines[1]["minutes"] > first["minutes"]
    assert lines[1]["gigapixels"] == pytest.approx(lines[1]["step"] * 2 * 32**2 / 1e9, abs=1e-4)
    assert [line["quality"] for line in lines[2:]] == [1, 2, 3]
    assert not list(out.glob("*.part"))
    codec = lic.Codec(import_safetensors(out / "weights.safetensors"))
    assert codec.decompress(codec.compress(random_images(32, 48, 3))).shape == (32, 48, 3)


def test_a_resumed_training_has_all_that_was_saved(trainer, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "LARGEST_FILE", trainer.ROOM + 60_000)
    out = tmp_path / "out"
    _train(trainer, photographs, out, "--start", str(START))
    pieces = sorted(out.glob("state-*"))
    assert len(pieces) > 1
    assert max(file.stat().st_size for file in out.iterdir()) <= trainer.LARGEST_FILE
    options = trainer.options_of(
        ["--data", str(photographs), "--out", str(out), "--minutes", "0", "--resume"], device="cpu"
    )
    training = trainer.Training(options, "cpu")
    saved = {
        name: torch.from_numpy(value) for name, value in safetensors.load_file(out / "weights.safetensors").items()
    }
    for (name, _), average in zip(training.model.named_parameters(), training.averages):
        torch.testing.assert_close(average.to(saved[name].dtype), saved[name])
    state = training.optimizer.optimizer.state[training.weights[0]]
    assert state["step"] == training.progress["step"]
    assert state["exp_avg_sq"].abs().sum() > 0
    before = [path.read_bytes() for path in pieces]
    training.save()
    assert [path.read_bytes() for path in pieces] == before


def test_a_training_goes_on_with_generalized_normal_distributions(trainer, photographs, tmp_path):
    out = tmp_path / "out"
    _train(trainer, photographs, out, "--start", str(START))
    _train(trainer, photographs, out, "--resume", "--shape", "1.4")
    assert np.isfinite(_train(trainer, photographs, out, "--resume")[-1]["loss"])
    likelihood = import_safetensors(out / "weights.safetensors").entropy.likelihood
    assert isinstance(likelihood, lic.entropy.GeneralizedNormal)
    assert likelihood.shape == 1.4


def test_a_last_phase_leaves_the_analysis(trainer, photographs, tmp_path):
    last = _train(trainer, photographs, tmp_path / "last", "--start", str(START), "--last")[-1]
    assert np.isfinite(last["loss"])
    before, _ = trainer.read_tensors(START)
    after, _ = trainer.read_tensors(tmp_path / "last/weights.safetensors")
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved
    assert not any(name.startswith("transform.analysis") for name in moved)
    assert {name.split(".")[0] for name in moved} == {"transform", "entropy", "rate"}


def test_an_older_training_is_not_overwritten(trainer, photographs, tmp_path):
    _train(trainer, photographs, tmp_path / "out", "--start", str(START), minutes="0.001")
    with pytest.raises(SystemExit, match="holds a training already"):
        _train(trainer, photographs, tmp_path / "out", "--start", str(START))
    with pytest.raises(SystemExit, match="Give --start"):
        _train(trainer, photographs, tmp_path / "other", "--resume")


def test_it_stops_at_a_loss_that_is_not_finite(trainer, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer.Model, "losses", lambda *_: torch.tensor([np.nan, 1.0, 1.0], requires_grad=True))
    with pytest.raises(SystemExit, match="not finite at step 1"):
        _train(trainer, photographs, tmp_path / "out", "--start", str(START))
    assert not (tmp_path / "out/weights.safetensors").exists()


def test_it_stops_at_a_loss_that_has_grown_a_million_times(trainer, tmp_path):
    log = trainer.Log(tmp_path / "log.jsonl", types.SimpleNamespace(progress=PROGRESS, saves=True), "cpu")
    for loss in (0.5, 9e5):
        log.add(torch.tensor([loss, 1.0, 30.0]))
        log.write_means(1e-3)
    log.add(torch.tensor([2e6, 1.0, 30.0]))
    with pytest.raises(SystemExit, match=r"The mean loss is 2e\+06, and was 0.5 before. Lower --learning-rate"):
        log.check()


def test_models_that_it_does_not_compute_are_refused(trainer, tmp_path):
    from lic.interop.safetensors import export_safetensors
    from tests.conftest import tiny_model

    for transform, sizes, message in (
        ("swin", {}, "Expected conv or klt"),
        ("conv", {"square_root": True}, "square_root"),
        ("conv", {"kernel_size": 4}, "odd kernel sizes"),
    ):
        export_safetensors(tiny_model(transform, "hyperprior", **sizes), tmp_path / "model.safetensors")
        with pytest.raises(ValueError, match=message):
            trainer.load(tmp_path / "model.safetensors")


def test_its_files_are_safetensors(trainer, tmp_path):
    tensors, metadata = trainer.read_tensors(START)
    trainer.write_tensors(tmp_path / "again.safetensors", tensors, metadata)
    again = safetensors.load_file(tmp_path / "again.safetensors")
    assert again.keys() == tensors.keys()
    for name, value in safetensors.load_file(START).items():
        np.testing.assert_array_equal(again[name], value.astype(np.float32))


def test_crops_are_reproducible_and_of_all_scales(trainer, photographs):
    import random

    source = trainer.Photographs(pathlib.Path(photographs), [32], "cpu")
    first, again = (source.batch(4, random.Random(3)) for _ in range(2))
    assert first.shape == (4, 3, 32, 32)
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, source.batch(4, random.Random(4)))


def test_crops_are_parts_of_photographs_turned_and_mirrored(trainer, photographs, monkeypatch):
    import random

    monkeypatch.setattr(trainer, "LEAST_SCALE", 1.0)
    monkeypatch.setattr(trainer, "GREY", 0.0)
    monkeypatch.setattr(trainer, "SHARPEN", 0.0)
    source = trainer.Photographs(pathlib.Path(photographs), [32], "cpu")
    whole = [each.float() for each in trainer.read_photographs(pathlib.Path(photographs), 32)]
    ways, crops = set(), source.batch(24, random.Random(0))
    for crop in crops:
        found = [
            (flipped, turned)
            for flipped in (False, True)
            for turned in (False, True)
            if any(_holds(each, _moved(crop, flipped, turned)) for each in whole)
        ]
        assert len(found) == 1
        ways.update(found)
    assert len(ways) == 4


def _moved(crop, flipped, turned):
    crop = crop.transpose(1, 2) if turned else crop
    return crop.flip(2) if flipped else crop


def _holds(photograph, crop):
    parts = photograph.unfold(1, 32, 1).unfold(2, 32, 1)  # [3, top, left, 32, 32]
    return bool((parts == crop[:, None, None]).all(4).all(3).all(0).any())


def test_crops_are_sharpened_as_in_lic(trainer, photographs, monkeypatch):
    import random

    from lic.training.data import _sharpened

    monkeypatch.setattr(trainer, "GREY", 0.0)
    source, amounts = trainer.Photographs(pathlib.Path(photographs), [32], "cpu"), np.linspace(0, 0.5, 51)
    monkeypatch.setattr(trainer, "LEAST_SCALE", 1.0)
    sharpened = source.batch(8, random.Random(5)).permute(0, 2, 3, 1).numpy()
    monkeypatch.setattr(trainer, "SHARPEN", 0.0)
    plain = source.batch(8, random.Random(5)).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    found = []
    for before, after in zip(plain, sharpened):
        errors = [abs(_sharpened(before, amount).astype(float) - after).max() for amount in amounts]
        assert min(errors) <= 2
        found.append(amounts[np.argmin(errors)])
    assert max(found) - min(found) > 0.2


def test_a_share_of_the_crops_has_no_colour(trainer, photographs, monkeypatch):
    import random

    monkeypatch.setattr(trainer, "GREY", 0.0)
    coloured = trainer.Photographs(pathlib.Path(photographs), [32], "cpu").batch(40, random.Random(0))
    monkeypatch.setattr(trainer, "GREY", 0.3)
    crops = trainer.Photographs(pathlib.Path(photographs), [32], "cpu").batch(40, random.Random(0))
    grey = (crops == crops[:, :1]).flatten(1).all(1)
    assert 4 <= grey.sum() <= 20
    torch.testing.assert_close(crops[~grey], coloured[~grey])
    luma = 0.299 * coloured[:, 0] + 0.587 * coloured[:, 1] + 0.114 * coloured[:, 2]
    torch.testing.assert_close(crops[grey, 0], luma[grey], atol=0.501, rtol=0)


def test_the_lowest_and_the_highest_quality_are_drawn_as_often_as_others(trainer):
    model, _ = trainer.load(START)
    torch.manual_seed(0)
    quality, _ = model.draw(torch.zeros(8000, 3, 16, 16))
    last = len(model.log_lmbda)
    counts = quality.round().long().bincount()
    assert quality.min() == 1
    assert quality.max() == last
    assert (counts[1 : last + 1] / 8000).numpy() == pytest.approx(np.full(last, 1 / last), abs=0.02)


def test_crops_are_no_larger_than_photographs(trainer, photographs):
    import random

    source = trainer.Photographs(pathlib.Path(photographs), [78], "cpu")
    for seed in range(4):
        assert source.batch(2, random.Random(seed)).shape == (2, 3, 78, 78)


def test_each_batch_has_one_of_the_sides(trainer, photographs):
    import random

    source = trainer.Photographs(pathlib.Path(photographs), [16, 48], "cpu")
    assert {tuple(source.batch(2, random.Random(seed)).shape[2:]) for seed in range(9)} == {(16, 16), (48, 48)}


def test_processes_share_the_crops_of_a_batch(trainer, photographs):
    import random

    halves = [trainer.Photographs(photographs, [16, 48], "cpu", (number, 2)) for number in (0, 1)]
    shares = [half.batch(2, random.Random(5)) for half in halves]
    together = trainer.Photographs(photographs, [16, 48], "cpu").batch(4, random.Random(5))
    torch.testing.assert_close(torch.stack(shares, 1).flatten(0, 1), together)


def test_two_processes_train_one_model(trainer, photographs, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--"]
    options = ["--start", START, "--data", photographs, "--out", tmp_path / "out", "--batch", "2", "--crop", "32"]
    script = ROOT / "training/gpu/train_default.py"
    subprocess.run([*command, script, *options, "--minutes", "0.03"], check=True, capture_output=True, timeout=300)
    progress = json.loads((tmp_path / "out/progress.json").read_text())
    assert progress["step"] % trainer.MEETING == 0 < progress["step"]
    assert progress["gigapixels"] == pytest.approx(progress["step"] * 2 * 2 * 32**2 / 1e9)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [progress["step"]]  # One process writes the log.


def test_processes_meet_at_the_mean_of_their_states(trainer, photographs, tmp_path, monkeypatch):
    options = ["--start", str(START), "--data", str(photographs), "--out", str(tmp_path / "out"), "--minutes", "0"]
    training = trainer.Training(trainer.options_of(options, device="cpu"), "cpu")
    before = [each.detach().clone() for each in training.weights]
    monkeypatch.setattr(training, "processes", 2)
    monkeypatch.setattr(trainer.distributed, "all_reduce", lambda state: state.mul_(3))  # The other has twice these.
    training.progress["step"] = trainer.MEETING - 1
    assert training.goes_on(False)  # Nobody stops between two meetings.
    training.progress["step"] = trainer.MEETING
    assert not training.goes_on(False)
    for weight, start in zip(training.weights, before):
        torch.testing.assert_close(weight.detach(), 1.5 * start)


def test_depthwise_blocks_come_into_the_branches(trainer, photographs, tmp_path):
    import depthwise
    from torch.nn import functional

    path = tmp_path / "start.safetensors"
    depthwise.main([str(START), str(path), "--width", "6", "--blocks", "2", "1"])
    model, before = trainer.load(path)[0], trainer.load(START)[0]
    images = torch.from_numpy(random_images(1, 32, 48, 3).astype(np.float32)).permute(0, 3, 1, 2)
    latent = model.transform.analyse(images)  # The exits of branches start at zero.
    torch.testing.assert_close(latent, before.transform.analysis.linear((images - 127.5) / 40), atol=1e-5, rtol=0)
    blocks = [*model.transform.analysis.branch.layers.children()][1:-1]
    assert len(blocks) == 2
    block, values = blocks[0], torch.randn(1, 6, 4, 5)
    after = functional.leaky_relu(functional.conv2d(values, block.first.weight), 0.01)
    after = functional.conv2d(after, block.depthwise.weight, padding=1, groups=6)
    after = values + functional.conv2d(after, block.second.weight)
    one, other = functional.leaky_relu(functional.conv2d(after, block.wide.weight), 0.01).chunk(2, 1)
    torch.testing.assert_close(block(values), after + functional.conv2d(one + other, block.last.weight))
    last = _train(trainer, photographs, tmp_path / "out", "--start", str(path))[-1]
    assert np.isfinite(last["loss"])
    trained, again = trainer.load(path := tmp_path / "out/weights.safetensors")[0], import_safetensors(path)
    assert trained.row["transform"]["config"]["block"] == "depthwise"
    x_hat, bits = trained(images, torch.tensor([2.0]))
    compressed = again(images.permute(0, 2, 3, 1).numpy(), quality=2.0)
    np.testing.assert_allclose(compressed.x_hat, x_hat.detach().permute(0, 2, 3, 1), atol=1e-2)
    np.testing.assert_allclose(sum(compressed.bits.values()), bits.detach(), rtol=1e-4)


def test_more_blocks_change_nothing_before_they_are_trained(trainer, photographs, tmp_path):
    import depthwise

    first, deeper, out = tmp_path / "first.safetensors", tmp_path / "deeper.safetensors", tmp_path / "out"
    with pytest.raises(ValueError, match="Received: .* plain blocks"):
        depthwise.main([str(START), str(deeper), "--deeper", "--blocks", "3", "2"])
    depthwise.main([str(START), str(first), "--width", "6", "--blocks", "1", "1"])
    _train(trainer, photographs, tmp_path / "before", "--start", str(first))  # Now the exits of branches are not zero.
    before, _ = trainer.load(tmp_path / "before/weights.safetensors")
    depthwise.main([str(tmp_path / "before/weights.safetensors"), str(deeper), "--deeper", "--blocks", "3", "2"])
    model, _ = trainer.load(deeper)
    images = torch.from_numpy(random_images(1, 32, 48, 3).astype(np.float32)).permute(0, 3, 1, 2)
    for result, expected in zip(model(images, torch.tensor([2.0])), before(images, torch.tensor([2.0]))):
        torch.testing.assert_close(result, expected)
    with pytest.raises(ValueError, match="Received: .3, 2. depthwise blocks"):
        depthwise.main([str(deeper), str(first), "--deeper", "--blocks", "2", "2"])
    _train(trainer, photographs, out, "--start", str(deeper))
    start, trained = (dict(trainer.load(path)[0].named_parameters()) for path in (deeper, out / "weights.safetensors"))
    for block in ("analysis.branch.layers.3", "analysis.branch.layers.4", "synthesis.branch.layers.1"):
        for layer in ("first", "depthwise", "second", "wide", "last"):
            name = f"transform.{block}.{layer}.weight"
            assert not torch.equal(start[name], trained[name]), name
    sizes = import_safetensors(out / "weights.safetensors").configuration()["transform"]["config"]
    assert tuple(sizes["num_blocks"]) == (3, 2)


def test_the_learning_rate_falls_in_the_second_half(trainer):
    rates = [trainer.learning_rate(1.0, share) for share in (0.0, 0.5, 0.75, 1.0, 1.5)]
    np.testing.assert_allclose(rates, [1, 1, 0.505, 0.01, 0.01])
