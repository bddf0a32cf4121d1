"""A SKU's exemplar pictures as a model file keeps them: small and compressed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final

from PIL import Image, UnidentifiedImageError

from rpc.data.images import encode_jpeg, read_photo
from rpc.features.local.key_points import Rgb, scaled

SkuPictures = tuple[bytes, ...]  # JPEG files
KEPT_SIDE: Final = 320  # px: more than is compared, so that the marks of JPEG are averaged out
QUALITY: Final = 88
MOST_PHOTOS: Final = 64  # of a SKU
MOST_SIDE: Final = 1024  # px
LEAST_SIDE: Final = 8


def pack_pictures(crops: Iterable[Rgb]) -> SkuPictures:
    """Pictures (H, W, 3) of a SKU, at most `KEPT_SIDE` pixels long, as JPEG files."""
    return tuple(
        encode_jpeg(scaled(crop, min(KEPT_SIDE, max(crop.shape[:2]))), QUALITY) for crop in crops
    )


def unpack_pictures(packed: SkuPictures) -> list[Rgb]:
    """The pictures (H, W, 3) of `pack_pictures`.

    Raises:
        DataError: one is damaged.
    """
    return [read_photo(data, "a SKU's picture") for data in packed]


def checked_jpeg(data: bytes) -> bytes:
    """The bytes of a picture, whose head is looked at, so that a file cannot ask for much memory.

    Raises:
        ValueError: it is no such picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            sides = image.size
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise ValueError("pictures: one is no JPEG file, or a damaged one") from error
    if min(sides) < LEAST_SIDE or max(sides) > MOST_SIDE:
        got = f"{sides[0]} x {sides[1]}"
        raise ValueError(f"pictures: expected sides of {LEAST_SIDE} to {MOST_SIDE} px, got {got}")
    return data
