"""A SKU's words: read on its exemplar photos, kept with a model or a gallery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rpc.structures.gtin import gtin
from rpc.structures.readings import PackText, Reading, readings_from_json, readings_to_json

MOST_PHOTOS: Final = 1_000_000


@dataclass(frozen=True)
class SkuWords:
    """The words and barcodes of a SKU's exemplar photos.

    Attributes:
        readings: of all of them together.
        photos: how many photos were read; 0 where none was.
        codes: the barcodes on them, as 14 digits each.

    Raises:
        ValueError: words without a photo.
    """

    readings: tuple[Reading, ...] = ()
    photos: int = 0
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read = bool(self.readings or self.codes)
        if type(self.photos) is not int or self.photos < 0 or (read and not self.photos):
            raise ValueError(f"words: expected the number of photos read, got {self.photos!r:.40}")


def words_of_texts(texts: Iterable[PackText]) -> SkuWords:
    """The words of a SKU whose photos were read one by one; a text that several have, once.

    Of each text the surest reading is kept, the surest texts first.
    """
    best: dict[str, float] = {}
    codes: set[str] = set()
    photos = 0
    for text in texts:
        photos += 1
        codes.update(text.codes)
        for one in text.readings:
            best[one.text] = max(best.get(one.text, 0.0), one.confidence)
    order = sorted(best.items(), key=lambda one: (-one[1], one[0]))
    return SkuWords(tuple(Reading(*one) for one in order), photos, tuple(sorted(codes)))


def sku_words_to_json(words: Sequence[SkuWords]) -> list[Any]:
    """Plain values, one entry a SKU: `[photos, [[text, confidence], ...], [barcode, ...]]`."""
    return [[one.photos, readings_to_json(one.readings), list(one.codes)] for one in words]


def sku_words_from_json(values: Any, skus: int) -> tuple[SkuWords, ...]:
    """The words of `sku_words_to_json`, of so many SKUs.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(values, list) or len(values) != skus:
        got = f"{len(values)} entries" if isinstance(values, list) else f"{values!r:.40}"
        raise ValueError(f"words: expected a list with an entry for each of {skus} SKUs, got {got}")
    return tuple(_one(entry) for entry in values)


def _one(entry: Any) -> SkuWords:
    if not isinstance(entry, list) or len(entry) != 3:
        raise ValueError(f"words: expected [photos, readings, codes], got {entry!r:.60}")
    photos, readings, codes = entry
    if type(photos) is not int or photos > MOST_PHOTOS:
        raise ValueError(f"words: expected the number of photos read, got {photos!r:.40}")
    if not isinstance(codes, list) or any(gtin(code) != code for code in codes):
        raise ValueError(f"words: expected a list of barcodes of 14 digits, got {codes!r:.60}")
    return SkuWords(readings_from_json(readings), photos, tuple(codes))
