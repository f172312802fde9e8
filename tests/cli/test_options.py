import pytest
import typer

from lic.cli import options
from lic.codec.bitstream import MAX_PIXELS


@pytest.mark.parametrize(
    ("given", "loaded"), [("auto", "auto"), ("none", None), ("512", 512)], ids=["auto", "none", "number"]
)
def test_tile_is_handed_on(given, loaded, monkeypatch):
    import lic

    monkeypatch.setattr(lic, "load", lambda name, **given: (name, given))
    chosen = {"precision": "bfloat16", "tile": loaded, "deterministic": False}
    assert options.load("default", "bfloat16", given) == ("default", chosen)
    assert options.load("default", "bfloat16", given, True) == ("default", chosen | {"deterministic": True})


@pytest.mark.parametrize("tile", ["0", "-4", "1.5", "all"])
def test_wrong_tiles_are_refused(tile):
    with pytest.raises(typer.BadParameter, match="expected auto, none or a number of pixels"):
        options.load("default", "float32", tile)


def test_wrong_precision_is_refused():
    with pytest.raises(typer.BadParameter, match="--precision float16: expected float32 or bfloat16"):
        options.load("default", "float16", "auto")


def test_help_states_how_many_pixels_are_allowed():
    assert f"default: {MAX_PIXELS:,}" in options.MAX_PIXELS
