// The page of a portable codec: it decodes streams that are dropped or chosen, and a sample at the quality of a slider.

import { Codec, StreamError } from "./decode.js";

const element = (id) => document.getElementById(id);
const [drop, file, status, canvas, save] = ["drop", "file", "status", "canvas", "save"].map(element);
// The streams of a sample, made beforehand: a list of { quality, stream, comparison }, as lic/pages/compare.js describes a
// comparison, with the address of the decoded picture left out; or null.
const sample = JSON.parse(element("data").textContent);
const show = comparison();
let name = "image", address = null, latest = 0;

function report(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(2);
const began = performance.now();
const loading = Codec.load(".");
loading.then(
  (codec) => report(`The codec ${codec.described.fingerprint} is ready after ${seconds(began)} s.`),
  (error) => report(`The codec cannot be loaded: ${error.message}`, true),
);

/** Decodes a stream and shows it: alone, or in the comparison that was made beforehand. */
async function decode(title, read, prepared = null) {
  const number = ++latest;
  try {
    const codec = await loading;
    const data = new Uint8Array(await read());
    if (number !== latest) return; // Another stream was chosen meanwhile.
    report("The stream is being decoded.");
    const start = performance.now();
    const { width, height, pixels } = await codec.decode(data);
    const spent = seconds(start);
    if (number !== latest) return;
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    if (number !== latest) return;
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(blob);
    name = title.replace(/\.lic$/, "");
    const bytes = data.length.toLocaleString("en"), bpp = (8 * data.length) / (width * height);
    const alone = { name: "decoded", label: title, figures: [bytes, bpp.toFixed(3), "—"] };
    const shown = prepared ?? { width, height, heat: null, pictures: [alone] };
    const pictures = shown.pictures.map((each) => ({ ...each, source: each.source ?? address }));
    element("comparison").hidden = save.hidden = false;
    show({ ...shown, pictures });
    report(`${title}: ${width}x${height}, ${bytes} bytes, ${bpp.toFixed(4)} bpp, ${spent} s`);
  } catch (error) {
    if (number !== latest) return;
    element("comparison").hidden = save.hidden = true;
    report(error instanceof StreamError ? error.message : `The stream cannot be decoded: ${error.message}`, true);
  }
}

const decodeFile = (chosen) => decode(chosen.name, () => chosen.arrayBuffer());

async function fetched(place) {
  const answer = await fetch(place);
  if (!answer.ok) throw new Error(`${place} cannot be fetched: ${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}

function decodeSample() {
  const { quality, stream, comparison: prepared } = sample[element("quality").value - 1];
  element("chosen-quality").value = quality;
  return decode(stream, () => fetched(`./${stream}`), prepared);
}

if (sample) {
  element("sample").hidden = false;
  Object.assign(element("quality"), { max: sample.length, value: Math.ceil(sample.length / 2) });
  element("quality").addEventListener("input", decodeSample);
  loading.then(decodeSample, () => {});
}

file.addEventListener("change", () => file.files.length && decodeFile(file.files[0]));
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) decodeFile(event.dataTransfer.files[0]);
});
save.addEventListener("click", () => {
  const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.png` });
  link.click();
});
