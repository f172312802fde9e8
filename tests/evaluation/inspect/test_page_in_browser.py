"""The page in headless Chromium: a script in a copy of the page presses keys and records the state after each."""

import html
import json
import re
import shutil
import subprocess

import pytest

from lic.evaluation.inspect.page import inspection_page
from tests.evaluation.conftest import make_inspection

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH here")

WATCH = """<script>
window.failures = [];
addEventListener("error", (event) => failures.push(event.message));
</script>"""
DRIVE = """<script>
const at = (name) => document.getElementById(name);
const stage = at("stage"), notes = {};
const press = (key, target = stage) =>
  !target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const note = (name) => {
  const image = document.querySelector("#left-view img");
  const [x, y] = image.style.transform.match(/-?[0-9.]+(?=px)/g).map(Number);
  notes[name] = {
    x, y, zoom: parseFloat(at("zoom").value), left: at("left-name").textContent, right: at("right-name").textContent,
    loaded: [...document.images].every((each) => each.complete && each.naturalWidth > 0), width: image.naturalWidth,
    clips: [at("left-view").style.clipPath, at("right-view").style.clipPath], line: at("line").style.left,
    heat: getComputedStyle(at("heat-view")).display !== "none", scale: getComputedStyle(at("scale")).display !== "none",
    opacity: at("heat-view").style.opacity, focus: document.activeElement.id, sources: [...document.images].map(
      (each) => each.src.slice(0, 22)),
  };
};
const pointer = (kind, x, y, target = stage) => target.dispatchEvent(
  new PointerEvent(kind, { clientX: x, clientY: y, pointerId: 1, bubbles: true }));
const change = (name, value, kind) => { at(name).value = value; at(name).dispatchEvent(new Event(kind)); };
stage.setPointerCapture = () => {};  // Pointers that are made up cannot be captured.
const controls = () => [...document.querySelectorAll("button, input, select, [tabindex]")].map((each) => {
  each.focus();
  const label = each.getAttribute("aria-label") || (each.labels?.[0] ?? each).textContent.trim();
  const box = each.getBoundingClientRect();
  const seen = getComputedStyle(each).outlineStyle !== "none";
  return { id: each.id, focused: document.activeElement === each, label, seen, inside: box.right <= innerWidth + 9 };
});

setTimeout(() => {
  note("start");
  notes.taken = ["+", "-", "0", "1", "ArrowLeft", "h", "[", "x"].map((key) => press(key));
  press("h"), press("]"), press("x"), press("0");
  notes.passed = [press("Tab"), press("a"), press("Enter")];
  for (let times = 0; times < 8; times++) press("+");
  note("larger");
  press("ArrowLeft"); note("moved right");
  press("ArrowDown"); note("moved up");
  for (let times = 0; times < 200; times++) press("ArrowRight");
  note("at the edge");
  press("-"); note("smaller");
  press("1"); note("original size");
  press("0"); note("fitted");
  press("["); note("divided left");
  press("x"); note("swapped");
  press("h"); note("heat");
  change("opacity", 25, "input"); note("fainter");
  press("h"); note("heat off");
  change("divider", 80, "input"); note("slid");
  change("left", "0", "change"); note("chosen");
  at("in").click(); at("in").click(); note("button in");
  at("out").click(); note("button out");
  at("fit").click(); note("button fit");
  at("swap").click(); note("button swap");
  for (let times = 0; times < 60; times++) press("+");
  note("largest");
  for (let times = 0; times < 60; times++) press("-");
  note("smallest");
  at("fit").click();
  const box = stage.getBoundingClientRect();
  const wheel = (deltaY) => stage.dispatchEvent(new WheelEvent(
    "wheel", { deltaY, clientX: box.left + 10, clientY: box.top + 10, cancelable: true }));
  wheel(-1200); note("wheel");
  pointer("pointerdown", 200, 200), pointer("pointermove", 170, 180), pointer("pointerup", 170, 180); note("dragged");
  pointer("pointermove", 100, 100); note("let go");
  const within = (share) => box.left + stage.clientLeft + share * stage.clientWidth;
  pointer("pointerdown", within(0.8), 200, at("line"));
  for (let share = 0.8; share > 0.6995; share -= 0.001) pointer("pointermove", within(share), 200);
  pointer("pointerup", 0, 0); note("line dragged");
  notes.controls = controls();
  notes.overflow = [document.documentElement, ...document.querySelectorAll("section")].map(
    (each) => each.scrollWidth - each.clientWidth);
  notes.failures = failures;
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify(notes);
  document.body.append(result);
}, 300);
</script>"""


def _driven(folder, window):
    text = inspection_page(make_inspection(height=192, width=320), "a <b> & 'c'.png", "320x192 pixels, default")
    text = text.replace("<style>", WATCH + "<style>", 1).replace("</body>", DRIVE + "</body>", 1)
    (folder / "page.html").write_text(text)
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder}/profile",
    ]
    options += ["--virtual-time-budget=5000", f"--window-size={window}", "--dump-dom"]
    command = [CHROMIUM, *options, f"file://{folder}/page.html"]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="result">(.*?)</pre>', dumped.stdout, re.DOTALL)
    assert found, dumped.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    return _driven(tmp_path_factory.mktemp("wide"), "1200,900")


@pytest.fixture(scope="module", params=["1200,900", "320,800"])
def any_window(request, tmp_path_factory, notes):
    return notes if request.param == "1200,900" else _driven(tmp_path_factory.mktemp("narrow"), request.param)


def test_nothing_fails_and_all_pictures_are_there(any_window):
    assert any_window["failures"] == []
    assert any_window["start"]["loaded"]
    assert any_window["start"]["width"] == 320
    assert set(any_window["start"]["sources"]) == {"data:image/png;base64,"}


def test_it_begins_with_decoded_beside_jpeg_and_the_keys_at_hand(notes):
    start = notes["start"]
    assert (start["left"], start["right"]) == ("decoded", "JPEG quality 12")
    assert start["line"] == "50%"
    assert not start["heat"]
    assert start["focus"] == "stage"


def test_keys_that_it_knows_are_taken_and_others_are_left(notes):
    assert notes["taken"] == [True] * 8
    assert notes["passed"] == [False] * 3


def test_plus_and_minus_zoom_about_the_middle(notes):
    fitted, larger, smaller = notes["fitted"]["zoom"], notes["larger"]["zoom"], notes["smaller"]["zoom"]
    assert larger == pytest.approx(fitted * 1.25**8, rel=0.01)
    middles = [(600 - 16 - notes[name]["x"]) / notes[name]["zoom"] for name in ("fitted", "larger")]
    assert middles[0] == pytest.approx(middles[1], rel=0.01)
    assert smaller == pytest.approx(larger / 1.25, rel=0.01)
    assert notes["original size"]["zoom"] == 100
    assert notes["largest"]["zoom"] == 3200
    assert notes["smallest"]["zoom"] == 100


def test_arrows_move_and_stop_at_the_edge(notes):
    assert notes["moved right"]["x"] == pytest.approx(notes["larger"]["x"] + 60)
    assert notes["moved up"]["y"] == pytest.approx(notes["moved right"]["y"] - 60)
    # The right edge of the picture is at the right edge of the stage.
    edge = notes["at the edge"]["x"] + 320 * notes["at the edge"]["zoom"] / 100
    assert edge == pytest.approx(1200 - 32, abs=20)


def test_the_divider_cuts_both_pictures_at_the_same_place(notes):
    for name, share in (("start", 50), ("divided left", 48), ("slid", 80)):
        assert notes[name]["line"] == f"{share}%"
        assert notes[name]["clips"] == [f"inset(0px {100 - share}% 0px 0px)", f"inset(0px 0px 0px {share}%)"]


def test_pictures_are_chosen_and_swapped(notes):
    names = [(notes[name]["left"], notes[name]["right"]) for name in ("fitted", "swapped", "chosen", "button swap")]
    assert names == [
        ("decoded", "JPEG quality 12"),
        ("JPEG quality 12", "decoded"),
        ("original", "decoded"),
        ("decoded", "original"),
    ]


def test_the_heat_map_is_laid_over_as_opaque_as_is_chosen(notes):
    assert [notes[name]["heat"] for name in ("swapped", "heat", "fainter", "heat off")] == [False, True, True, False]
    assert [notes[name]["scale"] for name in ("swapped", "heat", "fainter", "heat off")] == [False, True, True, False]
    assert [notes[name]["opacity"] for name in ("heat", "fainter")] == ["0.6", "0.25"]


def test_buttons_act_as_keys_do(notes):
    fitted = notes["fitted"]["zoom"]
    assert notes["button in"]["zoom"] == pytest.approx(fitted * 1.25**2, rel=0.01)
    assert notes["button out"]["zoom"] == pytest.approx(fitted * 1.25, rel=0.01)
    assert notes["button fit"] | {"left": "", "right": ""} == notes["chosen"] | {"left": "", "right": ""}


def test_the_wheel_zooms_about_the_pointer(notes):
    before, after = notes["button fit"], notes["wheel"]
    factor = after["zoom"] / before["zoom"]
    assert factor == pytest.approx(1.0015**1200, rel=0.01)
    assert after["x"] == pytest.approx(min(0, 10 - (10 - before["x"]) * factor), abs=2)


def test_dragging_moves_until_it_ends(notes):
    assert notes["dragged"]["x"] == pytest.approx(notes["wheel"]["x"] - 30)
    assert notes["dragged"]["y"] == pytest.approx(notes["wheel"]["y"] - 20)
    assert notes["let go"] == notes["dragged"]
    assert notes["line dragged"]["line"] == "70%"
    assert notes["line dragged"]["x"] == notes["dragged"]["x"]


def test_every_control_has_a_name_and_takes_the_focus_visibly(any_window):
    controls = {each["id"]: each for each in any_window["controls"]}
    assert set(controls) == {
        *("left", "swap", "right", "out", "in", "fit", "pixels", "heat", "opacity", "stage", "divider")
    }
    for name, each in controls.items():
        assert each["focused"], name
        assert each["label"], name
        assert each["seen"], name
        assert each["inside"], name


def test_nothing_is_wider_than_the_window(any_window):
    assert max(any_window["overflow"]) <= 0
