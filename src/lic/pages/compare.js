"use strict";
// Returns a function that shows pictures of one size: { width, height, pictures, heat }. A picture is { name, source,
// label, figures }, with its address, its name in the table, and the texts beside it there. The heat map is { source, width,
// height, most, gradient }: what its brightest colour means, and its colours; or null. Another call shows other pictures; the
// selection stays if there are as many, of the same size.
function comparison() {
  let { width, height, heat, pictures } = { width: 1, height: 1, heat: null, pictures: [] };
  const at = (name) => document.getElementById(name);
  const stage = at("stage");
  const layers = [...stage.querySelectorAll(".view > *")];
  const SIDES = ["left", "right"];
  const MOST = 32;  // Screen pixels for a pixel.
  // The screen pixels of a pixel, and where the picture's left upper corner is in the stage.
  const view = { zoom: 1, x: 0, y: 0, fitted: true };

  const fitting = () => Math.min(stage.clientWidth / width, stage.clientHeight / height, MOST);
  const least = () => Math.min(fitting(), 1);

  // Keeps a picture that is smaller than the stage in its middle, and a larger one over all of it.
  function placed(position, size, room) {
    return size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, position));
  }

  function draw() {
    view.x = placed(view.x, width * view.zoom, stage.clientWidth);
    view.y = placed(view.y, height * view.zoom, stage.clientHeight);
    for (const layer of layers) {
      layer.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
    }
    stage.classList.toggle("near", view.zoom >= 2);
    at("zoom").value = `${Math.round(100 * view.zoom)} %`;
    const share = Number(at("divider").value);
    at("left-view").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    at("right-view").style.clipPath = `inset(0 0 0 ${share}%)`;
    at("line").style.left = `${share}%`;
  }

  // Zooms about a point of the stage, which stays where it is.
  function zoomTo(zoom, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
    const next = Math.min(MOST, Math.max(least(), zoom));
    view.x = x - (x - view.x) * next / view.zoom;
    view.y = y - (y - view.y) * next / view.zoom;
    view.zoom = next;
    view.fitted = false;
    draw();
  }

  function fit() {
    zoomTo(fitting());
    view.fitted = true;
  }

  function move(x, y) {
    view.x += x;
    view.y += y;
    draw();
  }

  function choose() {
    for (const side of SIDES) {
      const picture = pictures[at(side).value];
      const image = at(`${side}-view`).firstElementChild;
      image.src = picture.source;
      image.alt = `${side}: ${picture.name}`;
      at(`${side}-name`).textContent = picture.name;
    }
  }

  function swap() {
    [at("left").value, at("right").value] = [at("right").value, at("left").value];
    choose();
  }

  function showHeat() {
    at("heat-view").hidden = at("scale").hidden = !heat || !at("heat").checked;
    at("heat-view").style.opacity = at("opacity").value / 100;
  }

  function divideAt(percent) {
    at("divider").valueAsNumber = percent;
    draw();
  }

  const larger = () => zoomTo(view.zoom * 1.25);
  const smaller = () => zoomTo(view.zoom / 1.25);
  const whole = () => zoomTo(1);
  const KEYS = {
    "+": larger, "=": larger, "-": smaller, "−": smaller, "0": fit, "1": whole,
    "ArrowLeft": () => move(60, 0), "ArrowRight": () => move(-60, 0),
    "ArrowUp": () => move(0, 60), "ArrowDown": () => move(0, -60),
    "[": () => divideAt(at("divider").valueAsNumber - 2), "]": () => divideAt(at("divider").valueAsNumber + 2), "x": swap, "h": () => at("heat").click(),
  };

  stage.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return;  // The browser's own zoom.
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomTo(view.zoom * 1.0015 ** -event.deltaY, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  // One finger or the mouse drags the picture, or the line where it begins there; two fingers zoom.
  const fingers = new Map();
  let onLine = false;
  const spread = () => {
    const [one, other] = [...fingers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    onLine = event.target === at("line");
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.classList.add("dragged");
  });
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const apart = fingers.size === 2 ? spread() : 0;
    const now = { x: event.clientX, y: event.clientY };
    fingers.set(event.pointerId, now);
    if (fingers.size === 1 && onLine) {
      divideAt(100 * (now.x - stage.getBoundingClientRect().left - stage.clientLeft) / stage.clientWidth);
    } else if (fingers.size === 1) {
      move(now.x - before.x, now.y - before.y);
    }
    if (apart) zoomTo(view.zoom * spread() / apart);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      stage.classList.toggle("dragged", fingers.size > 0);
    });
  }

  at("divider").addEventListener("input", draw);
  at("opacity").addEventListener("input", showHeat);
  at("heat").addEventListener("change", showHeat);
  at("swap").addEventListener("click", swap);
  at("in").addEventListener("click", larger);
  at("out").addEventListener("click", smaller);
  at("fit").addEventListener("click", fit);
  at("pixels").addEventListener("click", whole);
  for (const side of SIDES) at(side).addEventListener("change", choose);
  new ResizeObserver(() => view.fitted ? fit() : draw()).observe(stage);

  function cell(kind, text) {
    return Object.assign(document.createElement(kind), { textContent: text });
  }

  // Lists the pictures in both selections and in the table.
  function list() {
    for (const side of SIDES) at(side).replaceChildren(...pictures.map((each, number) => new Option(each.name, number)));
    at("figures").replaceChildren(...pictures.map((each) => {
      const row = document.createElement("tr");
      row.append(Object.assign(cell("th", each.label), { scope: "row" }), ...each.figures.map((text) => cell("td", text)));
      return row;
    }));
    at("sides").hidden = at("divider-label").hidden = at("line").hidden = at("right-name").hidden = pictures.length < 2;
    at("colours").hidden = !heat;
  }

  return (shown) => {
    const before = SIDES.map((side) => at(side).value);
    const same = pictures.length === shown.pictures.length && width === shown.width && height === shown.height;
    ({ width, height, heat, pictures } = shown);
    list();
    stage.style.aspectRatio = `${width} / ${height}`;
    for (const layer of layers) Object.assign(layer.style, { width: `${width}px`, height: `${height}px` });
    if (heat) {
      const image = at("heat-view").querySelector("img");
      Object.assign(image.style, { width: `${heat.width}px`, height: `${heat.height}px` });
      image.src = heat.source;
      at("scale").querySelector(".bar").style.background = `linear-gradient(to right, ${heat.gradient})`;
      at("most").textContent = heat.most;
    }
    const last = pictures.length - 1;
    const chosen = same ? before : [Math.min(1, last), last];
    SIDES.forEach((side, number) => { at(side).value = chosen[number]; });
    choose();
    showHeat();
    if (!same) fit();
  };
}
