"""The figures of one image; reading them needs no TensorFlow."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What one image has with one codec at one quality; units are those of `measure.CONVENTIONS`.

    Attributes:
      codec: Name of the codec.
      image: Name of the image.
      quality: The quality, or None where the codec has a single rate.
      height: Of the image in pixels.
      width: Of the image in pixels.
      bytes: Of the stream.
      bpp: Bits per pixel.
      psnr: In dB, or None where nothing was lost.
      ms_ssim: MS-SSIM, or None where the image is too small.
      ms_ssim_db: The same in dB, or None where it is infinite, too.
      encode_seconds: From pixels to bytes.
      encode_coder_seconds: The range coder's share, or None where the codec does not tell.
      decode_seconds: From bytes to pixels.
      decode_coder_seconds: As above.
      peak_memory: In bytes, or None where the system tells none.
      notes: Why figures are missing, in words.
    """

    codec: str
    image: str
    quality: float | None
    height: int
    width: int
    bytes: int
    bpp: float
    psnr: float | None
    ms_ssim: float | None
    ms_ssim_db: float | None
    encode_seconds: float
    encode_coder_seconds: float | None
    decode_seconds: float
    decode_coder_seconds: float | None
    peak_memory: int | None
    notes: str = ""

    @property
    def encode_networks_seconds(self) -> float | None:
        """What encoding takes beside the range coder."""
        return None if self.encode_coder_seconds is None else self.encode_seconds - self.encode_coder_seconds

    @property
    def decode_networks_seconds(self) -> float | None:
        """What decoding takes beside the range coder."""
        return None if self.decode_coder_seconds is None else self.decode_seconds - self.decode_coder_seconds
