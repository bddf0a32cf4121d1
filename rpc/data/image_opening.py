"""Images from their header: what is no photo, too large or damaged is refused undecoded."""

from __future__ import annotations

import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError, features

from rpc.data.file_content import AVIF, HEAD, HEIC, UNKNOWN, FileContent, content_of_head
from rpc.data.files import DataError
from rpc.data.heic_boxes import is_sound_heic
from rpc.data.image_claims import claim_problem
from rpc.data.packages import import_package
from rpc.data.shown_names import shown_name

MAX_SIDE: Final = 20_000
# A photo of so many pixels takes 1.6 GB while it is read: Pillow's 4 bytes a pixel, 3 in RGB, and
# what is being converted; 1.9 GB where it is turned upright. Pillow itself refuses more pixels.
MAX_PIXELS: Final = 178_000_000
MAX_DEEP_PIXELS: Final = MAX_PIXELS // 2  # with values of 16 bits or float
# WebP's, AVIF's and HEIC's decoders hold a photo three times.
MAX_PIXELS_OF: Final = {"WEBP": 110_000_000, "AVIF": 110_000_000, "HEIF": 110_000_000}
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIC", "AVIF")
_DNG_VERSION: Final = 50_706  # a tag of Adobe's RAW files, which are TIFF files

# Pillow warns from 89 megapixels on; here the size is checked before anything is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Source:
    """A file of a photo, or its bytes, before decoding.

    Attributes:
        given: path or bytes.
        name: in errors.
        size: bytes.
        head: the first bytes.
        content: what they say.
    """

    given: Path | bytes
    name: str
    size: int
    head: bytes
    content: FileContent

    @classmethod
    def of(cls, given: Path | bytes, name: str = "") -> Source:
        """Look at the first bytes.

        Raises:
            DataError: missing, empty, no regular file, or no photo.
        """
        name = name or shown_name(given if isinstance(given, Path) else "photo")
        try:
            size, head = _size_and_head(given, name)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from error
        if not size:
            raise DataError(f"{name}: the file is empty; replace it")
        suffix = given.suffix if isinstance(given, Path) else ""
        content = content_of_head(head, suffix)
        if not content.photo:
            raise DataError(f"{name}: not an image: {_found(content)}")
        return cls(given, name, size, head, content)

    def data(self) -> bytes:
        """All bytes."""
        return self.given if isinstance(self.given, bytes) else self.given.read_bytes()


def open_image(source: Source, max_side: int) -> Image.Image:
    """An image that is not decoded yet; its size is sensible and its file not too small for it.

    Raises:
        DataError: damaged, too large, or of a kind that is not read.
        UnidentifiedImageError: a TIFF file with pixels that Pillow does not know.
    """
    _prepare(source)
    if source.content == HEIC and not is_sound_heic(source.data()):
        raise _undecodable(source)
    given = source.given if isinstance(source.given, Path) else io.BytesIO(source.given)
    try:
        image = Image.open(given, formats=(source.content.format,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(source.name, f"more than {MAX_PIXELS:,} pixels", max_side) from error
    except UnidentifiedImageError as error:
        if source.content.format == "TIFF":
            raise
        if source.content in (HEIC, AVIF):
            raise _undecodable(source) from error
        raise unreadable(source.name, f"not a whole {source.content.kind}") from error
    except OSError as error:
        if error.errno is None:  # Pillow's own, on a header that ends early
            raise unreadable(source.name, error) from error
        raise DataError(f"{source.name}: cannot be read: {error.strerror}") from error
    try:
        check_size(image, source.name, max_side)
        _refuse_raw(image, source.name)
        problem = claim_problem(image, source.size, source.head)
        if problem is not None:
            raise unreadable(source.name, problem)
    except BaseException:
        image.close()
        raise
    # Pillow maps plain TIFF files by their name, and mixes up the pixels of those that lie on
    # their side; without a name it reads them.
    image.filename = ""
    return image


def check_size(image: Image.Image, name: str, max_side: int) -> None:
    """Refuse an image that would take too much memory.

    Raises:
        DataError: it is too large.
    """
    width, height = image.size
    deep = image.mode in ("I", "F")
    most = MAX_DEEP_PIXELS if deep else MAX_PIXELS_OF.get(image.format or "", MAX_PIXELS)
    if max(width, height) >= max_side or width * height > most:
        raise too_large(name, f"{width}x{height} px", max_side, most)


def too_large(name: str, size: str, max_side: int, most: int = MAX_PIXELS) -> DataError:
    """The error of an image with too many pixels."""
    return DataError(
        f"{name}: the image is too large: {size}; expected sides below {max_side:,} px "
        f"and at most {most:,} pixels: scale it down"
    )


def unreadable(name: str, why: object) -> DataError:
    """The error of an image that is damaged."""
    line = " ".join(str(why).split())  # libraries' messages may have several
    return DataError(f"{name}: the image is truncated or damaged: {line}; replace it")


def _size_and_head(given: Path | bytes, name: str) -> tuple[int, bytes]:
    if isinstance(given, bytes):
        return len(given), given[:HEAD]
    found = given.stat()
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise DataError(f"{name}: a pipe, socket or device; expected the file of a photo")
    with given.open("rb") as file:
        return found.st_size, file.read(HEAD)


def _found(content: FileContent) -> str:
    if content is UNKNOWN or not content.remedy:
        return f"expected {', '.join(FORMATS)}"
    article = "an" if content.kind[0] in "aeiouAEIOUS" else "a"
    return f"{article} {content.kind}; {content.remedy}"


def _prepare(source: Source) -> None:
    """Bring the reader of kinds that Pillow does not know by itself.

    Raises:
        DataError: it is not installed.
    """
    if source.content == HEIC:
        try:
            import_package("pi_heif").register_heif_opener()
        except DataError as error:
            raise DataError(f"{source.name}: a HEIC photo: {error}") from error
    elif source.content == AVIF and not features.check("avif"):
        raise DataError(
            f"{source.name}: an AVIF photo, which needs Pillow 11.3 or later: "
            "pip install 'pillow>=11.3'"
        )


def _undecodable(source: Source) -> DataError:
    return DataError(
        f"{source.name}: a {source.content.kind} photo that cannot be decoded: truncated, damaged "
        "or of a new kind; export it as JPEG where it opens, or replace it"
    )


def _refuse_raw(image: Image.Image, name: str) -> None:
    if _DNG_VERSION in getattr(image, "tag_v2", ()):
        raise DataError(f"{name}: a camera RAW photo (DNG); develop it to JPEG or PNG")
