"""Files that `rpc-checkout count` writes of a tray, and its entry of `counts.json`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rpc.checkout import Receipt

COUNTS = "counts.json"


def files_of(out: Path, stem: str) -> tuple[Path, Path]:
    """A tray's list and its annotated photo."""
    return out / f"{stem}_list.json", out / f"{stem}_counted.jpg"


def write_tray(out: Path, stem: str, receipt: Receipt, facts: dict[str, Any]) -> list[Path]:
    """Write a tray's list, with more facts about it, and its annotated photo."""
    from rpc.data.file_group import file_group
    from rpc.data.files import write_json
    from rpc.data.images import write_image

    listing: dict[str, Any] = {**receipt.to_dict(), **facts}
    names = files_of(out, stem)
    with file_group(out):
        picture = write_image(names[1], receipt.draw())
        return [write_json(names[0], listing, indent=1), picture]


def counts_entry(number: int, file_name: str, receipt: Receipt) -> dict[str, Any]:
    """A tray's entry of `counts.json`, as `rpc-checkout evaluate` reads it."""
    found = [(receipt.taxonomy.by_name(sku).id, sku, n) for sku, n in receipt.counts.items()]
    return {
        "image_id": number,
        "file_name": file_name,
        "counts": [{"category_id": i, "name": sku, "count": n} for i, sku, n in found],
        "certainty": receipt.certainty,
        "passes": receipt.passes,
        "questions": len(receipt.questions),
    }
