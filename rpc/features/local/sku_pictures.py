"""A SKU's exemplar pictures as a model file keeps them: small and compressed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import torch
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


def sku_pictures_to_tensors(pictures: Sequence[SkuPictures]) -> list[Any]:
    """Values that a model file can hold: for each SKU a list of uint8 tensors of JPEG files."""
    return [
        [torch.frombuffer(bytearray(data), dtype=torch.uint8) for data in one] for one in pictures
    ]


def sku_pictures_from_tensors(values: Any, skus: int) -> tuple[SkuPictures, ...]:
    """The pictures of `sku_pictures_to_tensors`, of so many SKUs.

    Raises:
        ValueError: it is something else, or a picture is no JPEG file of a sensible size.
    """
    if not isinstance(values, list) or len(values) != skus:
        got = f"{len(values)} entries" if isinstance(values, list) else f"a {type(values).__name__}"
        raise ValueError(
            f"pictures: expected a list with an entry for each of {skus} SKUs, got {got}"
        )
    return tuple(_one(entry) for entry in values)


def _one(entry: Any) -> SkuPictures:
    if not isinstance(entry, list) or len(entry) > MOST_PHOTOS:
        raise ValueError(f"pictures: expected a list of at most {MOST_PHOTOS} pictures for a SKU")
    return tuple(_jpeg(tensor) for tensor in entry)


def _jpeg(tensor: Any) -> bytes:
    """The bytes of a picture, whose head is looked at, so that a file cannot ask for much memory.

    Raises:
        ValueError: it is no such picture.
    """
    flat = isinstance(tensor, torch.Tensor) and tensor.dtype == torch.uint8 and tensor.ndim == 1
    if not flat:
        raise ValueError("pictures: expected the bytes of JPEG files")
    data: bytes = tensor.numpy().tobytes()
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            sides = image.size
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise ValueError("pictures: one is no JPEG file, or a damaged one") from error
    if min(sides) < LEAST_SIDE or max(sides) > MOST_SIDE:
        got = f"{sides[0]} x {sides[1]}"
        raise ValueError(f"pictures: expected sides of {LEAST_SIDE} to {MOST_SIDE} px, got {got}")
    return data
