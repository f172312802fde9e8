"""Decodes deterministic .lic streams of the codec in this folder, with numpy and onnxruntime.

    python decode.py photo.lic photo-decoded.png

`decode` returns the image as an array. An ordinary stream, which `lic compress` makes without --deterministic, cannot
be read: its networks compute other numbers in another library.
"""

from __future__ import annotations

import bisect
import decimal
import json
import pathlib
import struct
import sys
import zlib

import numpy as np
import onnxruntime

FOLDER = pathlib.Path(__file__).resolve().parent
MAX_PIXELS = 1 << 28  # Larger images are refused.
_GREY, _DETERMINISTIC, _QUALITY, _QUALITY_MAP = 1, 2, 4, 8  # The flags of a stream.
_TOTAL = 1 << 16  # The counts of a cdf sum to it.
_LIMIT = _TOTAL // 2  # An escaped symbol is coded with this added.
# Each argument is given: those that are left out come from decimal.DefaultContext, which a program may change.
_DECIMALS = decimal.Context(
    prec=30,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999999,
    Emax=999999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


class StreamError(Exception):
    """Bytes that are not a stream, are damaged, or are of an image that is too large."""


class WrongModelError(StreamError):
    """A stream that another codec made."""


class DesyncError(StreamError):
    """A stream whose decoded symbols are not those that were coded."""


class Header:
    """The fields of a stream, as lic's page "stream" describes them.

    Args:
      data: The stream.
    """

    def __init__(self, data: bytes):
        if data[:4] != b"\x93LIC":
            raise StreamError("Not a stream of lic: it begins in another way.")
        if len(data) < 20:
            raise StreamError("The stream is cut off. Get it anew.")
        if data[4] != 1:
            raise StreamError(f"The stream has format version {data[4]}, this reader takes 1.")
        if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
            raise StreamError("The stream is damaged or cut off: its checksum does not fit. Get it anew.")
        self.flags, self.fingerprint, self._rest = data[5], data[6:10], data[10:]
        if self.flags & ~(_GREY | _DETERMINISTIC | _QUALITY | _QUALITY_MAP):
            raise StreamError(f"The stream has unknown flags ({self.flags:#04x}). Export the codec with a newer lic.")
        self.height, self.width = self._number("height"), self._number("width")
        if not self.height or not self.width:
            raise StreamError(f"The stream is of an image of {self.height}x{self.width} pixels. Get it anew.")
        self.quality = self.quality_map = None
        if self.flags & _QUALITY:
            self.quality, self._rest = int.from_bytes(self._rest[:2], "little") / 256, self._rest[2:]
        if self.flags & _QUALITY_MAP:
            length = self._number("quality map's length")
            self.quality_map, self._rest = self._rest[:length], self._rest[length:]
        if len(self._rest) < 8:
            raise StreamError("The stream is cut off inside its header. Get it anew.")
        self.payload, self.symbols_crc = self._rest[:-8], int.from_bytes(self._rest[-8:-4], "little")

    def steps(self, rows: int, columns: int) -> np.ndarray:
        """Returns how far the quality of each position is above `quality`, in steps of 1/16 [rows, columns]."""
        if self.quality_map is None:
            return np.zeros((1, 1))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            steps = inflate.decompress(self.quality_map, rows * columns + 1)
        except zlib.error:
            steps = b""
        if len(steps) != rows * columns or not inflate.eof or inflate.unused_data:
            raise StreamError(f"The stream's quality map is not one of {rows}x{columns} positions. Get it anew.")
        return np.frombuffer(steps, np.uint8).reshape(rows, columns)

    def _number(self, name: str) -> int:
        """Takes a number in LEB128 from the rest: seven bits a byte, the lowest first."""
        number = 0
        for place, byte in enumerate(self._rest[:5]):
            number |= (byte & 127) << (7 * place)
            if byte < 128:
                self._rest = self._rest[place + 1 :]
                return number
        raise StreamError(f"The stream's {name} does not end within five bytes. Get it anew.")


class RangeDecoder:
    """Reads symbols from coded bytes, each by its cdf, as the range coder of tensorflow-compression writes them.

    Args:
      coded: The coded bytes; the zeros at their end were left out.
      cdfs: The cumulative counts of each cdf, from 0 to 65536.
      first: The first symbol of each cdf.
    """

    def __init__(self, coded: bytes, cdfs: list[list[int]], first: np.ndarray):
        self._coded, self._cdfs, self._first = coded, cdfs, first
        # The number read, less the base of the interval; the size of the interval; and the place to read on.
        self._place, self._size, self._next = int.from_bytes(coded[:4].ljust(4, b"\0"), "big"), 1 << 32, 4
        self._last = len(coded) + 256  # Well beyond what rounding intervals may take.

    def read(self, index: np.ndarray) -> np.ndarray:
        """Returns a symbol for each index of a cdf [count]."""
        values = self._values(index.tolist(), self._cdfs)
        symbols = values + self._first[index]
        # The last value of a cdf is its escape. The symbols of escapes follow after those of the whole part.
        (escaped,) = np.nonzero(values == np.array([len(each) - 2 for each in self._cdfs])[index])
        symbols[escaped] = self._values([0] * len(escaped), [range(_TOTAL + 1)]) - _LIMIT
        if self._next > self._last:
            raise _desync()
        return symbols

    def _values(self, index: list[int], cdfs: list) -> np.ndarray:
        place, size, after, coded = self._place, self._size, self._next, self._coded
        values, find = [], bisect.bisect_right
        for number in index:
            cdf = cdfs[number]
            value = min(find(cdf, (((place + 1) << 16) - 1) // size), len(cdf) - 1) - 1
            lower = (size * cdf[value]) >> 16
            size = ((size * cdf[value + 1]) >> 16) - lower
            place -= lower
            if size <= _TOTAL:
                size <<= 16
                place = ((place << 16) | int.from_bytes(coded[after : after + 2].ljust(2, b"\0"), "big")) & 0xFFFFFFFF
                after += 2
            values.append(value)
        self._place, self._size, self._next = place, size, after
        return np.array(values, np.int32)


class Codec:
    """The codec of a folder.

    Args:
      folder: The folder that `lic export --format portable` wrote.
    """

    def __init__(self, folder: str | pathlib.Path = FOLDER):
        folder = pathlib.Path(folder)
        self._described = json.loads((folder / "codec.json").read_text())
        if self._described["format"] != 1:
            raise StreamError("The codec in this folder has another form. Export it again, with this reader.")
        numbers = np.frombuffer((folder / "tables.bin").read_bytes(), "<i4")
        first, length, counts = np.split(numbers, [self._described["cdfs"], 2 * self._described["cdfs"]])
        cumulative = (np.concatenate([[0], np.cumsum(each)]) for each in np.split(counts, np.cumsum(length + 1)[:-1]))
        self._first, self._cdfs = first, [each.tolist() for each in cumulative]
        self._networks = [
            onnxruntime.InferenceSession(folder / each["file"], providers=["CPUExecutionProvider"])
            for each in self._described["stages"]
        ]

    def decode(self, data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Decodes a stream into uint8 of the shape that was compressed: [height, width, channels], or [height, width].

        Args:
          data: The stream.
          max_pixels: Larger images are refused.

        Raises:
          StreamError: The bytes are not a deterministic stream of this codec, or are damaged.
        """
        header = Header(data)
        rows, columns = self._check(header, max_pixels)
        values = {"rows": np.array(rows, np.int32), "columns": np.array(columns, np.int32)}
        if self._described["log_gains"]:
            steps = np.minimum(header.quality + header.steps(rows, columns) / 16, self._described["qualities"])
            levels, number = np.unique(steps, return_inverse=True)
            gains = np.stack([exact_gains(self._described["log_gains"], each) for each in levels], 1)
            values["gains"] = gains[:, number.reshape(steps.shape)]
        decoder, crc = RangeDecoder(header.payload, self._cdfs, self._first), 0
        for number, (stage, network) in enumerate(zip(self._described["stages"], self._networks)):
            outputs = network.run(stage["outputs"], {name: values[name] for name in stage["inputs"]})
            values |= zip(stage["outputs"], outputs)
            if number < len(self._described["parts"]):
                part = self._described["parts"][number]
                index = values[part["index"]]
                kept = values[part["kept"]] if "kept" in part else np.ones(index.shape, bool)
                symbols = np.zeros(index.shape, "<i4")
                symbols[kept] = decoder.read(index[kept])
                crc = zlib.crc32(symbols, crc)
                values[part["symbols"]] = symbols.astype(np.float32)
        if crc != header.symbols_crc:
            raise _desync()
        pixels = np.clip(values["image"][: header.height, : header.width], 0, 255)
        return np.rint(pixels.mean(-1) if header.flags & _GREY else pixels).astype(np.uint8)

    def _check(self, header: Header, max_pixels: int) -> tuple[int, int]:
        """Returns height and width of the latent, once the stream is known to be this codec's and long enough."""
        described = self._described
        if not header.flags & _DETERMINISTIC:
            raise StreamError("This is an ordinary stream. Only those of `lic compress --deterministic` can be read.")
        if header.fingerprint.hex() != described["fingerprint"]:
            raise WrongModelError(
                f"The stream was made by the codec {header.fingerprint.hex()}, this is {described['fingerprint']}."
            )
        most = described["qualities"]
        known = header.quality_map is None if header.quality is None else 1 <= header.quality <= most
        if (header.quality is None) == bool(most) or not known:
            raise StreamError(f"The stream has quality {header.quality}, which this codec never writes. Get it anew.")
        scale = described["downscale"]
        rows, columns = -(-header.height // scale), -(-header.width // scale)
        if rows * columns * scale**2 > max_pixels:
            raise StreamError(f"The stream is of an image of {header.height}x{header.width} pixels, over {max_pixels}.")
        least = described["least_bits"]
        side = sum(-(-rows // each) * -(-columns // each) * bits for each, bits in least["of_side"])
        bits = side + rows * columns * max(described["depth"] * least["of_number"], least["of_position"])
        if bits > 8 * len(header.payload) * 33 / 32 + 1024:
            raise StreamError("The stream is too short for the size in its header: it is damaged or made up.")
        return rows, columns


def exact_gains(log_gains: list, quality: float) -> np.ndarray:
    """Returns the gains of a quality, float32 [5, depth], rounded as everywhere: in decimal numbers of 30 digits."""
    lower = min(int(quality) - 1, len(log_gains[0]) - 2)
    with decimal.localcontext(_DECIMALS):
        weight = decimal.Decimal(quality - 1) - lower
        gain, factor, output = (
            [decimal.Decimal(low) * (1 - weight) + decimal.Decimal(high) * weight for low, high in zip(*table[lower:])]
            for table in (table[: lower + 2] for table in log_gains)
        )
        scales = [one + other for one, other in zip(gain, factor)]
        rows = [[each.exp() for each in gain], [(-each).exp() for each in gain], [each.exp() for each in scales]]
        rows += [scales, [each.exp() for each in output]]
        return np.array([[float(each) for each in row] for row in rows], np.float32)


def png(image: np.ndarray) -> bytes:
    """Returns an image, uint8 [height, width, 3], or [height, width] or [height, width, 1] for grey, as a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = image.shape[:2]
    header = struct.pack(">2I5B", width, height, 8, 2 if image.shape[2:] == (3,) else 0, 0, 0, 0)
    rows = image.reshape(height, -1)
    # Each row begins with its filter: 2 states the difference from the row above.
    filtered = np.insert(np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1])), 0, 2, axis=1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _desync() -> DesyncError:
    return DesyncError("The decoded symbols differ from those that were coded: the stream was made up or damaged.")


def main() -> None:
    """Decodes the stream that the command line names into the PNG file that it names."""
    if len(sys.argv) != 3:
        sys.exit("usage: python decode.py STREAM.lic IMAGE.png")
    source, target = map(pathlib.Path, sys.argv[1:])
    if target.suffix.lower() != ".png":
        sys.exit(f"decode.py: the picture is written as PNG, so its name ends in .png. Received: {target}")
    try:
        picture = png(Codec().decode(source.read_bytes()))
        with target.open("xb") as file:  # A picture that is there already, perhaps the original, stays.
            file.write(picture)
    except OSError as error:
        sys.exit(f"decode.py: {error.filename}: {error.strerror}")
    except StreamError as error:
        sys.exit(f"decode.py: {error}")


if __name__ == "__main__":
    main()
