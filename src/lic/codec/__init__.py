"""Codecs: from photographs to streams and back.

Streams and codec files are read without TensorFlow, so each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lic.lazy import lazy_names

if TYPE_CHECKING:
    from lic.codec.bitstream import Flag, Stream
    from lic.codec.codec import Codec, load
    from lic.codec.codec_file import CodecFile, read_text

__all__ = ["Codec", "CodecFile", "Flag", "Stream", "load", "read_text"]

_HOMES = {
    "lic.codec.bitstream": ("Flag", "Stream"),
    "lic.codec.codec": ("Codec", "load"),
    "lic.codec.codec_file": ("CodecFile", "read_text"),
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
