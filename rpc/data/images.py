"""Photos in and out: what is not a whole, sensible image is refused before it costs memory."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from rpc.data.files import DataError, write_bytes

# Arrays: H height, W width in pixels.
Rgb = NDArray[np.uint8]
Photo: TypeAlias = str | Path | bytes | Image.Image | Rgb

MAX_SIDE = 20_000
MAX_PIXELS = 178_000_000  # a 178-megapixel photo takes 0.5 GB; Pillow itself refuses more
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
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

# Pillow warns from 89 megapixels on; here the size is checked before anything is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_image(path: str | Path, max_side: int = MAX_SIDE) -> Rgb:
    """Read a photo as RGB (H, W, 3) uint8.

    The EXIF orientation is applied, as annotation tools do. Grey, palette, CMYK and 16-bit images
    are converted; transparent parts become white; of an animation the first frame is taken.

    Args:
        path: a JPEG, PNG, WebP, BMP, TIFF or GIF file.
        max_side: images with a side of so many pixels or more are refused from their header.

    Raises:
        DataError: the file is missing, empty, truncated, not an image, or too large.
    """
    return np.asarray(_read(Path(path), max_side, _over_white)).copy()


def read_photo(photo: Photo, name: str = "photo") -> Rgb:
    """Take a photo in any form as RGB (H, W, 3) uint8, as `read_image` does a file.

    Args:
        photo: the path of a file, the bytes of one, a PIL image, or an RGB array (H, W, 3) uint8,
            which is taken as it is.
        name: of the photo, in errors about one that has no path.

    Raises:
        DataError: as `read_image`, or something else than these.
    """
    if isinstance(photo, str | Path):
        return read_image(photo)
    if isinstance(photo, bytes | bytearray | memoryview):
        return np.asarray(_read(bytes(photo), MAX_SIDE, _over_white, name)).copy()
    if isinstance(photo, Image.Image):
        _check_size(photo, name, MAX_SIDE)
        return np.asarray(_decoded(photo, _over_white, name)).copy()
    if not isinstance(photo, np.ndarray):
        got = type(photo).__name__
    elif photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        got = f"an array {photo.shape} {photo.dtype}"
    else:
        return photo
    raise DataError(
        f"{name}: expected a path, bytes, a PIL image or an RGB array (H, W, 3) uint8, got {got}"
    )


def read_rgba(path: str | Path, max_side: int = MAX_SIDE) -> Rgb:
    """Read an image with its alpha as (H, W, 4) uint8; alpha is 255 where the file has none.

    Raises:
        DataError: as `read_image`.
    """
    return np.asarray(_read(Path(path), max_side, lambda image: image.convert("RGBA"))).copy()


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
    path = Path(path)
    try:
        with _open(path, max_side, str(path)) as image:
            width, height = image.size
            turn = image.getexif().get(0x0112, 1)
    except DataError:
        raise
    except Exception as error:
        raise _unreadable(str(path), error) from error
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
    order = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    options = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, order), options)
    assert done, "encoding a checked array cannot fail"
    return write_bytes(path, data.tobytes())


def _read(
    source: Path | bytes,
    max_side: int,
    convert: Callable[[Image.Image], Image.Image],
    name: str = "",
) -> Image.Image:
    """Decode all of a file or of its bytes, as `_decoded`."""
    name = str(source) if isinstance(source, Path) else name
    try:
        with _open(source, max_side, name) as image:
            return _decoded(image, convert, name)
    except DataError:
        raise
    except Exception as error:
        raise _unreadable(name, error) from error


def _decoded(
    image: Image.Image, convert: Callable[[Image.Image], Image.Image], name: str
) -> Image.Image:
    """All of an image, rotated upright, 8 bits a channel, and converted by `convert`."""
    try:
        image.load()
        return convert(_to_8_bit(ImageOps.exif_transpose(image)))
    # Pillow's decoders answer damage with OSError, SyntaxError, ValueError, struct.error, ...
    except Exception as error:
        raise _unreadable(name, error) from error


def _over_white(image: Image.Image) -> Image.Image:
    """RGB, with transparent parts as if the image lay on white paper."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _open(source: Path | bytes, max_side: int, name: str) -> Image.Image:
    """Read the header and refuse what is missing, empty, no image or too large."""
    try:
        if (source.stat().st_size if isinstance(source, Path) else len(source)) == 0:
            raise DataError(f"{name}: the file is empty; replace it")
        given = source if isinstance(source, Path) else io.BytesIO(source)
        image = Image.open(given, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, f"more than {MAX_PIXELS:,} pixels", max_side) from error
    except UnidentifiedImageError as error:
        hint = " (convert HEIC to JPEG first)" if name.lower().endswith((".heic", ".heif")) else ""
        raise DataError(f"{name}: not an image: expected {', '.join(FORMATS)}{hint}") from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from error
    try:
        _check_size(image, name, max_side)
    except DataError:
        image.close()
        raise
    return image


def _check_size(image: Image.Image, name: str, max_side: int) -> None:
    width, height = image.size
    if max(width, height) >= max_side or width * height > MAX_PIXELS:
        raise _too_large(name, f"{width}x{height} px", max_side)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Bring 16-bit grey to 8 bits by its high byte; other modes pass."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)
    return Image.fromarray((values.clip(0, 65_535) >> 8).astype(np.uint8))


def _too_large(name: str, size: str, max_side: int) -> DataError:
    return DataError(
        f"{name}: the image is too large: {size}; expected sides below {max_side:,} px "
        f"and at most {MAX_PIXELS:,} pixels: scale it down"
    )


def _unreadable(name: str, error: Exception) -> DataError:
    return DataError(f"{name}: the image is truncated or damaged: {error}; replace it")
