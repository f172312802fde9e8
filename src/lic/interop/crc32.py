"""CRC-32 as zlib computes it, in TensorFlow operations.

The register after a word is a linear map over GF(2), the step, of the register before it xored with the word. So a
register that starts at zero ends as the xor of all words, each after as many steps as there are words from it on. Words
are summed up as a tree: neighbours pairwise, the left one moved on by as many steps as the right one stands for words.
For each level that is one linear map, kept as four tables for the four bytes of a register. All pairs of a level are
computed at once, and 1 MB takes 18 levels.

Zeros at the front change nothing in a register of zeros. So they fill up the first word and odd levels, and a word that
leads from zero to the register that CRC-32 starts with stands before the message.

Source: Adler's crc32_combine in zlib, for registers of parts; Brown, Reversing CRC, 2011, for the first word.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np

from lic.environment import tf

_START = bytes.fromhex("62f52692")
_LEVELS = 30


def crc32_of_bytes(content: tf.Tensor) -> tf.Tensor:
    """Returns the CRC-32 of bytes [count], uint8: the bits of the unsigned number as int32."""
    content = tf.concat([np.frombuffer(_START, np.uint8), content], 0)
    missing = -tf.size(content) % 4
    return _crc32(tf.bitcast(tf.reshape(tf.pad(content, [[missing, 0]]), (-1, 4)), tf.int32))


def crc32_of_integers(numbers: tf.Tensor) -> tf.Tensor:
    """Returns the CRC-32 of int32 numbers [count], each as its four bytes from the lowest on, likewise as int32."""
    return _crc32(tf.concat([np.frombuffer(_START, "<i4"), numbers], 0))


def _crc32(words: tf.Tensor) -> tf.Tensor:
    def add_up(level: tf.Tensor, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pairs = tf.reshape(tf.pad(words, [[tf.size(words) % 2, 0]]), (-1, 2))
        return level + 1, tf.bitwise.bitwise_xor(_moved(pairs[:, 0], level), pairs[:, 1])

    _, words = tf.while_loop(
        lambda _, words: tf.size(words) > 1,
        add_up,
        (tf.constant(0), words),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
    )
    return tf.bitwise.invert(_moved(words, tf.constant(0))[0])


def _moved(words: tf.Tensor, level: tf.Tensor) -> tf.Tensor:
    """Registers [count] after 2 to the power of `level` steps."""
    places = tf.cast(tf.bitcast(words, tf.uint8), tf.int32) + (1024 * level + tf.range(0, 1024, 256))
    first, second, third, fourth = tf.unstack(tf.gather(_tables(), places), axis=1)
    xor = tf.bitwise.bitwise_xor
    return xor(xor(first, second), xor(third, fourth))


@functools.cache
def _tables() -> np.ndarray:
    """For each level, byte of a register and value of that byte what it becomes, one behind the other, int32."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    images = _steps(bits)  # What each bit of a register becomes.
    tables = []
    for _ in range(_LEVELS):
        by_byte = [_sums(eight) for eight in images.reshape(4, 8)]
        tables += by_byte
        images = np.bitwise_xor.reduce([table[images >> 8 * place & 255] for place, table in enumerate(by_byte)])
    return np.concatenate(tables).view(np.int32)


def _steps(registers: np.ndarray) -> np.ndarray:
    """Registers after one step."""
    none = zlib.crc32(bytes(4))
    crcs = [zlib.crc32(register.astype("<u4").tobytes()) for register in registers]
    return np.array(crcs, np.uint32) ^ np.uint32(none)


def _sums(images: np.ndarray) -> np.ndarray:
    """For each value of a byte the xor of the images of its bits."""
    sums = np.zeros(1, np.uint32)
    for image in images:
        sums = np.concatenate([sums, sums ^ image])
    return sums
