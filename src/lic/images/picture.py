"""A picture as its file holds it, and how it becomes 8 bits of sRGB, upright."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
from PIL import Image, ImageColor

from lic.errors import ImageError
from lic.images.colour import Colours, colours_of_profile, is_called_srgb, through_profile
from lic.images.exif import orientation_of, upright

_log = logging.getLogger(__name__)
_BAND = 1 << 20  # Pixels that are converted at a time, in floating point.


@dataclasses.dataclass(frozen=True)
class Request:
    """What a caller asks of a file.

    Attributes:
      name: The file's name, for messages.
      background: Colour behind transparent pixels, if given.
      to_8_bit: Whether samples of more bits are rounded.
      frame: Number of the frame, if given.
      bits: The most bits of a channel that are taken as they are.
      is_trial: Whether the image is read to see if advice is true; then nothing is logged.
    """

    name: str
    background: str | None = None
    to_8_bit: bool = False
    frame: int | None = None
    bits: int = 8
    is_trial: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.background, (str, type(None))):
            raise ImageError(
                f"Expected background to be a colour, such as white or #rrggbb. Received: {self.background!r}."
            )
        if self.frame is not None and (isinstance(self.frame, bool) or not isinstance(self.frame, (int, np.integer))):
            raise ImageError(f"Expected frame to be a whole number, from 0. Received: {self.frame!r}.")

    def check_bits(self, bits: int) -> None:
        """Raises an ImageError if samples have more bits than are taken, and the caller has not asked for rounding."""
        if bits > self.bits > 8:
            raise ImageError(f"{self.name} has {bits} bits a channel, a codec takes {self.bits} at most. Convert it.")
        if bits > self.bits and not self.to_8_bit:
            advice = {"to_8_bit": "Pass to_8_bit=True to round them."}
            raise ImageError(f"{self.name} has {bits} bits a channel, a codec takes 8.", advice)

    def checked_frame(self, frames: int) -> int:
        """Returns the number of the frame to read, or raises an ImageError if that is open or there is none."""
        if not frames:
            raise ImageError(f"{self.name} cannot be read as an image: it holds no image, or is cut off.")
        if self.frame is None and frames > 1:
            advice = {"frame": "Pass the number of one as frame, from 0."}
            raise ImageError(f"{self.name} has {frames} frames.", advice)
        if self.frame is not None and not 0 <= self.frame < frames:
            raise ImageError(f"{self.name} has no frame {self.frame}: it has {frames}, counted from 0.")
        return self.frame or 0

    def check_size(self, width: int, height: int) -> None:
        """Raises an ImageError if an image has more pixels than Pillow allows."""
        most = 2 * (Image.MAX_IMAGE_PIXELS or np.inf)
        if width * height > most:
            raise ImageError(f"{self.name} has {width}x{height} pixels, which is more than {most} in all.")

    def refused(self, reason: str) -> ImageError:
        """Returns an error about a file whose samples have no meaning as grey or colour of 8 bits."""
        return ImageError(f"{self.name} cannot be read: {reason}. Convert it to RGB or grey of 8 bits.")

    def warn(self, message: str) -> None:
        """Logs a warning that names the file."""
        if not self.is_trial:
            _log.warning("%s: %s", self.name, message)


@dataclasses.dataclass
class Picture:
    """Samples of a file and what they mean.

    Attributes:
      samples: uint8 or uint16 [height, width] of grey, [height, width, 3] of red, green and blue, or
        [height, width, 4] of cyan, magenta, yellow and black.
      white: The sample that stands for the most light, or ink.
      alpha: [height, width], 0 to `white`, if there is transparency.
      premultiplied: Whether samples are already multiplied by alpha.
      profile: ICC profile of the samples.
      colours: Colours of the samples, where the file gives them without a profile.
      orientation: As in EXIF, 1 to 8.
    """

    samples: np.ndarray
    white: int = 255
    alpha: np.ndarray | None = None
    premultiplied: bool = False
    profile: bytes | None = None
    colours: Colours | None = None
    orientation: int = 1


def pixels_of(picture: Picture, request: Request) -> np.ndarray:
    """Returns a picture as uint8 [height, width, 3] or [height, width], in sRGB and upright.

    Raises:
      ImageError: There are transparent pixels, and no colour to lay behind them.
    """
    if picture.white not in (255, 65535) and picture.samples.max() > picture.white:
        raise request.refused(f"its samples go up to {picture.samples.max()}, though white is {picture.white}")
    if picture.alpha is not None and picture.alpha.min() == picture.white:
        picture.alpha = None
    if picture.alpha is None:
        picture.premultiplied = False
    behind = None if picture.alpha is None else _colour_behind(request)
    _resolve_colours(picture, request)
    if picture.samples.dtype == np.uint8 and picture.white == 255 and picture.colours is None and behind is None:
        return np.ascontiguousarray(upright(picture.samples, picture.orientation))
    height, width = picture.samples.shape[:2]
    grey = picture.samples.ndim == 2 and (behind is None or len(set(behind)) == 1)
    pixels = np.empty((height, width) if grey else (height, width, 3), np.uint8)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        pixels[band] = np.rint(_levels_of(picture, band, behind, grey))
    return np.ascontiguousarray(upright(pixels, picture.orientation))


def orientation_or_warning(exif: bytes, request: Request) -> int:
    """Returns the orientation that EXIF declares, or 1 and a warning if EXIF is damaged."""
    try:
        return orientation_of(exif)
    except ValueError as error:
        request.warn(f"its EXIF is damaged ({error}); the image is taken as upright")
        return 1


def _levels_of(picture: Picture, band: slice, behind: tuple[int, ...] | None, grey: bool) -> np.ndarray:
    """Returns float32 values of some rows, 0 to 255, over the background."""
    samples, white = picture.samples[band], picture.white
    alpha = None if picture.alpha is None else picture.alpha[band].astype(np.float32) / white
    if picture.premultiplied and picture.colours is not None:
        samples = _unmultiplied(samples, picture.alpha[band], white)
    colours = picture.colours
    values = samples * np.float32(255 / white) if colours is None else colours.to_srgb(samples, white)
    if alpha is None:
        return values
    colour = np.float32(behind[0]) if grey else np.array(behind, np.float32)
    if not grey:
        alpha = alpha[..., None]
        values = values[..., None] if values.ndim == 2 else values
    multiplied = values if picture.premultiplied and picture.colours is None else values * alpha
    return np.minimum(multiplied + colour * (1 - alpha), 255)


def _unmultiplied(samples: np.ndarray, alpha: np.ndarray, white: int) -> np.ndarray:
    alpha = np.maximum(alpha, 1) if samples.ndim == 2 else np.maximum(alpha, 1)[..., None]
    return np.minimum(np.rint(samples * (white / alpha)), white).astype(samples.dtype)


def _colour_behind(request: Request) -> tuple[int, ...]:
    if request.background is None:
        advice = {"background": "Pass the colour behind them as background."}
        raise ImageError(f"{request.name} has transparent pixels.", advice)
    try:
        return ImageColor.getrgb(request.background)[:3]
    except ValueError:
        raise ImageError(
            f"Expected background to be a colour, such as white or #rrggbb. Received: {request.background!r}."
        ) from None


def _resolve_colours(picture: Picture, request: Request) -> None:
    """Replaces a profile by curves and primaries, or converts by its tables, which takes 8 bits."""
    profile, picture.profile = picture.profile, None
    try:
        if profile:
            _apply_profile(picture, profile)
    except ValueError as error:
        request.warn(f"its colour profile cannot be used ({error}); its colours are taken as sRGB")
    if picture.samples.shape[2:] == (4,):
        _round_to_8_bits(picture)
        picture.samples = np.asarray(Image.fromarray(picture.samples, "CMYK").convert("RGB"))


def _apply_profile(picture: Picture, profile: bytes) -> None:
    colours, channels = colours_of_profile(profile), picture.samples.shape[2:]
    fits = {b"RGB ": ((), (3,)), b"GRAY": ((),), b"CMYK": ((4,),)}.get(profile[16:20], ())
    if channels not in fits:
        kind = {(): "grey", (3,): "RGB", (4,): "CMYK"}[channels]
        raise ValueError(f"it is for {profile[16:20].decode('latin-1').strip()}, the image is {kind}")
    if colours is not None:
        picture.colours = None if is_called_srgb(profile, colours) else colours
        return
    if picture.premultiplied:
        picture.samples = _unmultiplied(picture.samples, picture.alpha, picture.white)
        picture.premultiplied = False
    samples, white, alpha = picture.samples, picture.white, picture.alpha
    _round_to_8_bits(picture)
    mode = {(): "L", (3,): "RGB", (4,): "CMYK"}[channels]
    image = Image.fromarray(picture.samples, mode)
    try:
        if profile[16:20] == b"RGB " and mode == "L":
            picture.samples = np.asarray(through_profile(image.convert("RGB"), profile).convert("L"))
        else:
            picture.samples = np.asarray(through_profile(image, profile))
    except ValueError:
        picture.samples, picture.white, picture.alpha = samples, white, alpha
        raise


def _round_to_8_bits(picture: Picture) -> None:
    if picture.white != 255:
        scale = 255 / picture.white
        picture.samples = np.rint(picture.samples * scale).astype(np.uint8)
        picture.alpha = None if picture.alpha is None else np.rint(picture.alpha * scale).astype(np.uint8)
        picture.white = 255
