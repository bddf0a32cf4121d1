"""Boolean masks (H, W), their run-length codes (COCO's compressed RLE) and tight boxes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

BoolMask = NDArray[np.bool_]


def encode_rle(mask: BoolMask) -> dict[str, Any]:
    """COCO's compressed RLE of a mask (H, W): `{"size": [H, W], "counts": str}`, ready for JSON."""
    if mask.ndim != 2:
        raise ValueError(f"mask: expected shape (H, W), got {mask.shape}")
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode_rle(rle: dict[str, Any]) -> BoolMask:
    """Mask (H, W) of a COCO RLE, compressed (str, bytes) or plain (list of run lengths).

    Raises:
        ValueError: `size` or `counts` are missing, or the runs do not fill the size.
    """
    try:
        height, width = (int(n) for n in rle["size"])
        counts = rle["counts"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"RLE: expected 'size' [H, W] and 'counts', got {rle!r:.80}") from error
    if isinstance(counts, list):
        runs = np.asarray(counts, dtype=np.int64)
        if (runs < 0).any() or int(runs.sum()) != height * width:
            raise ValueError(f"RLE: runs sum to {int(runs.sum())}, expected {height * width}")
        flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        return np.asarray(flat.reshape((height, width), order="F"))
    raw = {"size": [height, width], "counts": counts}
    return np.asarray(coco_mask.decode(raw), dtype=bool)


def mask_to_box(mask: BoolMask) -> tuple[int, int, int, int] | None:
    """Tight box (x1, y1, x2, y2), x2 and y2 exclusive, of a mask (H, W); None where it is empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
