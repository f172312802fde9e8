"""`lic show`."""

import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lic
from lic.cli import app, main
from tests.conftest import random_images, tiny_model


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(random_images(40, 60, 3)).save(path)
    return path


@pytest.fixture
def show(codec, photo, monkeypatch):
    """Returns a function that runs the command in the photograph's folder; no partial file may be left afterwards."""
    monkeypatch.chdir(photo.parent)
    yield lambda *options, image=photo: CliRunner().invoke(
        app, ["show", str(image), "--model", str(codec), *map(str, options)]
    )
    assert not list(photo.parent.rglob("*.part"))


def test_the_figure_is_put_beside_the_image(show, photo, codec):
    result = show()
    assert (result.exit_code, result.stderr) == (0, "")
    target = photo.with_name("photo.show.png")
    size = len(lic.load(str(codec)).compress(np.asarray(Image.open(photo))))
    assert result.stdout.startswith(f"{photo} -> {target}  {size:,} bytes, ")
    assert np.asarray(Image.open(target).convert("L")).std() > 20


def test_a_region_has_a_quality_of_its_own(photo, tmp_path):
    lic.Codec(tiny_model("klt", "factorized", lmbda=(0.001, 0.01, 0.1))).save(tmp_path / "rates.codec")
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    options = ["--model", str(tmp_path / "rates.codec"), "--roi", str(tmp_path / "mask.png"), "--roi-quality", "3"]
    result = CliRunner().invoke(app, ["show", str(photo), "-q", "1", *options])
    codec, pixels = lic.load(str(tmp_path / "rates.codec")), np.asarray(Image.open(photo))
    assert f"{len(codec.compress(pixels, quality=1 + 2 * np.eye(4))):,} bytes, " in result.stdout
    result = CliRunner().invoke(app, ["show", str(photo), "--force", *options[:4]])
    assert result.exit_code == 2


def test_only_the_page_is_written_if_only_it_is_asked_for(show, photo):
    result = show("--html", photo.parent / "new" / "page.html")
    assert result.exit_code == 0
    text = (photo.parent / "new" / "page.html").read_text()
    assert "<title>photo.png</title>" in text
    assert "60x40 pixels" in text
    assert not photo.with_name("photo.show.png").exists()


def test_figure_and_page_are_written_at_once(show, photo):
    result = show("-o", "figure.svg", "--html", "page.html", "--crop", "10,5,20,20")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "<svg" in (photo.parent / "figure.svg").read_text()
    assert (photo.parent / "page.html").exists()


def test_the_image_is_not_overwritten_by_force(show, photo):
    before = photo.read_bytes()
    assert show("--out", "photo.png", "--force").exit_code == 2
    assert photo.read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--html", "photo.show.html"), ("--out", "photo.show.svg")])
def test_existing_files_are_kept_without_force(show, photo, options):
    target = photo.parent / (options[1] if options else "photo.show.png")
    target.write_text("mine")
    result = show(*options)
    assert isinstance(result.exception, lic.LicError)
    assert "--force" in str(result.exception)
    assert target.read_text() == "mine"
    assert show(*options, "--force").exit_code == 0
    assert target.read_bytes() != b"mine"


@pytest.mark.parametrize(
    "options",
    [
        ("--out", "figure.jpg"),
        ("--html", "page.png"),
        ("--crop", "1,2,3"),
        ("--html", "page.html", "--crop", "0,0,4,4"),
        ("--crop", "a,b,c,d"),
        ("--crop", "0,0,61,4"),
        ("--quality", "2"),
        ("--precision", "int8"),
    ],
    ids=" ".join,
)
def test_wrong_options_are_a_wrong_use(show, photo, options):
    result = show(*options)
    assert result.exit_code == 2
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_quality_is_that_of_the_codec(photo, tmp_path):
    codec = lic.Codec(tiny_model("klt", "hyperprior", lmbda=(0.001, 0.1)))
    codec.save(tmp_path / "rates.codec")
    options = ["--model", str(tmp_path / "rates.codec"), "-q", "1.5", "--html", str(tmp_path / "page.html")]
    result = CliRunner().invoke(app, ["show", str(photo), *options])
    size = len(codec.compress(np.asarray(Image.open(photo)), quality=1.5))
    assert f"  {size:,} bytes, " in result.stdout
    assert "quality 1.5" in (tmp_path / "page.html").read_text()


def test_transparency_needs_a_background(show, tmp_path):
    path = tmp_path / "clear.png"
    Image.new("RGBA", (30, 20), (10, 200, 90, 100)).save(path)
    assert isinstance(show(image=path).exception, lic.ImageError)
    assert show("--background", "white", image=path).exit_code == 0


@pytest.mark.parametrize("missing", ["image", "matplotlib"])
def test_a_missing_image_or_package_is_one_line(missing, photo, codec, monkeypatch, capsys):
    if missing == "matplotlib":
        monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = photo if missing == "matplotlib" else photo.with_name("absent.png")
    monkeypatch.setattr(sys, "argv", ["lic", "show", str(path), "--model", str(codec)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert ("keras-lic[eval]" if missing == "matplotlib" else "absent.png") in line


def test_the_mask_of_a_region_is_not_overwritten_by_force(show, photo):
    mask = photo.with_name("mask.png")
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(mask)
    before = mask.read_bytes()
    assert show("--roi", mask, "--roi-quality", "3", "--out", mask, "--force").exit_code == 2
    assert mask.read_bytes() == before
