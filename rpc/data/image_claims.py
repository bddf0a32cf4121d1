"""Headers of images that claim more than their file can hold: a few bytes are no large photo."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

# A byte of deflate gives 1,032 bytes at most; LZW of TIFF and GIF, with tables of 4,096 entries,
# two and a half times as much; PackBits 64.
DEFLATE: Final = 1_032
LZW: Final = 2_800
PACKBITS: Final = 64
# Where a format has no such limit: a photo above so many pixels has a byte for so many at least.
LARGE: Final = 20_000_000
PIXELS_A_BYTE: Final = 5_000
GREY: Final = range(126, 131)  # what a JPEG's decoder puts where data is missing
_SPARE: Final = 4_096  # bytes: small files are not worth a calculation


def claim_problem(image: Image.Image, size: int, head: bytes) -> str | None:
    """The fault of a header that claims more than a file of `size` bytes can hold.

    Args:
        image: opened, not decoded.
        size: of the file, bytes.
        head: the file's first bytes.
    """
    width, height = image.size
    least = _least_bytes(image, size, head)
    if size + _SPARE >= least:
        return None
    return (
        f"the header claims {width:,}x{height:,} px, for which the file has too little data: "
        f"{size:,} bytes, and {math.ceil(least):,} or more are needed"
    )


def _least_bytes(image: Image.Image, size: int, head: bytes) -> float:
    width, height = image.size
    pixels = width * height
    if image.format in ("JPEG", "MPO"):
        return _jpeg_blocks(image) / 8
    if image.format == "PNG" and head[12:16] == b"IHDR":
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(head[25], 1)
        return height * (1 + math.ceil(width * channels * head[24] / 8)) / DEFLATE
    if image.format == "GIF":
        return pixels / LZW
    if image.format == "BMP":
        packed = int.from_bytes(head[30:34], "little") in (1, 2)
        return pixels / 128 if packed else pixels * _bmp_bits(head) / 8
    if image.format == "TIFF":
        return _tiff_bytes(image, pixels)
    return pixels / PIXELS_A_BYTE if pixels > LARGE else 0


def _jpeg_blocks(image: Any) -> int:
    """Blocks of 8x8 values, each of which takes a bit or more in any coding with Huffman's."""
    layers = getattr(image, "layer", ())
    if not layers:
        return 0
    across, down = max(one[1] for one in layers), max(one[2] for one in layers)
    units = math.ceil(image.width / (8 * across)) * math.ceil(image.height / (8 * down))
    return int(units * sum(one[1] * one[2] for one in layers))


def _bmp_bits(head: bytes) -> int:
    at = 24 if head[14:18] == b"\x0c\0\0\0" else 28
    return int.from_bytes(head[at : at + 2], "little")


def _tiff_bytes(image: Any, pixels: int) -> float:
    tags = image.tag_v2
    bits = tags.get(258, (1,))
    samples = tags.get(277, len(bits))
    raw = float(pixels * max(bits) * samples / 8)
    if tags.get(262) == 6:  # YCbCr: the colours may have fewer samples
        raw /= 2
    most = {1: 1, 5: LZW, 8: DEFLATE, 32_946: DEFLATE, 32_773: PACKBITS}.get(tags.get(259, 1))
    if most is None:
        return pixels / PIXELS_A_BYTE if pixels > LARGE else 0
    return raw / most


def lacks_data(image: Image.Image, source: Path | bytes) -> bool:
    """Whether a JPEG that was decoded without a complaint has less data than pixels.

    A decoder puts grey where data ends early and an end mark follows, as after a failed repair of
    a card. Only where the last corner is that grey, a second decoding tells: with noise appended
    to the data, missing pixels change, those that are there stay.
    """
    if image.format not in ("JPEG", "MPO") or not _corner_is_grey(image):
        return False
    data = source if isinstance(source, bytes) else source.read_bytes()
    end = data.rfind(b"\xff\xd9")
    if end < 0:
        return False
    if _restarts_missing(image, data):
        return True
    noise = np.random.default_rng(0).integers(0, 255, 1 << 16, np.uint8).tobytes()  # holds no 0xff
    try:
        with Image.open(io.BytesIO(data[:end] + noise + b"\xff\xd9"), formats=("JPEG",)) as other:
            other.load()
            return _corner(other) != _corner(image)
    except (OSError, SyntaxError, ValueError):
        return True


def _corner(image: Image.Image) -> bytes:
    width, height = image.size
    return image.crop((max(0, width - 8), max(0, height - 8), width, height)).tobytes()


def _corner_is_grey(image: Image.Image) -> bool:
    values = set(_corner(image))
    return values <= set(GREY)


def _restarts_missing(image: Any, data: bytes) -> bool:
    """Whether a JPEG whose data is cut in numbered parts has fewer of them than it says."""
    at = data.find(b"\xff\xdd\0\x04")
    if at < 0 or image.info.get("progressive"):
        return False
    interval = int.from_bytes(data[at + 4 : at + 6], "big")
    layers = image.layer
    if not interval or len(layers) < 3:
        return False
    across, down = max(one[1] for one in layers), max(one[2] for one in layers)
    units = math.ceil(image.width / (8 * across)) * math.ceil(image.height / (8 * down))
    start = data.find(b"\xff\xda", at)
    found = sum(data.count(bytes((0xFF, 0xD0 + n)), start) for n in range(8))
    return bool(found < math.ceil(units / interval) - 1)
