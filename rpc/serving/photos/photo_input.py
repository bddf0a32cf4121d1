"""Photos of requests: bytes that nobody vouches for, to an upright picture of a sane size."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rpc.data.files import DataError
from rpc.data.images import read_with_notes
from rpc.serving.errors import ApiError

Rgb = NDArray[np.uint8]
MOST_BYTES: Final = 20 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
LEAST_SIDE: Final = 16  # px: nothing can be counted on less


def photo_of_bytes(data: bytes, name: str = "photo") -> Rgb:
    """An upright photo (H, W, 3) of the bytes of a file.

    Raises:
        ApiError: not a photo, damaged, too large or too small.
    """
    if not data:
        raise _unreadable(f"{name}: no bytes came; send a JPEG, PNG or WebP file")
    if len(data) > MOST_BYTES:
        raise too_large(f"{name}: {len(data) / 2**20:.1f} MB, at most 20 MB; send a smaller photo")
    _check_size(data, name)
    try:
        rgb = read_with_notes(data, name).rgb
    except DataError as error:
        raise _unreadable(str(error)) from error
    if min(rgb.shape[:2]) < LEAST_SIDE:
        raise _unreadable(f"{name}: {rgb.shape[1]} x {rgb.shape[0]} px; send a larger photo")
    return np.ascontiguousarray(rgb)


def too_large(message: str) -> ApiError:
    """The answer to a photo, or another body, that is too large."""
    return ApiError(413, "photo_too_large", message)


def _check_size(data: bytes, name: str) -> None:
    """Refuse a photo by what its header says, before anything is decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise too_large(f"{name}: more than 50 megapixels; send a smaller photo") from error
    except Exception:  # noqa: BLE001 - what Pillow cannot open, the reader says in our words
        return
    if width * height > MOST_PIXELS:
        raise too_large(
            f"{name}: {width * height / 1e6:.0f} megapixels, at most 50; send a smaller photo"
        )


def _unreadable(message: str) -> ApiError:
    return ApiError(400, "photo_unreadable", message)
