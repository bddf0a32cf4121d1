"""The kind of a file by its first bytes: what is a photo, and what to do with what is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEAD: Final = 4096  # bytes that are looked at
PHOTO_SUFFIXES: Final = frozenset(
    ".jpg .jpeg .jpe .jfif .jif .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .heic .heics .heif "
    ".heifs .hif .avif".split()
)
RAW_SUFFIXES: Final = frozenset(
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .k25 .kdc .mef .mos .mrw .nef .nrw "
    ".orf .pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f".split()
)
VIDEO_SUFFIXES: Final = frozenset(
    ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .webm .wmv".split()
)
CONVERT: Final = "export it as JPEG or PNG"


@dataclass(frozen=True)
class FileContent:
    """The kind of a file.

    Attributes:
        kind: in people's words, singular: "JPEG", "HEIC photo", "camera RAW photo", "video", ...
        photo: whether it is a photo that is read here, if it is whole.
        remedy: how to make a photo of it that is read; empty where nothing is known.
        format: Pillow's name of the format, empty for what is not read.
    """

    kind: str
    photo: bool = False
    remedy: str = ""
    format: str = ""


def _photo(name: str) -> FileContent:
    return FileContent(name, photo=True, format=name)


EMPTY: Final = FileContent("empty file", remedy="replace it")
UNKNOWN: Final = FileContent("file of an unknown kind")
HEIC: Final = FileContent("HEIC", photo=True, format="HEIF")
AVIF: Final = _photo("AVIF")
RAW: Final = FileContent("camera RAW photo", remedy="develop it to JPEG or PNG")
VIDEO: Final = FileContent("video", remedy="take stills from it, as JPEG")
WEB_PAGE: Final = FileContent(
    "web page", remedy="the download gave a page instead of the photo: fetch the photo again"
)
ARCHIVE: Final = FileContent("archive", remedy="unpack it")
DRAWING: Final = FileContent("SVG drawing", remedy=CONVERT)
DOCUMENT: Final = FileContent("PDF document", remedy="export its pages as JPEG or PNG")
TEXT: Final = FileContent("text file")
POINTER: Final = FileContent("Git LFS pointer", remedy="fetch the photo itself: git lfs pull")

# At the file's start.
_BEGINNINGS: Final[Mapping[bytes, FileContent]] = {
    b"\xff\xd8\xff": _photo("JPEG"),
    b"\x89PNG\r\n\x1a\n": _photo("PNG"),
    b"GIF87a": _photo("GIF"),
    b"GIF89a": _photo("GIF"),
    b"II*\0": _photo("TIFF"),
    b"MM\0*": _photo("TIFF"),
    b"II+\0": _photo("TIFF"),
    b"MM\0+": _photo("TIFF"),
    b"FUJIFILMCCD-RAW": RAW,
    b"IIRO": RAW,
    b"IIRS": RAW,
    b"MMOR": RAW,
    b"IIU\0": RAW,
    b"FOVb": RAW,
    b"\0MRM": RAW,
    b"%PDF": DOCUMENT,
    b"%!PS": FileContent("PostScript document", remedy=CONVERT),
    b"8BPS": FileContent("Photoshop file", remedy=CONVERT),
    b"\0\0\0\x0cJXL ": FileContent("JPEG XL photo", remedy=CONVERT),
    b"\xff\x0a": FileContent("JPEG XL photo", remedy=CONVERT),
    b"\0\0\0\x0cjP  ": FileContent("JPEG 2000 photo", remedy=CONVERT),
    b"\xff\x4f\xff\x51": FileContent("JPEG 2000 photo", remedy=CONVERT),
    b"v/1\x01": FileContent("OpenEXR photo", remedy=CONVERT),
    b"#?RADIANCE": FileContent("Radiance photo", remedy=CONVERT),
    b"DDS ": FileContent("DirectDraw picture", remedy=CONVERT),
    b"\0\0\x01\0": FileContent("Windows icon", remedy=CONVERT),
    b"\x1aE\xdf\xa3": VIDEO,
    b"\0\0\x01\xba": VIDEO,
    b"\0\0\x01\xb3": VIDEO,
    b"FLV\x01": VIDEO,
    b"0&\xb2u": VIDEO,
    b"PK\x03\x04": ARCHIVE,
    b"PK\x05\x06": ARCHIVE,
    b"\x1f\x8b": ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": ARCHIVE,
    b"Rar!": ARCHIVE,
    b"BZh": ARCHIVE,
    b"\xfd7zXZ": ARCHIVE,
    b"version https://git-lfs": POINTER,
}
# Brands of the ISO container that HEIC, AVIF, Canon's RAW and MP4 share, first match wins.
_BRANDS: Final[tuple[tuple[FileContent, frozenset[bytes]], ...]] = (
    (RAW, frozenset({b"crx "})),
    (AVIF, frozenset({b"avif", b"avis"})),
    (HEIC, frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})),
    (HEIC, frozenset({b"mif1", b"mif2", b"msf1"})),
)


def content_of(source: str | Path | bytes) -> FileContent:
    """The kind of a regular file, or of the bytes of one.

    The suffix is asked only where the bytes do not say: Adobe's, Nikon's and Sony's RAW files are
    TIFF files by their first bytes.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return content_of_head(source[:HEAD])
    path = Path(source)
    with path.open("rb") as file:
        return content_of_head(file.read(HEAD), path.suffix)


def content_of_head(head: bytes, suffix: str = "") -> FileContent:
    """The kind of a file that begins with `head`."""
    if not head:
        return EMPTY
    found = _by_beginning(head)
    if found is not None and found.format == "TIFF":
        raw = suffix.lower() in RAW_SUFFIXES or head[8:10] == b"CR"
        return RAW if raw else found
    if found is not None:
        return found
    return _by_suffix(suffix.lower()) or _by_text(head) or UNKNOWN


def _by_beginning(head: bytes) -> FileContent | None:
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:4] == b"RIFF":
        return {b"WEBP": _photo("WEBP"), b"AVI ": VIDEO}.get(head[8:12])
    # Two letters are little proof: the header's size says more.
    if head[:2] == b"BM" and head[14:18] in _BITMAP_HEADERS:
        return _photo("BMP")
    if head[:2] in (b"P5", b"P6", b"P4", b"P3", b"P2", b"Pf", b"PF") and head[2:3].isspace():
        return FileContent("Netpbm picture", remedy=CONVERT)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return VIDEO
    return next((kind for start, kind in _BEGINNINGS.items() if head.startswith(start)), None)


_BITMAP_HEADERS: Final = frozenset(n.to_bytes(4, "little") for n in (12, 40, 52, 56, 64, 108, 124))


def _by_brand(head: bytes) -> FileContent:
    """Of an ISO file: its own brand and those that it is compatible with."""
    size = max(16, min(int.from_bytes(head[:4], "big"), len(head)))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, size - 3, 4)}
    return next((kind for kind, known in _BRANDS if brands & known), VIDEO)


def _by_suffix(suffix: str) -> FileContent | None:
    """The kind of a file whose bytes do not say it: RAW files and videos have too many forms."""
    if suffix in RAW_SUFFIXES:
        return RAW
    return VIDEO if suffix in VIDEO_SUFFIXES else None


def _by_text(head: bytes) -> FileContent | None:
    if b"\0" in head:
        return None
    low = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if low.startswith((b"<!doctype html", b"<html")):
        return WEB_PAGE
    if b"<svg" in low:
        return DRAWING
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not merely cut within a letter
            return None
    return TEXT
