"""The range coder. Only this file imports the coder's operations, from the first package that has them.

Some processors and TensorFlows have no wheels of these packages. There, and where `LIC_CODER=numba` is set in the
environment, the coder is that of `lic.entropy.range_coding.numba_coder`, which gives the same bytes.

The packages' own escape mode, a negative precision, does not return on some streams. So only cdfs of positive precision
are used, and escapes are coded with cdfs of their own (see `lic.entropy.range_coding.cdf_tables`).

A decoder may read beyond the end of a string, because the encoder leaves out zeros there. It must not do so for ever:
a made-up stream of 50 bytes may be of an image of any size. So the bits of values are added up, in large parts of so
many values only that it takes little time, and compared with the string's length after each part (`most_bits`).
"""

from __future__ import annotations

import importlib
import os
import time
from types import ModuleType
from typing import Any

from lic.entropy.range_coding.cdf_tables import LIMIT, CdfTables
from lic.entropy.range_coding.pieces import Pieces
from lic.environment import NEEDS, tf

CHOICE = "LIC_CODER"
TOO_SHORT = "The coded bytes end before the symbols do."
_PACKAGES = ("tensorflow_compression", "tensorflow_compression_ops")
_COUNTED = 1 << 16
# The coder rounds intervals, and leaves out zeros at the end, so that values may take a few bits more than a string
# has: a number of bits, and one bit in 32. An encoder appends zeros where values take more than half of this margin.
_MARGIN, _RELATIVE_MARGIN = 1024, 32


class _Operations:
    """The coder of one of the packages."""

    def __init__(self, package: ModuleType):
        self.name, self._package = package.__name__, package

    def encode(self, tables: CdfTables, indexes: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        handle = self._package.create_range_encoder([], tables.cdf)
        return self._package.entropy_encode_finalize(self._package.entropy_encode_index(handle, indexes, values))

    def start(self, tables: CdfTables, string: tf.Tensor) -> tf.Tensor:
        return self._package.create_range_decoder(string, tables.cdf)

    def decode(self, tables: CdfTables, state: tf.Tensor, indexes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tuple(self._package.entropy_decode_index(state, indexes, tf.shape(indexes), tf.int32))


def _chosen() -> Any:
    """Returns the coder that `LIC_CODER` names, or else the first that can be imported.

    Raises:
      ImportError: `LIC_CODER` names no coder, or the coder cannot be imported.
    """
    asked = os.environ.get(CHOICE, "")
    if asked not in ("", "numba", "tensorflow"):
        raise ImportError(f"{CHOICE}={asked}: expected numba, tensorflow or nothing.")
    failed = []
    for name in () if asked == "numba" else _PACKAGES:
        try:
            return _Operations(importlib.import_module(name))
        except (ImportError, tf.errors.NotFoundError) as error:
            failed.append(error)
    if asked == "tensorflow":
        raise ImportError(f"{CHOICE}=tensorflow, but neither {' nor '.join(_PACKAGES)} can be imported ({failed[-1]}).")
    try:
        return importlib.import_module("lic.entropy.range_coding.numba_coder")
    except ImportError as error:
        raise ImportError(
            f"{NEEDS}, and with it a range coder: tensorflow-compression, tensorflow-compression-ops or numba; "
            f"none can be imported here ({error})."
        ) from None


_coder = _chosen()


def coder_name() -> str:
    """Returns the name of the coder in use: the package of its operations, or "numba"."""
    return getattr(_coder, "name", "numba")


class RangeEncoder:
    """Collects symbols part by part and codes them at the end.

    Args:
      tables: The coder's tables.
    """

    def __init__(self, tables: CdfTables):
        self._tables = tables
        self._indexes, self._values, self._bits = Pieces(tf.int32), Pieces(tf.int32), _BitCounter(tables)

    def write(self, indexes: tf.Tensor, symbols: tf.Tensor, kept: tf.Tensor | None = None) -> None:
        """Adds symbols, each with the index of its cdf; symbols that the cdf does not hold become escapes.

        Args:
          indexes: The indexes.
          symbols: The symbols, likewise.
          kept: Whether each symbol is written, likewise; None if all are.
        """
        tables, indexes, symbols = self._tables, tf.reshape(indexes, [-1]), tf.reshape(symbols, [-1])
        if kept is not None:
            places = _places(kept)
            indexes, symbols = tf.gather(indexes, places), tf.gather(symbols, places)
        # After its symbols, a part has a second symbol for each: the escaped one by the cdf of escapes, or else one by
        # the cdf of a certain symbol, which takes no bits. So a decoder knows their number before it reads them.
        length = tf.gather(tables.cdf_length, indexes)
        values = symbols - tf.gather(tables.cdf_offset, indexes)
        escaped = tf.logical_or(values < 0, values >= length)
        values = tf.where(escaped, length, values)
        self._indexes.add(tf.concat([indexes, tf.where(escaped, tables.escape, tables.no_escape)], 0))
        self._values.add(tf.concat([values, tf.where(escaped, symbols + LIMIT + 1, 0)], 0))
        self._bits.add(indexes, values)

    def begin_loop(self) -> None:
        """States that a loop begins, in which symbols are written."""
        self._indexes.begin_loop()
        self._values.begin_loop()

    def loop_state(self) -> tuple:
        """Returns the tensors that are variables of the loop."""
        return self._indexes.array, self._values.array, self._bits.total

    def set_loop_state(self, state: tuple) -> None:
        """Takes tensors in the place of those that `loop_state` returned."""
        self._indexes.array, self._values.array, self._bits.total = state

    def end_loop(self) -> None:
        """States that the loop has ended."""
        self._indexes.end_loop()
        self._values.end_loop()

    def finish(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Codes everything that was written.

        Returns:
          One string, and the index of the cdf of each value in it [values], which `coder_seconds` takes.
        """
        indexes = self._indexes.joined()
        string = _coder.encode(self._tables, indexes, self._values.joined())
        return self._lasting(string), indexes

    def _lasting(self, string: tf.Tensor) -> tf.Tensor:
        """Returns a string with so many zeros at its end, usually none, that the decoder takes it to last."""
        bits = self._bits.total // 256
        missing = bits - bits // (2 * _RELATIVE_MARGIN) - _MARGIN // 2
        zeros = tf.maximum(tf.cast(missing // 8, tf.int32) + 1 - tf.strings.length(string), 0)
        return tf.strings.join([string, tf.strings.reduce_join(tf.fill([zeros], "\0"))])


class RangeDecoder:
    """Reads symbols that `RangeEncoder` coded, part by part.

    A damaged string gives other symbols. One that ends long before its symbols do is an InvalidArgumentError of
    TensorFlow, whose message holds `TOO_SHORT`, after the first part that it does not last for.

    Args:
      string: The coded string.
      tables: The tables that it was coded with.
    """

    def __init__(self, string: tf.Tensor, tables: CdfTables):
        self._tables, self._indexes = tables, Pieces(tf.int32)
        self._state, self._bits = _coder.start(tables, string), _BitCounter(tables)
        self._most_bits = 256 * most_bits(tf.cast(tf.strings.length(string), tf.int64))

    def read(self, indexes: tf.Tensor, kept: tf.Tensor | None = None) -> tf.Tensor:
        """Returns a symbol for each index of a cdf, in the shape of the indexes.

        Args:
          indexes: The indexes.
          kept: Whether each symbol was written, likewise; the others are zero. None if all were.
        """
        if kept is not None:
            places = _places(kept)
            symbols = self.read(tf.gather(tf.reshape(indexes, [-1]), places))
            flat = tf.scatter_nd(places[:, None], symbols, [tf.size(indexes)])
            return tf.reshape(flat, tf.shape(indexes))
        tables, shape, indexes = self._tables, tf.shape(indexes), tf.reshape(indexes, [-1])
        values = self._read(indexes)
        escaped = values >= tf.gather(tables.cdf_length, indexes)
        # The symbols of escapes follow after those of the whole part, as they were written.
        outside = self._read(tf.where(escaped, tables.escape, tables.no_escape))
        symbols = tf.where(escaped, outside - LIMIT - 1, values + tf.gather(tables.cdf_offset, indexes))
        self._bits.add(indexes, values)
        with tf.control_dependencies([tf.debugging.Assert(self._bits.total <= self._most_bits, [TOO_SHORT])]):
            return tf.reshape(symbols, shape)

    def indexes(self) -> tf.Tensor:
        """Returns the index of the cdf of each value that has been read [values], which `coder_seconds` takes."""
        return self._indexes.joined()

    def begin_loop(self) -> None:
        """States that a loop begins, in which symbols are read."""
        self._indexes.begin_loop()

    def loop_state(self) -> tuple:
        """Returns the tensors that are variables of the loop."""
        return self._state, self._bits.total, self._indexes.array

    def set_loop_state(self, state: tuple) -> None:
        """Takes tensors in the place of those that `loop_state` returned."""
        self._state, self._bits.total, self._indexes.array = state

    def end_loop(self) -> None:
        """States that the loop has ended."""
        self._indexes.end_loop()

    def _read(self, indexes: tf.Tensor) -> tf.Tensor:
        self._indexes.add(indexes)
        self._state, values = _coder.decode(self._tables, self._state, indexes)
        return values


def _places(kept: tf.Tensor) -> tf.Tensor:
    """Returns the places [count] of those numbers, in flat order, that are kept."""
    return tf.cast(tf.where(tf.reshape(kept, [-1]))[:, 0], "int32")


class _BitCounter:
    """Adds up the bits of values, in 256ths: of all values of a small part, and of some 65,536 of a large one.

    Args:
      tables: The coder's tables.
    """

    def __init__(self, tables: CdfTables):
        # Arrays would become constants of the graph anew for each part.
        self._starts, self._bits = tf.constant(tables.starts(), tf.int32), tf.constant(tables.bits())
        # Whole numbers, so that a stream lasts on every machine if it does on one.
        self.total = tf.constant(0, tf.int64)

    def add(self, indexes: tf.Tensor, values: tf.Tensor) -> None:
        """Adds values by the indexes of their cdfs."""
        step = 1 + tf.size(indexes) // _COUNTED
        indexes, values = indexes[::step], values[::step]
        self.total += tf.reduce_sum(tf.gather(self._bits, tf.gather(self._starts, indexes) + values))


def most_bits(length: tf.Tensor | int) -> tf.Tensor | int:
    """Returns the most bits, by `CdfTables.bits`, that values in a string of this many bytes may take."""
    return 8 * length + 8 * length // _RELATIVE_MARGIN + _MARGIN


def coder_seconds(tables: CdfTables, string: tf.Tensor, indexes: tf.Tensor) -> tuple[float, float]:
    """Measures the coder alone, by decoding a string and encoding it again.

    A graph cannot read a clock where TensorFlow is deterministic or compiles by XLA, so graphs do not.

    Args:
      tables: The coder's tables.
      string: The coded string.
      indexes: The index of the cdf of each value in it [values].

    Returns:
      The seconds of encoding, and those of decoding.
    """
    began = time.perf_counter()
    _, values = _coder.decode(tables, _coder.start(tables, string), indexes)
    decoded = time.perf_counter()
    _coder.encode(tables, indexes, values)
    return time.perf_counter() - decoded, decoded - began
