"""Decoded images as arrays: upright, 8 bits a value, with little memory beside the result.

Key: H height, W width in pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rpc.data.files import DataError
from rpc.data.image_claims import lacks_data
from rpc.data.image_opening import (
    MAX_DEEP_PIXELS,
    MAX_PIXELS,
    MAX_SIDE,
    Source,
    too_large,
    unreadable,
)
from rpc.data.pixel_values import EXPORT, to_8_bit

Rgb = NDArray[np.uint8]
Convert = Callable[[Image.Image], Image.Image]

STRIP: Final = 1 << 22  # pixels that are converted at a time
# Tags of TIFF.
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 262, 274
_SAMPLES, _FORM = 277, 339
_COLOUR, _WHITE_IS_ZERO = 2, 0


def decoded(image: Image.Image, source: Source, convert: Convert) -> tuple[Rgb, tuple[str, ...]]:
    """All of an opened image as an array (H, W, C), and notes on what was done.

    Args:
        image: not decoded yet, or decoded long ago.
        source: of it; without bytes where there is none.
        convert: from any mode of 8 bits to RGB or RGBA.

    Raises:
        DataError: it is damaged, or its values are no photo's.
        Exception: whatever Pillow raises at damage.
    """
    notes = _page_notes(image)
    deep = _is_deep_colour(image, source)
    white_is_zero = _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO
    signed = image.mode == "L" and _tag(image, _FORM) == 2
    bits = _declared_bits(image)
    if deep and image.width * image.height > MAX_DEEP_PIXELS:
        raise too_large(source.name, f"{image.width}x{image.height} px of 16 bits", MAX_SIDE)
    image.load()
    if source.size and lacks_data(image, source.given):
        raise unreadable(source.name, "its data ends before its last pixels, which would be grey")
    orientation = image.getexif().get(0x0112, 1)
    if deep:
        rgb, note = _deep_colour(source, convert)
        return upright(rgb, orientation), (*notes, note)
    if image.mode.startswith("I") or image.mode == "F" or signed:
        values = np.asarray(image).view(np.int8) if signed else np.asarray(image)
        grey, note = _scaled(values, source.name, bits, white_is_zero)
        return upright(in_strips(Image.fromarray(grey), convert), orientation), (*notes, note)
    if image.mode == "CMYK":
        notes = (*notes, "CMYK colours converted without a profile: they may look different")
    return upright(in_strips(image, convert), orientation), notes


def over_white(image: Image.Image) -> Image.Image:
    """RGB, with transparent parts as if the image lay on white paper."""
    if image.mode == "LAB":
        return _of_lab(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def in_strips(image: Image.Image, convert: Convert) -> Rgb:
    """An image converted some rows at a time: whole copies of a large photo take gigabytes."""
    width, height = image.size
    rows = max(1, STRIP // max(1, width))
    if rows >= height:
        return np.asarray(convert(image)).copy()
    out: Rgb | None = None
    for top in range(0, height, rows):
        below = min(height, top + rows)
        part = np.asarray(convert(image.crop((0, top, width, below))))
        if out is None:
            out = np.empty((height, width, part.shape[2]), np.uint8)
        out[top:below] = part
    assert out is not None
    return out


def upright(rgb: Rgb, orientation: int) -> Rgb:
    """An array (H, W, C) turned and mirrored as EXIF's orientation says, 1 to 8."""
    turned = {
        2: lambda: rgb[:, ::-1],
        3: lambda: rgb[::-1, ::-1],
        4: lambda: rgb[::-1],
        5: lambda: rgb.transpose(1, 0, 2),
        6: lambda: np.rot90(rgb, -1),
        7: lambda: np.rot90(rgb, 2).transpose(1, 0, 2),
        8: lambda: np.rot90(rgb),
    }.get(orientation)
    return rgb if turned is None else np.ascontiguousarray(turned())


def deep_tiff_header(source: Source, max_side: int) -> tuple[int, int, int]:
    """Width, height and EXIF's orientation of a TIFF file with pixels that Pillow does not know.

    Raises:
        DataError: damaged, too large, or not to be read here either.
    """
    tags = _tiff_tags(source, max_side)
    return int(tags[_WIDTH]), int(tags[_HEIGHT]), int(tags.get(_ORIENTATION, 1))


def read_deep_tiff(source: Source, max_side: int, convert: Convert) -> tuple[Rgb, tuple[str, ...]]:
    """A TIFF file with pixels that Pillow does not know: colours in float, 64 bits.

    Raises:
        DataError: damaged, too large, or not to be read here either.
    """
    tags = _tiff_tags(source, max_side)
    rgb, note = _deep_colour(source, convert)
    if rgb.shape[:2] != (tags[_HEIGHT], tags[_WIDTH]):
        raise unreadable(source.name, "its first page is not as large as its header says")
    return upright(rgb, int(tags.get(_ORIENTATION, 1))), (note,)


def _tiff_tags(source: Source, max_side: int) -> dict[int, Any]:
    """The tags of the first page.

    Raises:
        DataError: damaged, too large, or more bytes claimed than there are.
    """
    try:
        given = io.BytesIO(source.data())
        head = given.read(8)
        found = ImageFileDirectory_v2(head)
        given.seek(found.next)
        found.load(given)
        tags: dict[int, Any] = dict(found)
        width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])
        bits = max(tags.get(_BITS, (1,))) * int(tags.get(_SAMPLES, 1))
    except Exception as error:
        raise unreadable(source.name, "no whole TIFF file") from error
    # OpenCV holds a photo in the file's own values and once more.
    if max(width, height) >= max_side or width * height * bits > MAX_PIXELS * 32:
        raise too_large(source.name, f"{width}x{height} px", max_side)
    if width * height * bits > 8 * 1_400 * source.size:
        raise unreadable(source.name, f"the header claims {width:,}x{height:,} px")
    return tags


def _deep_colour(source: Source, convert: Convert) -> tuple[Rgb, str]:
    """Values of more than 8 bits in several channels, by OpenCV: Pillow keeps the high byte alone.

    Raises:
        DataError: OpenCV does not read them either.
    """
    data = np.frombuffer(source.data(), np.uint8)
    log = cv2.utils.logging
    level = log.setLogLevel(log.LOG_LEVEL_SILENT)  # else damage fills the screen; told below
    try:
        values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    finally:
        log.setLogLevel(level)
    if values is None:
        kind = source.content.kind
        raise DataError(f"{source.name}: {kind} with values of a kind that is not read: {EXPORT}")
    grey, note = _scaled(values, source.name, None, False)
    if grey.ndim == 2 or grey.shape[2] == 1:
        return in_strips(Image.fromarray(grey.reshape(grey.shape[:2])), convert), note
    order = cv2.COLOR_BGR2RGB if grey.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    cv2.cvtColor(grey, order, dst=grey)
    return in_strips(Image.fromarray(grey), convert), note


def _scaled(
    values: NDArray[Any], name: str, bits: int | None, white_is_zero: bool
) -> tuple[Rgb, str]:
    try:
        return to_8_bit(values, bits, white_is_zero=white_is_zero)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error


def _is_deep_colour(image: Image.Image, source: Source) -> bool:
    """Whether there are several channels of more than 8 bits, of which Pillow drops the lower."""
    if image.mode.startswith("I") or not source.size:
        return False
    if image.format == "PNG":
        return source.head[24:25] == b"\x10"
    colours = _tag(image, _PHOTOMETRIC) in (0, 1, _COLOUR)
    return image.format == "TIFF" and colours and max(_tag(image, _BITS) or (8,)) > 8


def _declared_bits(image: Image.Image) -> int | None:
    """The bits of a value, where a TIFF file says that they are neither 8 nor 16."""
    found = _tag(image, _BITS)
    return found[0] if found and 8 < found[0] < 16 else None


def _tag(image: Any, number: int) -> Any:
    """A tag of a TIFF file, None elsewhere; sample formats come one a channel."""
    value = getattr(image, "tag_v2", {}).get(number) if image.format == "TIFF" else None
    return value[0] if number == _FORM and value else value


def _page_notes(image: Any) -> tuple[str, ...]:
    if image.format not in ("TIFF", "GIF", "WEBP", "PNG"):
        return ()
    pages = getattr(image, "n_frames", 1)
    what = "pages" if image.format == "TIFF" else "frames"
    return (f"{pages} {what}: the first is taken",) if pages > 1 else ()


def _of_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    made = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert made is not None, "a new image was asked for"
    return made
