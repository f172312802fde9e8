"""Files that Pillow opens, and its images: what their samples are, by format and mode."""

from __future__ import annotations

import dataclasses
import logging
import math
import re
import struct
from typing import BinaryIO

import numpy as np
from PIL import Image

from lic.images import bmp, boxes, heif, jpeg2000, png, tiff
from lic.images.colour import from_lab
from lic.images.failures import words_of
from lic.images.picture import Picture, Request, orientation_or_warning

# Formats whose further frames are a preview, a second view, or layers of the first.
_ONE_PICTURE = {"MPO", "PSD"}
_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}
_DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
# The header of binary PGM and PPM: the kind, three numbers and a last space; comments may stand before the numbers.
_PNM_HEADER = re.compile(rb"P[56](?:(?:\s|#[^\r\n]*[\r\n])+\d+){3}\s")
_SGI_HEADER = 512  # Bytes.
# Without a handler, what Pillow logs about a damaged file would go to the standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())
_BC5, _BC6H = 5, 6
# Colour modes of PSD -> number of channels that are colours.
_PSD_CHANNELS = {0: 1, 1: 1, 2: 1, 3: 4, 4: 4, 7: 1, 8: 1, 9: 3}


def picture_of(image: Image.Image, file: BinaryIO, request: Request) -> Picture:
    """Returns the samples of a file that Pillow has opened.

    Raises:
      ImageError: The samples have no meaning as grey or colour of 8 bits, or an argument that allows a loss is missing.
    """
    frames = 1 if image.format in _ONE_PICTURE else getattr(image, "n_frames", 1)
    chosen = request.checked_frame(frames)
    if request.frame is not None and frames > 1:
        image.seek(chosen)
    image.info.pop("xmp", None)  # Pillow turns a TIFF while it loads it, by XMP where there is no tag.
    picture = _of_format(image, file, request)
    if picture is None:
        picture = picture_of_image(image, request)
    if image.format == "PNG":
        if png.has_code_points(file):
            picture.profile = None
        picture.colours = None if picture.profile else png.colours_of(file, request)
    return picture


def picture_of_image(image: Image.Image, request: Request) -> Picture:
    """Returns the samples of an image in memory.

    Raises:
      ImageError: Its mode has no meaning as grey or colour of 8 bits.
    """
    if image.mode not in _MODES:
        kind = "floating-point numbers" if image.mode == "F" else f"those of Pillow's mode {image.mode!r}"
        raise request.refused(f"its samples are {kind}, so that black and white are not defined")
    image.load()
    if image.mode == "LAB":
        image = from_lab(image)
    found = {"profile": image.info.get("icc_profile"), "orientation": _orientation_of(image, request)}
    if image.mode in ("La", "RGBa"):
        channels = np.asarray(image)
        samples = channels[..., 0] if image.mode == "La" else channels[..., :3]
        return Picture(samples, 255, channels[..., -1], premultiplied=True, **found)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA") if image.mode not in ("L", "1", "LA") else _grey_with_alpha(image)
        alpha = np.asarray(image.getchannel("A"))
    mode = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
    return Picture(np.asarray(image if image.mode == mode else image.convert(mode)), 255, alpha, **found)


def reason_of(file: BinaryIO) -> str:
    """Returns why no reader of Pillow opens a file: the reason that the reader of its format gives."""
    file.seek(0)
    head = file.read(32)
    for name in Image.ID:
        factory, accepts = Image.OPEN[name]
        try:
            if accepts is None or accepts(head[:16]) is not True:
                continue
        except (struct.error, IndexError):  # The file is shorter than the beginnings of this format.
            continue
        try:
            file.seek(0)
            factory(file, "")
        except Exception as error:
            # Pillow's words for an image without pixels.
            reason = "it has no pixels" if str(error) == "not identified by this driver" else words_of(error)
            if name == "PSD" and (bits := int.from_bytes(head[22:24], "big")) > 8:
                reason = f"samples of {bits} bits are not read"
            return f"{name}: {reason}"
    return "it has none of the formats that Pillow reads"


def _grey_with_alpha(image: Image.Image) -> Image.Image:
    alpha = image.convert("RGBA").getchannel("A")
    image = image.convert("L") if "A" not in image.mode else image.getchannel("L")
    return Image.merge("LA", (image, alpha))


def _of_format(image: Image.Image, file: BinaryIO, request: Request) -> Picture | None:
    """Returns the samples of a file that Pillow would not read right; None if it does."""
    if image.format == "PNG" and image.mode == "P":
        png.check_palette(image, request)
        return None
    if image.format == "PNG" and (bits := png.bits_of(file)) != 8:
        request.check_bits(bits)
        if bits < 8:
            png.scale_transparent_grey(image, bits)
            return None
        if getattr(image, "n_frames", 1) > 1:
            raise request.refused("an animation of 16 bits is not read")
        picture = png.picture_of_16_bits(image, file)
        image.load()
        picture.profile, picture.orientation = image.info.get("icc_profile"), _orientation_of(image, request)
        return picture
    if image.format == "TIFF":
        return _of_tiff(image, file, request)
    if image.format == "JPEG2000":
        return jpeg2000.picture_of(image, file, request)
    if image.format == "AVIF":
        file.seek(0)
        declared = boxes.of_heif(file.read())
        request.check_bits(declared.bits)
        picture = picture_of_image(image, request)
        picture.colours = heif.colours_of_declared(declared.code_points, picture.profile, request)
        return picture
    if image.format == "PPM":
        return _of_pnm(image, file, request)
    if image.format == "SGI":
        return _of_sgi(image, file, request)
    if image.format == "TGA":
        return _of_tga(image, file, request)
    if image.format in ("BMP", "DIB"):
        return bmp.picture_with_colours(picture_of_image(image, request), file, request)
    if image.format == "PSD":
        _check_transparency_of_psd(file, request)
    if image.format == "FITS":
        _check_scale_of_fits(file, request)
    if image.format == "DDS":
        _check_blocks(image, request)
    return None


def _of_tiff(image: Image.Image, file: BinaryIO, request: Request) -> Picture | None:
    tags = image.tag_v2
    depths = tags.get(tiff.BITS_PER_SAMPLE, (1,))
    photometric, depth = tags.get(tiff.PHOTOMETRIC, -1), tags.get(tiff.IMAGE_DEPTH, 1)
    tiff.check_format(tags.get(tiff.SAMPLE_FORMAT, (1,)), photometric, depth, request)
    if max(depths) > 8 or tags.get(tiff.COMPRESSION) == tiff.WEBP:
        request.check_bits(max(depths))
        return tiff.picture_of(file, request)
    if any(isinstance(tile[3], tuple) and tile[3][0] == "RGBa" for tile in image.tile):
        # Pillow would divide by alpha, and round.
        image.tile = [(*tile[:3], ("RGBA", *tile[3][1:])) for tile in image.tile]
        return dataclasses.replace(picture_of_image(image, request), premultiplied=True)
    return None


def _of_pnm(image: Image.Image, file: BinaryIO, request: Request) -> Picture | None:
    file.seek(0)
    words = re.sub(rb"#[^\r\n]*", b"", file.read(4096)).split(maxsplit=4)
    if words[0] not in (b"P2", b"P3", b"P5", b"P6", b"PyRGBA", b"PyCMYK"):
        return None
    most = int(words[3])
    request.check_bits(most.bit_length())
    # Pillow scales grey of more than 8 bits to 65535, and colour to 255, both rounded.
    file.seek(0)
    header = _PNM_HEADER.match(file.read(4096))
    if most > 255 and header:
        shape = (image.height, image.width, 3) if words[0] == b"P6" else (image.height, image.width)
        file.seek(header.end())
        samples = np.frombuffer(file.read(2 * math.prod(shape)), ">u2").reshape(shape)
        return Picture(samples.astype(np.uint16), most)
    return Picture(np.asarray(image).astype(np.uint16), 65535) if image.mode in _DEEP_MODES else None


def _of_sgi(image: Image.Image, file: BinaryIO, request: Request) -> Picture | None:
    file.seek(2)
    compressed, width = file.read(2)
    if width < 2:
        return None
    request.check_bits(16)
    if compressed:
        raise request.refused("SGI of 16 bits with run lengths is not read")
    channels = len(image.getbands())
    file.seek(_SGI_HEADER)
    size = image.width * image.height * channels
    samples = np.frombuffer(file.read(2 * size), ">u2", size).reshape(channels, image.height, image.width)
    samples = samples[:, ::-1].transpose(1, 2, 0).astype(np.uint16)
    alpha = samples[..., 3] if channels == 4 else None
    return Picture(samples[..., 0] if channels == 1 else samples[..., :3], 65535, alpha)


def _of_tga(image: Image.Image, file: BinaryIO, request: Request) -> Picture:
    # The low bits of the descriptor count the bits of a pixel that are alpha; without any the fourth byte is unused.
    file.seek(17)
    alpha_bits = file.read(1)[0] & 15
    picture = picture_of_image(image, request)
    picture.alpha = picture.alpha if alpha_bits else None
    return picture


def _check_transparency_of_psd(file: BinaryIO, request: Request) -> None:
    """Refuses transparency that Pillow leaves out: it knows that of RGB only."""
    file.seek(12)
    channels, _, _, _, mode = struct.unpack(">HIIHH", file.read(14))
    for _ in range(2):  # Colours of the mode, and resources.
        file.seek(int.from_bytes(file.read(4), "big"), 1)
    section = file.read(10)
    has_layers = len(section) == 10 and any(section[:4])
    # The number of layers is negative if the first channel that is no colour is transparency.
    if has_layers and section[8] & 128 and channels > _PSD_CHANNELS[mode]:
        raise request.refused(f"its transparency in PSD's colour mode {mode} is not read")


def _check_scale_of_fits(file: BinaryIO, request: Request) -> None:
    """Refuses numbers that a header scales, such as signed ones of 8 bits."""
    file.seek(0)
    plain = {b"BZERO": 0.0, b"BSCALE": 1.0}
    for name, number in re.findall(rb"(BZERO|BSCALE) *= *([-+.\dE]+)", file.read(5760)):
        if float(number) != plain[name]:
            raise request.refused(f"its header scales samples by {name.decode()} = {number.decode()}")


def _check_blocks(image: Image.Image, request: Request) -> None:
    """Refuses blocks of DDS that hold signed or floating-point numbers."""
    for codec, _, _, arguments in image.tile:
        kind, name = (*arguments, "", "")[:2] if isinstance(arguments, tuple) else (0, "")
        if codec == "bcn" and (kind == _BC6H or (kind == _BC5 and str(name).endswith("S"))):
            raise request.refused(f"its blocks are of {name or 'signed or floating-point numbers'}")


def _orientation_of(image: Image.Image, request: Request) -> int:
    """Returns the orientation that TIFF tags or EXIF declare. XMP does not count, as in browsers."""
    if image.format == "TIFF":
        orientation = image.tag_v2.get(tiff.ORIENTATION, 1)
        return orientation if orientation in range(1, 9) else 1
    exif = image.info.get("exif") or b""
    if not exif and "Raw profile type exif" in image.info:
        exif = _unpacked(image.info["Raw profile type exif"])
    return orientation_or_warning(exif, request)


def _unpacked(text: str) -> bytes:
    """Returns EXIF that ImageMagick wrote into a text chunk of PNG: a name, a length, and hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b"damaged"
