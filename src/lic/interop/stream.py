"""The streams of one codec in TensorFlow operations: what `lic.codec.bitstream` does, where no Python runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lic.codec.bitstream import MAGIC, QUALITY_STEPS, VERSION, Flag
from lic.codec.shipped import name_of
from lic.environment import tf
from lic.interop.crc32 import crc32_of_bytes

_VERSION, _FLAGS, _FINGERPRINT, _HEIGHT = 4, 5, 6, 10  # Where the fields start.
_LONGEST_SIZE, _CHECKSUMS, _SHORTEST = 5, 8, 20
_LONGEST_HEAD = _HEIGHT + 2 * _LONGEST_SIZE + 2
_EVERY_BYTE = [bytes([value]) for value in range(256)]
_HEXADECIMAL = [f"{value:02x}" for value in range(256)]
Check = tuple[tf.Tensor, Any]  # What must hold, and what is said where it does not: a string, or pieces of one.


class Fields(NamedTuple):
    """The fields of a stream that differ between those of one codec, as scalar tensors.

    Attributes:
      height: Of the image, int32.
      width: Of the image, int32.
      payload: Range-coder bytes, a string.
      symbols_crc: CRC-32 of the coded symbols, its bits as int32.
      grey: Whether the image is grey.
      quality: The quality that it was made with, or 0 where the codec has a single rate.
    """

    height: tf.Tensor
    width: tf.Tensor
    payload: tf.Tensor
    symbols_crc: tf.Tensor
    grey: tf.Tensor
    quality: tf.Tensor


class StreamFormat(NamedTuple):
    """Makes the streams of a codec, and takes them apart.

    Attributes:
      fingerprint: The codec's.
      deterministic: Whether it makes its streams by networks in whole numbers.
      qualities: How many qualities it has; 0 for a single rate.
      max_pixels: Streams of larger images are refused.
    """

    fingerprint: bytes
    deterministic: bool
    qualities: int
    max_pixels: int

    def pack(self, fields: Fields) -> tf.Tensor:
        """Returns a stream, a string."""
        flags = int(self._flags) + int(Flag.GREY) * tf.cast(fields.grey, tf.int32)
        steps = tf.cast(tf.round(fields.quality * QUALITY_STEPS), tf.int32)
        parts = [
            MAGIC + bytes([VERSION]),
            _string(flags[None]),
            self.fingerprint,
            _string(_leb128(fields.height)),
            _string(_leb128(fields.width)),
            _string(_bytes_of(steps)[:2]) if self.qualities else b"",
            fields.payload,
            _string(_bytes_of(fields.symbols_crc)),
        ]
        content = tf.strings.join(parts)
        return tf.strings.join([content, _string(_bytes_of(crc32_of_bytes(tf.io.decode_raw(content, tf.uint8))))])

    def parse(self, stream: tf.Tensor) -> Fields:
        """Takes a stream apart; one that is no stream, damaged or not the codec's ends in an InvalidArgumentError."""
        content = tf.io.decode_raw(stream, tf.uint8)
        # Behind its end a stream is taken to go on with a size that never ends.
        head = _padded(tf.cast(content[:_LONGEST_HEAD], tf.int32), after=_LONGEST_HEAD, value=128)
        tail = _padded(content[-_CHECKSUMS:], before=_CHECKSUMS)
        symbols_crc, crc = tf.unstack(tf.bitcast(tf.reshape(tail, (2, 4)), tf.int32))
        height, start = _read_leb128(head, tf.constant(_HEIGHT))
        width, start = _read_leb128(head, start)
        has_quality = tf.bitwise.bitwise_and(head[_FLAGS], int(Flag.QUALITY)) > 0
        steps = tf.where(has_quality, head[start] + 256 * head[start + 1], 0)
        start, quality = start + tf.where(has_quality, 2, 0), tf.cast(steps, tf.float32) / QUALITY_STEPS
        length = tf.size(content)
        checks = [
            *_check_bytes(head, length, crc32_of_bytes(content[:-4]) == crc),
            *_check_sizes(height, width),
            (start <= length - _CHECKSUMS, "The stream is cut off inside its header. Get it anew."),
            *self._check_codec(head[_FINGERPRINT:_HEIGHT], head[_FLAGS], quality),
            self._check_pixels(height, width),
        ]
        stream = checked(stream, checks)
        return Fields(
            tf.cast(height, tf.int32),
            tf.cast(width, tf.int32),
            tf.strings.substr(stream, start, length - _CHECKSUMS - start),
            symbols_crc,
            head[_FLAGS] % 2 == int(Flag.GREY),
            quality,
        )

    @property
    def _flags(self) -> Flag:
        """Those that all streams of the codec have."""
        flags = Flag.DETERMINISTIC if self.deterministic else Flag(0)
        return flags | (Flag.QUALITY if self.qualities else Flag(0))

    def _check_codec(self, fingerprint: tf.Tensor, flags: tf.Tensor, quality: tf.Tensor) -> list[Check]:
        known = flags - flags % 2 == int(self._flags)
        known &= (quality >= min(1, self.qualities)) & (quality <= self.qualities)
        other = tf.strings.reduce_join(tf.gather(_HEXADECIMAL, fingerprint))
        own = f", this is {name_of(self.fingerprint)}. Decode it with the codec that made it."
        never = ", which this codec never writes. Get it anew."
        return [
            (tf.reduce_all(fingerprint == [*self.fingerprint]), ("The stream was made by the codec ", other, own)),
            (known, ("The stream says flags ", flags, " and quality ", quality, never)),
        ]

    def _check_pixels(self, height: tf.Tensor, width: tf.Tensor) -> Check:
        # A product of two sizes of 35 bits would not fit.
        small = height <= self.max_pixels // tf.maximum(width, 1)
        more = f" pixels, more than the {self.max_pixels} that are allowed."
        return small, ("The stream is of an image of ", height, "x", width, more)


def checked(value: tf.Tensor, checks: Iterable[Check]) -> tf.Tensor:
    """Returns a tensor once all checks hold; the first that does not ends in an InvalidArgumentError."""
    for holds, message in checks:
        pieces = message if isinstance(message, tuple) else (message,)
        said = tf.strings.join([_text(piece) for piece in pieces])
        with tf.control_dependencies([value]), tf.control_dependencies([tf.debugging.Assert(holds, [said])]):
            value = tf.identity(value)
    return value


def _check_bytes(head: tf.Tensor, length: tf.Tensor, undamaged: tf.Tensor) -> list[Check]:
    """Checks in the order in which `lic.codec.bitstream.Stream.parse` makes them, in the same words."""
    cut = ("The stream is cut off: it has ", length, f" bytes, expected {_SHORTEST} at least. Get it anew.")
    version = ("The stream has format version ", head[_VERSION], f", this lic reads {VERSION}. Update lic.")
    flags = ("The stream has unknown flags (0x", tf.gather(_HEXADECIMAL, head[_FLAGS]), "). Update lic.")
    return [
        (tf.reduce_all(head[: len(MAGIC)] == [*MAGIC]), f"Not a stream of lic: it does not start with {MAGIC!r}."),
        (length >= _SHORTEST, cut),
        (head[_VERSION] == VERSION, version),
        (undamaged, "The stream is damaged or cut off: its checksum does not fit. Get it anew."),
        (head[_FLAGS] <= sum(Flag), flags),
    ]


def _check_sizes(height: tf.Tensor, width: tf.Tensor) -> list[Check]:
    endless = "The height or width of the stream does not end within five bytes. Get it anew."
    none = ("The stream is of an image of ", height, "x", width, " pixels. Get it anew.")
    return [((height >= 0) & (width >= 0), endless), ((height > 0) & (width > 0), none)]


def _leb128(number: tf.Tensor) -> tf.Tensor:
    """The bytes [count] of a number, int32."""
    rest = tf.bitwise.right_shift(number, [7 * group for group in range(_LONGEST_SIZE)])
    rest = rest[: tf.maximum(tf.math.count_nonzero(rest, dtype=tf.int32), 1)]
    last = tf.range(tf.size(rest)) == tf.size(rest) - 1
    return rest % 128 + tf.where(last, 0, 128)


def _read_leb128(head: tf.Tensor, start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A number, int64, or -1 where it does not end within five bytes, and where the next field starts."""
    window = head[start : start + _LONGEST_SIZE]
    count = tf.reduce_sum(tf.math.cumprod(tf.cast(window >= 128, tf.int32))) + 1
    units = tf.constant([1 << 7 * group for group in range(_LONGEST_SIZE)], tf.int64)
    groups = tf.cast(window % 128, tf.int64)[:count] * units[:count]
    ends = count <= _LONGEST_SIZE
    return tf.where(ends, tf.reduce_sum(groups), -1), start + tf.minimum(count, _LONGEST_SIZE)


def _bytes_of(number: tf.Tensor) -> tf.Tensor:
    """The four bytes of an int32 from the lowest on, as int32."""
    return tf.cast(tf.bitcast(number, tf.uint8), tf.int32)


def _string(values: tf.Tensor) -> tf.Tensor:
    """The string of bytes [count], int32."""
    return tf.strings.reduce_join(tf.gather(_EVERY_BYTE, values))


def _text(piece: Any) -> Any:
    is_number = isinstance(piece, tf.Tensor) and piece.dtype != tf.string
    return tf.strings.as_string(piece, shortest=piece.dtype.is_floating) if is_number else piece


def _padded(values: tf.Tensor, before: int = 0, after: int = 0, value: int = 0) -> tf.Tensor:
    """Values [count] with others in front or behind, as many as are missing."""
    missing = [tf.maximum(length - tf.size(values), 0) if length else 0 for length in (before, after)]
    return tf.pad(values, [missing], constant_values=tf.cast(value, values.dtype))
