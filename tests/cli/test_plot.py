import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lic.cli import app
from lic.errors import EvaluationError, LicError, RegistryError
from lic.evaluation.run.results import Results
from tests.evaluation.conftest import rows


def plot(*arguments):
    result = CliRunner().invoke(app, ["plot", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_all_pictures_are_written_and_printed(run_folder, tmp_path):
    result = plot(
        run_folder, "--published", "vtm", "bpg444", "--out", tmp_path / "new" / "plots", "--title", "Three codecs"
    )
    written = sorted((tmp_path / "new" / "plots").iterdir())
    assert sorted(result.stdout.split()) == [str(path) for path in written]
    stems = [f"{name}{end}" for name in ("bd-rate", "rate-distortion", "speed") for end in ("", "-ms-ssim")]
    names = {f"{stem}.{form}" for stem in stems for form in ("png", "svg")} | {"rate-distortion.html"}
    assert {path.name for path in written} == names
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert np.asarray(image.convert("L")).std() > 25, path
    assert "MS-SSIM in dB" in (tmp_path / "new" / "plots" / "rate-distortion-ms-ssim.svg").read_text()


def test_an_existing_file_is_kept_without_force(run_folder, tmp_path):
    (tmp_path / "speed.png").write_bytes(b"mine")
    arguments = (run_folder, "--format", "png", "--measure", "psnr", "--out", tmp_path)
    with pytest.raises(LicError, match=r"speed.png exists. Give --force"):
        plot(*arguments)
    assert not (tmp_path / "bd-rate.png").exists()
    assert (tmp_path / "speed.png").read_bytes() == b"mine"
    plot(*arguments, "--force")
    assert (tmp_path / "speed.png").read_bytes() != b"mine"


def test_a_picture_that_cannot_be_made_is_left_out_with_a_line(tmp_path):
    Results(rows("jpeg", similarity=False)).write(tmp_path)
    result = plot(tmp_path, "--format", "svg", "html", "--out", tmp_path)
    names = [f"{tmp_path}/rate-distortion.{form}" for form in ("svg", "html")]
    assert result.stdout.split() == names
    why = result.stderr.splitlines()
    assert len(why) == 3
    assert "no ms_ssim_db for jpeg" in why[0]
    assert why[1].startswith("lic: bd-rate is left out. No codec has a BD-rate against jpeg.")
    assert why[2].startswith("lic: speed is left out.")


def test_a_page_that_cannot_be_made_is_left_out_too(run_folder, tmp_path):
    result = plot(run_folder, "--format", "html", "--max-bpp", "0.01", "--out", tmp_path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("lic: rate-distortion.html is left out. ")
    assert not list(tmp_path.glob("*.html"))


def test_nothing_to_draw_is_an_error(tmp_path):
    Results(rows("jpeg", similarity=False)).write(tmp_path)
    with pytest.raises(EvaluationError, match="nothing to draw"):
        plot(tmp_path, "--measure", "ms_ssim_db", "--out", tmp_path / "plots")
    assert not (tmp_path / "plots").exists()


def test_unknown_names_end_the_command(run_folder, tmp_path):
    for arguments in (["--published", "vmt"], ["--anchor", "vmt"]):
        with pytest.raises(RegistryError, match="Did you mean 'vtm'"):
            plot(run_folder, "--format", "svg", "--out", tmp_path / "plots", *arguments)
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--measure", "ssim"],
        ["--format", "jpg"],
        ["--method", "linear"],
        ["--format", "html", "--method", "akima"],
        ["--format", "html", "--anchor", "jpeg"],
    ],
)
def test_wrong_choice_is_a_wrong_use(run_folder, arguments):
    assert CliRunner().invoke(app, ["plot", str(run_folder), *arguments]).exit_code == 2
