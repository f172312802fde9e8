// Decodes deterministic .lic streams of the codec in this folder, with onnxruntime-web.
//
//     import { Codec } from "./decode.js";
//     const codec = await Codec.load(".");
//     const { width, height, pixels } = await codec.decode(new Uint8Array(buffer));  // RGBA
//
// An ordinary stream, which `lic compress` makes without --deterministic, cannot be read: its networks compute other
// numbers in another library. The same steps in Python are in decode.py.

import * as ort from "./ort.wasm.min.mjs";

const MAX_PIXELS = 268_435_456; // Larger images are refused.
const GREY = 1, DETERMINISTIC = 2, QUALITY = 4, QUALITY_MAP = 8; // The flags of a stream.
const TOTAL = 65536; // The counts of a cdf sum to it.
const LIMIT = TOTAL / 2; // An escaped symbol is coded with this added.

/** Bytes that are not a stream, are damaged, or are of an image that is too large. */
export class StreamError extends Error {
  name = "StreamError";
}

/** A stream that another codec made. */
export class WrongModelError extends StreamError {
  name = "WrongModelError";
}

/** A stream whose decoded symbols are not those that were coded. */
export class DesyncError extends StreamError {
  name = "DesyncError";
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/** Returns the CRC-32 of bytes that follow others, whose CRC-32 is given. */
export function crc32(bytes, before = 0) {
  let crc = ~before;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The fields of a stream, as lic's page "stream" describes them. */
export class Header {
  constructor(data) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if ([0x93, 0x4c, 0x49, 0x43].some((byte, place) => data[place] !== byte))
      throw new StreamError("Not a stream of lic: it begins in another way.");
    if (data.length < 20) throw new StreamError("The stream is cut off. Get it anew.");
    if (data[4] !== 1) throw new StreamError(`The stream has format version ${data[4]}, this reader takes 1.`);
    if (crc32(data.subarray(0, -4)) !== view.getUint32(data.length - 4, true))
      throw new StreamError("The stream is damaged or cut off: its checksum does not fit. Get it anew.");
    this.flags = data[5];
    if (this.flags & ~(GREY | DETERMINISTIC | QUALITY | QUALITY_MAP))
      throw new StreamError(`The stream has unknown flags (${this.flags}). Export the codec with a newer lic.`);
    this.fingerprint = Array.from(data.subarray(6, 10), (byte) => byte.toString(16).padStart(2, "0")).join("");
    let place = 10;
    const number = (name) => {
      let value = 0;
      for (let group = 0; group < 5; group++) {
        const byte = data[place++];
        value += (byte & 127) * 128 ** group; // Seven bits a byte, the lowest first.
        if (byte < 128) return value;
      }
      throw new StreamError(`The stream's ${name} does not end within five bytes. Get it anew.`);
    };
    this.height = number("height");
    this.width = number("width");
    if (!this.height || !this.width)
      throw new StreamError(`The stream is of an image of ${this.height}x${this.width} pixels. Get it anew.`);
    this.quality = null;
    if (this.flags & QUALITY) {
      this.quality = (data[place] + 256 * data[place + 1]) / 256;
      place += 2;
    }
    this.map = null;
    if (this.flags & QUALITY_MAP) {
      const length = number("quality map's length");
      this.map = data.subarray(place, (place += length));
    }
    if (place > data.length - 8) throw new StreamError("The stream is cut off inside its header. Get it anew.");
    this.payload = data.subarray(place, -8);
    this.symbolsCrc = view.getUint32(data.length - 8, true);
  }

  /** Returns how far the quality of each position is above `quality`, in steps of 1/16, row by row. */
  async steps(rows, columns) {
    const steps = new Uint8Array(rows * columns);
    let length = 0;
    try {
      const inflated = new Blob([this.map]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
      for (let next; !(next = await inflated.read()).done; length += next.value.length) steps.set(next.value, length);
    } catch {
      length = -1; // The bytes are not compressed, end early, or are of more positions.
    }
    if (length !== steps.length)
      throw new StreamError(`The stream's quality map is not one of ${rows}x${columns} positions. Get it anew.`);
    return steps;
  }
}

const UNIFORM = { length: TOTAL + 1 }; // The cdf of escapes: value k begins at k.

/** Reads symbols from coded bytes, each by its cdf, as the range coder of tensorflow-compression writes them. */
export class RangeDecoder {
  constructor(coded, cdfs, first) {
    Object.assign(this, { coded, cdfs, first, size: 2 ** 32, next: 4 });
    this.place = [0, 1, 2, 3].reduce((value, byte) => value * 256 + (coded[byte] ?? 0), 0);
    this.last = coded.length + 256; // Well beyond what rounding intervals may take.
  }

  /** Returns a symbol for each index of a cdf; where `kept` is 0, none is read, and the symbol is 0. */
  read(index, kept) {
    const symbols = new Int32Array(index.length);
    const escaped = [];
    for (let number = 0; number < index.length; number++) {
      if (kept && !kept[number]) continue;
      const cdf = this.cdfs[index[number]];
      const value = this.value(cdf);
      if (value === cdf.length - 2) escaped.push(number); // The last value of a cdf is its escape.
      else symbols[number] = value + this.first[index[number]];
    }
    // The symbols of escapes follow after those of the whole part.
    for (const number of escaped) symbols[number] = this.value(UNIFORM) - LIMIT;
    if (this.next > this.last) throw desync();
    return symbols;
  }

  value(cdf) {
    // All numbers stay below 2^49, so that doubles are exact.
    const wanted = Math.floor(((this.place + 1) * TOTAL - 1) / this.size);
    let low = 0;
    if (cdf === UNIFORM) low = Math.min(wanted, TOTAL - 1);
    else
      for (let high = cdf.length - 2; low < high; ) {
        const middle = (low + high + 1) >> 1;
        if (cdf[middle] <= wanted) low = middle;
        else high = middle - 1;
      }
    const [below, upto] = cdf === UNIFORM ? [low, low + 1] : [cdf[low], cdf[low + 1]];
    const lower = Math.floor((this.size * below) / TOTAL);
    this.size = Math.floor((this.size * upto) / TOTAL) - lower;
    this.place -= lower;
    if (this.size <= TOTAL) {
      this.size *= TOTAL;
      const word = 256 * (this.coded[this.next] ?? 0) + (this.coded[this.next + 1] ?? 0);
      this.place = (this.place * TOTAL + word) % 2 ** 32;
      this.next += 2;
    }
    return low;
  }
}

/** The codec of a folder that `lic export --format portable` wrote. */
export class Codec {
  /** Fetches the codec of a folder, given by its address. */
  static async load(folder = ".") {
    const fetched = async (name) => {
      const answer = await fetch(`${folder}/${name}`);
      if (!answer.ok) throw new Error(`${name} cannot be fetched: ${answer.status} ${answer.statusText}`);
      return answer.arrayBuffer();
    };
    const described = JSON.parse(new TextDecoder().decode(await fetched("codec.json")));
    if (described.format !== 1)
      throw new StreamError("The codec in this folder has another form. Export it again, with this reader.");
    ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
    const numbers = new Int32Array(await fetched("tables.bin"));
    const codec = new Codec();
    codec.described = described;
    codec.first = numbers.subarray(0, described.cdfs);
    codec.cdfs = cumulative(numbers.subarray(described.cdfs), described.cdfs);
    codec.networks = [];
    for (const { file } of described.stages)
      codec.networks.push(await ort.InferenceSession.create(await fetched(file), { executionProviders: ["wasm"] }));
    return codec;
  }

  /** Decodes a stream, a Uint8Array, into { width, height, pixels }, with RGBA pixels row by row. */
  async decode(data, maxPixels = MAX_PIXELS) {
    const { described } = this;
    const header = new Header(data);
    const [rows, columns] = this.check(header, maxPixels);
    const whole = (number) => new ort.Tensor("int32", Int32Array.of(number), []);
    const values = { rows: whole(rows), columns: whole(columns) };
    if (described.log_gains) {
      const steps = header.map ? await header.steps(rows, columns) : [0];
      const gains = gainsAt(steps, (step) =>
        exactGains(described.log_gains, Math.min(header.quality + step / 16, described.qualities)),
      );
      const sizes = header.map ? [rows, columns] : [1, 1];
      values.gains = new ort.Tensor("float32", gains, [5, ...sizes, described.depth]);
    }
    const decoder = new RangeDecoder(header.payload, this.cdfs, this.first);
    let crc = 0;
    for (const [number, { inputs }] of described.stages.entries()) {
      Object.assign(
        values,
        await this.networks[number].run(Object.fromEntries(inputs.map((name) => [name, values[name]]))),
      );
      const part = described.parts[number];
      if (part) {
        const index = values[part.index];
        const symbols = decoder.read(index.data, part.kept && values[part.kept].data);
        crc = crc32(new Uint8Array(symbols.buffer), crc);
        values[part.symbols] = new ort.Tensor("float32", Float32Array.from(symbols), index.dims);
      }
    }
    if (crc !== header.symbolsCrc) throw desync();
    return rgba(values.image, header);
  }

  /** Returns height and width of the latent, once the stream is known to be this codec's and long enough. */
  check(header, maxPixels) {
    const { fingerprint, qualities, downscale, depth, least_bits: least } = this.described;
    if (!(header.flags & DETERMINISTIC))
      throw new StreamError("This is an ordinary stream. Only those of `lic compress --deterministic` can be read.");
    if (header.fingerprint !== fingerprint)
      throw new WrongModelError(`The stream was made by the codec ${header.fingerprint}, this is ${fingerprint}.`);
    const inRange = header.quality === null ? !header.map : (header.quality >= 1 && header.quality <= qualities);
    if ((header.quality === null) !== !qualities || !inRange)
      throw new StreamError(`The stream has quality ${header.quality}, which this codec never writes. Get it anew.`);
    const [rows, columns] = [header.height, header.width].map((size) => Math.ceil(size / downscale));
    if (rows * columns * downscale ** 2 > maxPixels)
      throw new StreamError(`The stream is of an image of ${header.height}x${header.width} pixels, over ${maxPixels}.`);
    let bits = rows * columns * Math.max(depth * least.of_number, least.of_position);
    for (const [each, of_position] of least.of_side)
      bits += Math.ceil(rows / each) * Math.ceil(columns / each) * of_position;
    if (bits > (8 * header.payload.length * 33) / 32 + 1024)
      throw new StreamError("The stream is too short for the size in its header: it is damaged or made up.");
    return [rows, columns];
  }
}

/** Returns cumulative counts of each cdf, from 0 to 65536, of the lengths of all and the counts of all. */
function cumulative(numbers, count) {
  const cdfs = [];
  for (let number = 0, place = count; number < count; number++) {
    const cdf = new Int32Array(numbers[number] + 2);
    for (let value = 0; value <= numbers[number]; value++) cdf[value + 1] = cdf[value] + numbers[place++];
    cdfs.push(cdf);
  }
  return cdfs;
}

// Gains are computed in fixed point, so that they are rounded as everywhere: Math.exp differs between browsers.
const FRACTION = 160n, ONE = 1n << FRACTION;

/** Returns the gains of a quality, a Float32Array [5, depth]. */
export function exactGains(logGains, quality) {
  const lower = Math.min(Math.floor(quality) - 1, logGains[0].length - 2);
  const weight = BigInt(Math.round((quality - 1 - lower) * 256)); // Streams have the quality in 256ths.
  const [gain, factor, output] = logGains.map((table) =>
    table[lower].map((low, place) => (fixed(low) * (256n - weight) + fixed(table[lower + 1][place]) * weight) / 256n),
  );
  const scales = gain.map((one, place) => one + factor[place]);
  const rows = [gain.map(exp), gain.map((each) => exp(-each)), scales.map(exp), scales, output.map(exp)];
  return Float32Array.from(rows.flat(), (each) => Number(each) / 2 ** Number(FRACTION));
}

/** Returns the gains at each position, a Float32Array [5, positions, depth], where `of` returns those of a step. */
function gainsAt(steps, of) {
  const known = new Map();
  for (const step of steps) if (!known.has(step)) known.set(step, of(step));
  const depth = known.get(steps[0]).length / 5;
  const gains = new Float32Array(5 * steps.length * depth);
  for (let kind = 0, to = 0; kind < 5; kind++)
    for (const step of steps) {
      gains.set(known.get(step).subarray(kind * depth, (kind + 1) * depth), to);
      to += depth;
    }
  return gains;
}

/** Returns a double as a multiple of 2^-160. */
function fixed(number) {
  let bits = 0;
  while (!Number.isInteger(number)) {
    number *= 2;
    bits++;
  }
  return (BigInt(number) << FRACTION) >> BigInt(bits);
}

function exp(number) {
  // exp(x) is exp(x / 256) squared eight times.
  let sum = ONE, term = ONE;
  const small = number >> 8n;
  for (let count = 1n; term; count++) {
    term = (term * small) / (ONE * count);
    sum += term;
  }
  for (let count = 0; count < 8; count++) sum = (sum * sum) >> FRACTION;
  return sum;
}

function rgba(image, { height, width, flags }) {
  const [, columns, channels] = image.dims;
  const pixels = new Uint8ClampedArray(4 * height * width);
  const level = (value) => Math.min(Math.max(value, 0), 255);
  for (let row = 0, to = 0; row < height; row++)
    for (let from = row * columns * channels, end = from + width * channels; from < end; from += channels, to += 4) {
      const colours = [0, 1, 2].map((channel) => level(image.data[from + (channels === 1 ? 0 : channel)]));
      const grey = (colours[0] + colours[1] + colours[2]) / 3;
      // Uint8ClampedArray rounds to the nearest number, and halves to the even one.
      for (let channel = 0; channel < 3; channel++) pixels[to + channel] = flags & GREY ? grey : colours[channel];
      pixels[to + 3] = 255;
    }
  return { width, height, pixels };
}

function desync() {
  return new DesyncError("The decoded symbols differ from those that were coded: the stream was made up or damaged.");
}
