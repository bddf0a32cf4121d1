"""A SKU's exemplar pictures as the tensors that a model file can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rpc.features.local.sku_pictures import MOST_PHOTOS, SkuPictures, checked_jpeg


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
    flat = isinstance(tensor, torch.Tensor) and tensor.dtype == torch.uint8 and tensor.ndim == 1
    if not flat:
        raise ValueError("pictures: expected the bytes of JPEG files")
    return checked_jpeg(tensor.numpy().tobytes())
