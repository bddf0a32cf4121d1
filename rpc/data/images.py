"""Photos in and out, in any form: the door to reading and writing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from rpc.data.file_content import UNKNOWN
from rpc.data.files import DataError, write_bytes
from rpc.data.image_decoding import decoded, deep_tiff_header, over_white, read_deep_tiff
from rpc.data.image_opening import MAX_SIDE, Source, check_size, open_image, unreadable
from rpc.data.photo_notes import note_photo

# Arrays: H height, W width in pixels.
Rgb = NDArray[np.uint8]
Photo: TypeAlias = str | Path | bytes | Image.Image | Rgb

_TURNS = {
    1: "none",
    2: "mirrored",
    3: "180 degrees",
    4: "180 degrees, mirrored",
    5: "90 degrees, mirrored",
    6: "90 degrees clockwise",
    7: "270 degrees, mirrored",
    8: "90 degrees counter-clockwise",
}


@dataclass(frozen=True)
class ReadPhoto:
    """A photo, and what was done to it beyond decoding.

    Attributes:
        rgb: (H, W, 3) uint8.
        notes: what people should know: values of 16 bits that were scaled, pages left out.
    """

    rgb: Rgb
    notes: tuple[str, ...] = ()


def read_image(path: str | Path, max_side: int = MAX_SIDE) -> Rgb:
    """Read a photo as RGB (H, W, 3) uint8.

    The file's content decides what it is, not its name. The EXIF orientation is applied, as
    annotation tools do. Grey, palette and CMYK images are converted; values of 16 bits and float
    are scaled by what is found (`rpc.data.pixel_values`); transparent parts become white; of an
    animation the first frame is taken. Such things are logged (`rpc.data.photo_notes`);
    `read_with_notes` returns them.

    Args:
        path: a JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF or, with the extra `heic`, HEIC file.
        max_side: images with a side of so many pixels or more are refused from their header.

    Raises:
        DataError: the file is missing, empty, truncated, not an image, or too large.
    """
    read = read_with_notes(path, max_side=max_side)
    note_photo(path, read.notes)
    return read.rgb


def read_photo(photo: Photo, name: str = "photo") -> Rgb:
    """Take a photo in any form as RGB (H, W, 3) uint8, as `read_image` does a file.

    Args:
        photo: the path of a file, the bytes of one, a PIL image, or an RGB array (H, W, 3) uint8,
            which is taken as it is.
        name: of the photo, in errors about one that has no path.

    Raises:
        DataError: as `read_image`, or something else than these.
    """
    read = read_with_notes(photo, name)
    note_photo(photo if isinstance(photo, str | Path) else name, read.notes)
    return read.rgb


def read_with_notes(photo: Photo, name: str = "photo", max_side: int = MAX_SIDE) -> ReadPhoto:
    """As `read_photo`, with notes on what was done.

    Raises:
        DataError: as `read_photo`.
    """
    if isinstance(photo, str | Path):
        return _read(Source.of(Path(photo)), max_side, over_white)
    if isinstance(photo, bytes | bytearray | memoryview):
        return _read(Source.of(bytes(photo), name), max_side, over_white)
    if isinstance(photo, Image.Image):
        return _of_pil(photo, name)
    if not isinstance(photo, np.ndarray):
        got = type(photo).__name__
    elif photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        got = f"an array {photo.shape} {photo.dtype}"
    else:
        return ReadPhoto(photo)
    raise DataError(
        f"{name}: expected a path, bytes, a PIL image or an RGB array (H, W, 3) uint8, got {got}"
    )


def read_rgba(path: str | Path, max_side: int = MAX_SIDE) -> Rgb:
    """Read an image with its alpha as (H, W, 4) uint8; alpha is 255 where the file has none.

    Raises:
        DataError: as `read_image`.
    """
    return _read(Source.of(Path(path)), max_side, lambda image: image.convert("RGBA")).rgb


@dataclass(frozen=True)
class PhotoHeader:
    """The header of a photo.

    Attributes:
        width: px, upright: as `read_image` gives it.
        height: px, likewise.
        turn: EXIF's orientation, 1 to 8; 1 is none.
    """

    width: int
    height: int
    turn: int = 1

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height of the pixels as the file has them, before the turn."""
        return (self.height, self.width) if self.turn >= 5 else (self.width, self.height)

    @property
    def turn_keeps_size(self) -> bool:
        """Whether there is a turn that the size does not show."""
        return self.turn > 1 and (self.turn < 5 or self.width == self.height)

    @property
    def turn_text(self) -> str:
        """The turn in words."""
        return _TURNS[self.turn]


def photo_header(path: str | Path, max_side: int = MAX_SIDE) -> PhotoHeader:
    """Size and turn of a photo, from the header alone.

    Raises:
        DataError: the file is missing, empty, not an image, or too large.
    """
    source = Source.of(Path(path))
    try:
        with open_image(source, max_side) as image:
            width, height = image.size
            turn = image.getexif().get(0x0112, 1)
            if image.format == "TIFF" and turn in (5, 6, 7, 8):  # Pillow turns its size itself
                width, height = height, width
    except DataError:
        raise
    except UnidentifiedImageError:
        width, height, turn = deep_tiff_header(source, max_side)
    except Exception as error:
        raise unreadable(source.name, error) from error
    turn = turn if turn in _TURNS else 1
    # 5 to 8 are the EXIF orientations that lie on their side.
    return PhotoHeader(height, width, turn) if turn >= 5 else PhotoHeader(width, height, turn)


def image_size(path: str | Path, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """Width and height in pixels as `read_image` will give them, from the header alone.

    Raises:
        DataError: the file is missing, empty, not an image, or too large.
    """
    header = photo_header(path, max_side)
    return header.width, header.height


def write_image(path: str | Path, rgb: Rgb, quality: int = 95) -> Path:
    """Write RGB (H, W, 3), or RGBA (H, W, 4) as PNG, by the suffix; whole or not at all.

    Args:
        path: ends in .jpg, .jpeg or .png.
        rgb: uint8.
        quality: of JPEG, 1 to 100.

    Raises:
        DataError: the suffix is another one, or the file cannot be written.
        ValueError: the array is not uint8 of one of these shapes.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png"):
        raise DataError(f"{path}: expected a name that ends in .jpg or .png")
    channels = (3, 4) if suffix == ".png" else (3,)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] not in channels or not rgb.size:
        raise ValueError(
            f"{path}: expected uint8 (H, W, {' or '.join(map(str, channels))}), "
            f"got {rgb.dtype} {rgb.shape}"
        )
    if suffix != ".png":
        return write_bytes(path, encode_jpeg(rgb, quality))
    order = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, order))
    assert done, "encoding a checked array cannot fail"
    return write_bytes(path, data.tobytes())


def encode_jpeg(rgb: Rgb, quality: int = 95) -> bytes:
    """The bytes of the JPEG that `write_image` writes of RGB (H, W, 3) uint8."""
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert done, "encoding a checked array cannot fail"
    return bytes(data.tobytes())


def _read(
    source: Source, max_side: int, convert: Callable[[Image.Image], Image.Image]
) -> ReadPhoto:
    """Decode all of a file or of its bytes."""
    try:
        try:
            with open_image(source, max_side) as image:
                return ReadPhoto(*decoded(image, source, convert))
        except UnidentifiedImageError:
            return ReadPhoto(*read_deep_tiff(source, max_side, convert))
    except DataError:
        raise
    # Pillow's decoders answer damage with OSError, SyntaxError, ValueError, struct.error, ...
    except Exception as error:
        raise unreadable(source.name, error) from error


def _bytes_behind(image: Image.Image) -> bytes:
    """The bytes of an image that is not decoded yet and has colours of 16 bits; else none.

    Pillow would keep the high byte alone, in which a camera's 12 bits are black.
    """
    file = getattr(image, "fp", None)
    if file is None or ";16" not in str(getattr(image, "tile", "")) or image.mode[0] == "I":
        return b""
    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    return bytes(data)


def _of_pil(image: Image.Image, name: str) -> ReadPhoto:
    """A PIL image as it is; one that is not decoded yet, from its file."""
    check_size(image, name, MAX_SIDE)
    try:
        data = _bytes_behind(image)
        if data:
            return _read(Source.of(data, name), MAX_SIDE, over_white)
        return ReadPhoto(*decoded(image, Source(b"", name, 0, b"", UNKNOWN), over_white))
    except DataError:
        raise
    except Exception as error:
        raise unreadable(name, error) from error
