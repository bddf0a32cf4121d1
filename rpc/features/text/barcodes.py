"""Barcodes of products: which trade item a picture shows, where its code is legible.

Read by zxing-cpp. Of what it finds, the retail codes count (EAN-13, EAN-8, UPC-A, UPC-E), and only
with a right check digit. All are written as the fourteen digits of GS1's GTIN, so that a UPC-A and
the EAN-13 of the same item are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import import_package
from rpc.structures.gtin import gtin
from rpc.structures.readings import Rgb

Grey = NDArray[np.uint8]
FORMATS: Final = ("EAN13", "EAN8", "UPCA", "UPCE")
SIDE: Final = 640  # px: pictures are brought to this longer side, but never made smaller
SLANTS: Final = (0, 30, 60)  # degrees; zxing-cpp itself looks along both axes


class BarcodeReader:
    """Reads the retail codes on pictures.

    Raises:
        DataError: zxing-cpp is not installed.
    """

    def __init__(self) -> None:
        self._package = import_package("zxingcpp")
        self._formats = tuple(getattr(self._package.BarcodeFormat, name) for name in FORMATS)

    def __call__(self, picture: Rgb) -> tuple[str, ...]:
        """The codes on a picture (H, W, 3) uint8 RGB, as 14 digits each, sorted; often none."""
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(f"picture: expected (H, W, 3) uint8, got {picture.shape}")
        grey: Grey = np.asarray(
            cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), dtype=np.uint8
        )
        scale = max(SIDE / max(grey.shape), 1.0)
        for view in (grey, *(slanted(grey, scale, degrees) for degrees in SLANTS)):
            if codes := self._codes(view):
                return tuple(sorted(codes))
        return ()

    def _codes(self, grey: Grey) -> set[str]:
        found = self._package.read_barcodes(grey, formats=self._formats)
        return {code for one in found if one.valid and (code := gtin(one.text)) is not None}


def slanted(grey: Grey, scale: float, degrees: float) -> Grey:
    """A picture (H, W) enlarged and turned about its middle, on a canvas that holds it whole."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    across, down = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * across + height * down), round(width * down + height * across)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_CUBIC, borderValue=255)
    return np.asarray(turned, dtype=np.uint8)


def codes_by_sku(
    read: Mapping[str, Iterable[str]], named: Mapping[str, Iterable[object]]
) -> dict[str, str]:
    """The SKU of each code; a code that several SKUs have tells none of them and is left out.

    Args:
        read: codes that were read on the exemplar photos of each SKU.
        named: texts by which a SKU is called (name, title): one that is a code counts as its code.
    """
    owners: dict[str, set[str]] = {}
    for texts in (read, named):
        for sku, some in texts.items():
            for text in some:
                if (code := gtin(text)) is not None:
                    owners.setdefault(code, set()).add(sku)
    return {code: next(iter(skus)) for code, skus in sorted(owners.items()) if len(skus) == 1}
