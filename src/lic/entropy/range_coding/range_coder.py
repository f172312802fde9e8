"""The range coder. Only this file imports the coder's operations, from the first package that has them.

Some processors and TensorFlows have no wheels of these packages. There, and where `LIC_CODER=numba` is set in the
environment, the coder is that of `lic.entropy.range_coding.numba_coder`, which gives the same bytes.

Mixtures, which no table can hold, are coded by the coder in numba everywhere, and so is all else in their string.

The packages' own escape mode, a negative precision, does not return on some streams. So only cdfs of positive precision
are used, and escapes are coded with cdfs of their own (see `lic.entropy.range_coding.cdf_tables`).

A decoder may read beyond the end of a string, because the encoder leaves out zeros there. It must not do so for ever:
a made-up stream of 50 bytes may be of an image of any size. So the bits of values are added up, in large parts those of
the first values only, which takes little time, and compared with the string's length after each part (`most_bits`).
"""

from __future__ import annotations

import importlib
import os
import time
from types import ModuleType
from typing import Any

import numpy as np

from lic.entropy.range_coding.cdf_tables import LIMIT, TOTAL, Cdfs, CdfTables, bits_of_counts
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

    def encode(self, tables: CdfTables, cdfs: Cdfs, values: tf.Tensor) -> tf.Tensor:
        handle = self._package.create_range_encoder([], tables.cdf)
        return self._package.entropy_encode_finalize(self._package.entropy_encode_index(handle, cdfs.index, values))

    def start(self, tables: CdfTables, string: tf.Tensor) -> tf.Tensor:
        return self._package.create_range_decoder(string, tables.cdf)

    def decode(self, tables: CdfTables, state: tf.Tensor, cdfs: Cdfs) -> tuple[tf.Tensor, tf.Tensor]:
        return tuple(self._package.entropy_decode_index(state, cdfs.index, tf.shape(cdfs.index), tf.int32))


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
        return _numba_coder()
    except ImportError as error:
        raise ImportError(
            f"{NEEDS}, and with it a range coder: tensorflow-compression, tensorflow-compression-ops or numba; "
            f"none can be imported here ({error})."
        ) from None


def _numba_coder() -> ModuleType:
    return importlib.import_module("lic.entropy.range_coding.numba_coder")


_coder = _chosen()


def coder_name(tables: CdfTables | None = None) -> str:
    """Returns the name of the coder in use: the package of its operations, or "numba".

    Args:
      tables: The tables that are coded with; None if no likelihood makes mixtures.
    """
    return getattr(_coder if tables is None else _coder_of(tables), "name", "numba")


def _coder_of(tables: CdfTables) -> Any:
    return _numba_coder() if tables.mixture_size else _coder


class RangeEncoder:
    """Collects symbols part by part and codes them at the end.

    Args:
      tables: The coder's tables.
    """

    def __init__(self, tables: CdfTables):
        self._tables, self._coder, self._tensors = tables, _coder_of(tables), _Tensors(tables)
        self._cdfs, self._values, self._bits = _Collected(tables), Pieces(tf.int32), tf.constant(0, tf.int64)

    def write(self, cdfs: Cdfs, symbols: tf.Tensor, kept: tf.Tensor | None = None) -> None:
        """Adds symbols, each with its cdf; symbols that the cdf does not hold become escapes.

        Args:
          cdfs: The cdfs, whose indexes are in the shape of the symbols or broadcastable to it.
          symbols: The symbols.
          kept: Whether each symbol is written, likewise; None if all are.
        """
        cdfs = cdfs._replace(index=tf.broadcast_to(cdfs.index, tf.shape(symbols))).flat()
        symbols = tf.reshape(symbols, [-1])
        if kept is not None:
            places = _places(kept)
            cdfs, symbols = cdfs.gather(places), tf.gather(symbols, places)
        # After its symbols, a part has a second symbol for each: the escaped one by the cdf of escapes, or else one by
        # the cdf of a certain symbol, which takes no bits. So a decoder knows their number before it reads them.
        first, length = self._tensors.first_and_length(cdfs)
        values = symbols - first
        escaped = tf.logical_or(values < 0, values >= length)
        values = tf.where(escaped, length, values)
        self._cdfs.add(cdfs)
        self._cdfs.add(self._tensors.after(escaped))
        self._values.add(values)
        self._values.add(tf.where(escaped, symbols + (LIMIT + 1), 0))
        self._bits += self._tensors.bits(cdfs, values)

    def begin_loop(self) -> None:
        """States that a loop begins, in which symbols are written."""
        self._cdfs.begin_loop()
        self._values.begin_loop()

    def loop_state(self) -> tuple:
        """Returns the tensors that are variables of the loop."""
        return self._cdfs.loop_state(), self._values.array, self._bits

    def set_loop_state(self, state: tuple) -> None:
        """Takes tensors in the place of those that `loop_state` returned."""
        cdfs, self._values.array, self._bits = state
        self._cdfs.set_loop_state(cdfs)

    def end_loop(self) -> None:
        """States that the loop has ended."""
        self._cdfs.end_loop()
        self._values.end_loop()

    def finish(self) -> tuple[tf.Tensor, Cdfs]:
        """Codes everything that was written.

        Returns:
          One string, and the cdf of each value in it, which `coder_seconds` takes.
        """
        cdfs = self._cdfs.joined()
        string = self._coder.encode(self._tables, cdfs, self._values.joined())
        return self._lasting(string), cdfs

    def _lasting(self, string: tf.Tensor) -> tf.Tensor:
        """Returns a string with so many zeros at its end, usually none, that the decoder takes it to last."""
        bits = self._bits // 256
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
        self._tables, self._coder, self._tensors = tables, _coder_of(tables), _Tensors(tables)
        self._cdfs, self._state, self._bits = (
            _Collected(tables),
            self._coder.start(tables, string),
            tf.constant(0, tf.int64),
        )
        self._most_bits = 256 * most_bits(tf.cast(tf.strings.length(string), tf.int64))

    def read(self, cdfs: Cdfs, kept: tf.Tensor | None = None) -> tf.Tensor:
        """Returns a symbol for each cdf, in the shape of the indexes.

        Args:
          cdfs: The cdfs.
          kept: Whether each symbol was written, likewise; the others are zero. None if all were.
        """
        shape, cdfs = tf.shape(cdfs.index), cdfs.flat()
        if kept is not None:
            places = _places(kept)
            symbols = self.read(cdfs.gather(places))
            return tf.reshape(tf.scatter_nd(places[:, None], symbols, [tf.size(cdfs.index)]), shape)
        values = self._read(cdfs)
        first, length = self._tensors.first_and_length(cdfs)
        escaped = values >= length
        # The symbols of escapes follow after those of the whole part, as they were written.
        outside = self._read(self._tensors.after(escaped))
        symbols = tf.where(escaped, outside - (LIMIT + 1), values + first)
        self._bits += self._tensors.bits(cdfs, values)
        with tf.control_dependencies([tf.debugging.Assert(self._bits <= self._most_bits, [TOO_SHORT])]):
            return tf.reshape(symbols, shape)

    def cdfs(self) -> Cdfs:
        """Returns the cdf of each value that has been read, which `coder_seconds` takes."""
        return self._cdfs.joined()

    def begin_loop(self) -> None:
        """States that a loop begins, in which symbols are read."""
        self._cdfs.begin_loop()

    def loop_state(self) -> tuple:
        """Returns the tensors that are variables of the loop."""
        return self._state, self._bits, self._cdfs.loop_state()

    def set_loop_state(self, state: tuple) -> None:
        """Takes tensors in the place of those that `loop_state` returned."""
        self._state, self._bits, cdfs = state
        self._cdfs.set_loop_state(cdfs)

    def end_loop(self) -> None:
        """States that the loop has ended."""
        self._cdfs.end_loop()

    def _read(self, cdfs: Cdfs) -> tf.Tensor:
        self._cdfs.add(cdfs)
        mixtures = self._cdfs.none if cdfs.mixtures is None else cdfs.mixtures
        self._state, values = self._coder.decode(self._tables, self._state, cdfs._replace(mixtures=mixtures))
        values.set_shape([None])  # The packages' operations do not state it, and TensorFlow would compute it.
        return values


class _Collected:
    """The cdfs of values in the order in which they are coded.

    Args:
      tables: The coder's tables.

    Attributes:
      none: The mixtures of values of which none has one [0, size].
    """

    def __init__(self, tables: CdfTables):
        self._size, self.none = tables.mixture_size, tf.zeros([0, tables.mixture_size], tf.int32)
        self._pieces = [Pieces(tf.int32), Pieces(tf.int32)] if self._size else [Pieces(tf.int32)]

    def add(self, cdfs: Cdfs) -> None:
        """Adds the cdfs of values in one row."""
        for pieces, each in zip(self._pieces, cdfs):
            if each is not None:
                pieces.add(each)

    def begin_loop(self) -> None:
        """States that a loop begins, in which cdfs are added."""
        for pieces in self._pieces:
            pieces.begin_loop()

    def loop_state(self) -> list:
        """Returns the tensors that are variables of the loop."""
        return [pieces.array for pieces in self._pieces]

    def set_loop_state(self, state: list) -> None:
        """Takes tensors in the place of those that `loop_state` returned."""
        for pieces, array in zip(self._pieces, state):
            pieces.array = array

    def end_loop(self) -> None:
        """States that the loop has ended."""
        for pieces in self._pieces:
            pieces.end_loop()

    def joined(self) -> Cdfs:
        """Returns the cdfs of all values."""
        index, *mixtures = [pieces.joined() for pieces in self._pieces]
        return Cdfs(index, tf.reshape(mixtures[0], [-1, self._size]) if mixtures else self.none)


def _places(kept: tf.Tensor) -> tf.Tensor:
    """Returns the places [count] of those numbers, in flat order, that are kept."""
    return tf.cast(tf.where(tf.reshape(kept, [-1]))[:, 0], "int32")


class _Tensors:
    """The coder's tables as tensors. Arrays and numbers would become constants of a graph anew for each part.

    Args:
      tables: The coder's tables.
    """

    def __init__(self, tables: CdfTables):
        self._first, self._length = tf.constant(tables.cdf_offset), tf.constant(tables.cdf_length)
        self._escape, self._no_escape = tf.constant(tables.escape), tf.constant(tables.no_escape)
        self._starts, self._bits = tf.constant(tables.starts(), tf.int32), tf.constant(tables.bits())
        self._counted = tf.constant([0]), tf.constant([_COUNTED]), tf.constant([1])
        if tables.mixture_size:
            self._bits_of_counts = tf.constant(bits_of_counts(np.arange(TOTAL + 1)))

    def first_and_length(self, cdfs: Cdfs) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first symbol of each cdf, and the number of its symbols, the escape left out."""
        return cdfs.first_and_length(self._first, self._length)

    def after(self, escaped: tf.Tensor) -> Cdfs:
        """Returns the cdfs of the second symbols of numbers: those of escapes, or of a certain symbol."""
        return Cdfs(tf.where(escaped, self._escape, self._no_escape))

    def bits(self, cdfs: Cdfs, values: tf.Tensor) -> tf.Tensor:
        """Returns the 256ths of bits of the first values of a part, int64.

        They are whole numbers, so that a stream lasts on every machine if it does on one.
        """
        values = tf.strided_slice(values, *self._counted)
        if cdfs.mixtures is None:
            starts = tf.gather(self._starts, tf.strided_slice(cdfs.index, *self._counted))
            return tf.reduce_sum(tf.gather(self._bits, starts + values))
        ends = _numba_coder().cumulative_counts(cdfs.mixtures[:_COUNTED], tf.stack([values, values + 1], -1))
        return tf.reduce_sum(tf.gather(self._bits_of_counts, ends[:, 1] - ends[:, 0]))


def most_bits(length: tf.Tensor | int) -> tf.Tensor | int:
    """Returns the most bits, by `CdfTables.bits`, that values in a string of this many bytes may take."""
    return 8 * length + 8 * length // _RELATIVE_MARGIN + _MARGIN


def median_symbols(tables: CdfTables, cdfs: Cdfs) -> tf.Tensor:
    """Returns the median symbol of each number, in the shape of the indexes."""
    if cdfs.mixtures is None:
        return tf.gather(tables.medians(), cdfs.index)
    halves = tf.fill([tf.size(cdfs.index)], TOTAL // 2)
    return tf.reshape(_numba_coder().quantiles(cdfs.flat().mixtures, halves), tf.shape(cdfs.index))


def coder_seconds(tables: CdfTables, string: tf.Tensor, cdfs: Cdfs) -> tuple[float, float]:
    """Measures the coder alone, by decoding a string and encoding it again.

    A graph cannot read a clock where TensorFlow is deterministic or compiles by XLA, so graphs do not.

    Args:
      tables: The coder's tables.
      string: The coded string.
      cdfs: The cdf of each value in it.

    Returns:
      The seconds of encoding, and those of decoding.
    """
    coder, began = _coder_of(tables), time.perf_counter()
    _, values = coder.decode(tables, coder.start(tables, string), cdfs)
    decoded = time.perf_counter()
    coder.encode(tables, cdfs, values)
    return time.perf_counter() - decoded, decoded - began
