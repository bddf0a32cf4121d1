"""Contact sheets: all cut-outs of a store on magenta, a row a SKU, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.cutouts import Cutout, CutoutSet
from rpc.data.file_group import remove_with_group
from rpc.data.images import write_image

TILE = 112  # px of a picture
CAPTION = 14  # px below it
COLUMNS = 12
ROWS = 16  # of tiles on a page
BACKGROUND = (255, 0, 255)  # no package has it, so left-over backdrop and halos show
TITLE = (255, 255, 255)
DROPPED = (255, 40, 40)
FONT = cv2.FONT_HERSHEY_SIMPLEX

Tile = NDArray[np.uint8]  # (TILE + CAPTION, TILE, 3)


def write_sheets(
    cutouts: CutoutSet, out: str | Path | None = None, names: dict[int, str] | None = None
) -> list[Path]:
    """Write `sheet_001.jpg`, ... into `out` (default: the folder of the cut-outs).

    Below each picture stand camera-view, quality and weight; what is not used is crossed out and
    has the reason instead of the weight. A SKU begins a new row. Old sheets with a higher number
    are removed.

    Args:
        cutouts: what to show.
        out: folder.
        names: SKU by category id, for the captions; only ASCII can be drawn.

    Returns:
        The paths.

    Raises:
        DataError: a cut-out is missing or damaged, or a sheet cannot be written.
    """
    folder = Path(out) if out is not None else cutouts.root
    ordered = sorted(cutouts.cutouts, key=lambda c: c.category_id)
    rows: list[list[Cutout]] = []
    for _, group in groupby(ordered, key=lambda c: c.category_id):
        mine = list(group)
        rows += [mine[i : i + COLUMNS] for i in range(0, len(mine), COLUMNS)]
    paths = []
    for number, start in enumerate(range(0, len(rows), ROWS), start=1):
        page = [draw_row(cutouts, row, names or {}) for row in rows[start : start + ROWS]]
        paths.append(write_image(folder / f"sheet_{number:03d}.jpg", np.vstack(page), 90))
    for old in folder.glob("sheet_[0-9][0-9][0-9].jpg"):
        if old not in paths:
            remove_with_group(old)
    return paths


def draw_row(cutouts: CutoutSet, row: Sequence[Cutout], names: dict[int, str]) -> NDArray[np.uint8]:
    """One row of `COLUMNS` tiles under the SKU's name, RGB."""
    tiles = list(_tiles(cutouts, row))
    blank = np.zeros((TILE + CAPTION, TILE, 3), dtype=np.uint8)
    picture = np.hstack(tiles + [blank] * (COLUMNS - len(tiles)))
    title = np.zeros((CAPTION + 2, picture.shape[1], 3), dtype=np.uint8)
    category = row[0].category_id
    name = names.get(category, row[0].file.partition("/")[0])
    write_text(title, f"{category} {name}", TITLE, 0.42)
    return np.vstack([title, picture])


def draw_tile(rgba: NDArray[np.uint8], cutout: Cutout) -> Tile:
    """A cut-out (h, w, 4) on the background with its caption."""
    zoom = min(1.0, (TILE - 4) / max(rgba.shape[:2]))
    colour, alpha = rgba[..., :3].astype(np.float32), rgba[..., 3:].astype(np.float32) / 255
    flat = colour * alpha + np.array(BACKGROUND, dtype=np.float32) * (1 - alpha)
    if zoom < 1:
        size = (max(1, round(rgba.shape[1] * zoom)), max(1, round(rgba.shape[0] * zoom)))
        flat = np.asarray(cv2.resize(flat, size, interpolation=cv2.INTER_AREA), flat.dtype)
    picture = np.full((TILE, TILE, 3), BACKGROUND, dtype=np.uint8)
    top, left = (TILE - flat.shape[0]) // 2, (TILE - flat.shape[1]) // 2
    picture[top : top + flat.shape[0], left : left + flat.shape[1]] = np.round(flat)
    if not cutout.keep:
        cv2.line(picture, (0, 0), (TILE - 1, TILE - 1), DROPPED, 2, cv2.LINE_AA)
        cv2.line(picture, (0, TILE - 1), (TILE - 1, 0), DROPPED, 2, cv2.LINE_AA)
    caption = np.zeros((CAPTION, TILE, 3), dtype=np.uint8)
    write_text(caption, _caption(cutout), TITLE if cutout.keep else DROPPED, 0.33)
    return np.vstack([picture, caption])


def _tiles(cutouts: CutoutSet, row: Sequence[Cutout]) -> Iterator[Tile]:
    for cutout in row:
        yield draw_tile(cutouts.read(cutout), cutout)


def _caption(cutout: Cutout) -> str:
    view = "" if cutout.camera is None else f"{cutout.camera}-{cutout.view} "
    last = f"w{cutout.weight:.2f}" if cutout.keep else cutout.reason
    return f"{view}q{cutout.quality:.2f} {last}"


def write_text(
    canvas: NDArray[np.uint8], text: str, colour: tuple[int, int, int], size: float
) -> None:
    """Write ASCII text along the lower edge of `canvas` (h, w, 3), in place; others become `?`."""
    plain = text.encode("ascii", "replace").decode("ascii")
    cv2.putText(canvas, plain, (2, canvas.shape[0] - 4), FONT, size, colour, 1, cv2.LINE_AA)
