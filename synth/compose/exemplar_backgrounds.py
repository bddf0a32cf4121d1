"""Backgrounds for stores photographed on natural ground: exemplars with the product taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo
from rpc.data.exemplars import Exemplar
from rpc.data.file_names import FileNames
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.store import Store
from synth.compose.fixed_camera import fill_from_others

Rgb = NDArray[np.uint8]

_LONGEST = 1024  # pixels of a background
_COARSE = 192  # pixels at which the gap is filled: inpainting is slow, and ground is smooth
_FADE = 0.025  # of a photo's width: where the ground is known, it replaces shadows around products
_MARGIN = 0.08  # the box grows by this fraction of its size: shadows and loose boxes go too


class NoGroundError(DataError):
    """No exemplar shows enough ground around its product."""


def exemplar_backgrounds(
    store: Store,
    out: str | Path,
    count: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write up to `count` backgrounds from random exemplars of a store.

    Exemplars on which the products fill half of the photo or more are passed over, and damaged
    ones.

    Args:
        store: the store.
        out: folder for the photos; made if it is missing.
        count: how many.
        rng: chance.
        progress: called with (done, count) after each.

    Returns:
        The folder.

    Raises:
        NoGroundError: no exemplar shows enough ground.
        DataError: a background cannot be written.
    """
    by_photo: dict[Path, list[Exemplar]] = {}
    for exemplar in store.exemplars():
        by_photo.setdefault(exemplar.path, []).append(exemplar)
    paths, done, names = sorted(by_photo), 0, FileNames()
    for row in rng.permutation(len(paths)):
        if done == count:
            break
        path = paths[int(row)]
        try:
            photo = read_entry_photo(path, by_photo[path][0].size)
        except DataError:  # the cut-outs have named it; another photo shows the ground too
            continue
        ground = remove_boxes(photo, [e.box for e in by_photo[path]])
        if ground is None:
            continue
        write_image(Path(out) / names.give(path.stem, ".jpg"), ground)
        done += 1
        if progress is not None:
            progress(done, count)
    if not done:
        raise NoGroundError(
            f"{store.root}: products fill the exemplars; no background is left to use"
        )
    return Path(out)


def remove_boxes(photo: Rgb, boxes: Sequence[Sequence[float]] | NDArray[np.float64]) -> Rgb | None:
    """A photo (H, W, 3), made smaller if it is large, with what is in the boxes painted over.

    The gap gets smooth colours by inpainting and fine texture from elsewhere in the photo.

    Returns:
        The photo; None where the boxes fill half of it or more.
    """
    photo, gap = with_gap(photo, boxes)
    if _mostly(gap):
        return None
    return _with_texture(photo, _fill(photo, gap), gap)


def empty_trays(trays: Sequence[tuple[Rgb, NDArray[np.uint8]]]) -> list[Rgb | None]:
    """Photos of trays, each of `with_gap`, with what is in their gaps painted over.

    Where one fixed camera took them, a gap is filled with what other photos show there; else, and
    on photos that are not like the others, as `remove_boxes` does.

    Returns:
        One for each photo; None where the gap is half of it or more.
    """
    rows = [n for n, (_, gap) in enumerate(trays) if not _mostly(gap)]
    grounds = fill_from_others([trays[n][0] for n in rows], [trays[n][1] > 0 for n in rows])
    empty: list[Rgb | None] = [None] * len(trays)
    for row, ground in zip(rows, grounds, strict=True):
        photo, gap = trays[row]
        if ground is None:
            empty[row] = _with_texture(photo, _fill(photo, gap), gap)
        else:
            empty[row] = _with_texture(photo, _enlarged(ground, gap), gap, _FADE * gap.shape[1])
    return empty


def with_gap(
    photo: Rgb, boxes: Sequence[Sequence[float]] | NDArray[np.float64]
) -> tuple[Rgb, NDArray[np.uint8]]:
    """A photo (H, W, 3), made smaller if it is large, and 255 where a box with its margin is."""
    factor = min(1.0, _LONGEST / max(photo.shape[:2]))
    size = (max(8, round(photo.shape[1] * factor)), max(8, round(photo.shape[0] * factor)))
    photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    gap = np.zeros(photo.shape[:2], dtype=np.uint8)
    for box in boxes:
        x1, y1, x2, y2 = (v * factor for v in box)
        dx, dy = _MARGIN * (x2 - x1) + 2, _MARGIN * (y2 - y1) + 2
        left, top = max(0, int(x1 - dx)), max(0, int(y1 - dy))
        gap[top : int(y2 + dy) + 1, left : int(x2 + dx) + 1] = 255
    return photo, gap


def _mostly(gap: NDArray[np.uint8]) -> bool:
    return bool(np.count_nonzero(gap) >= gap.size / 2)


def _fill(photo: Rgb, gap: NDArray[np.uint8]) -> Rgb:
    """The photo's smooth colours, the gap inpainted: computed small, enlarged."""
    factor = min(1.0, _COARSE / max(gap.shape))
    size = (max(4, round(gap.shape[1] * factor)), max(4, round(gap.shape[0] * factor)))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    hole = (cv2.resize(gap, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    return _enlarged(np.asarray(cv2.inpaint(small, hole, 5, cv2.INPAINT_TELEA)), gap)


def _enlarged(small: Rgb, gap: NDArray[np.uint8]) -> Rgb:
    return np.asarray(cv2.resize(small, gap.shape[::-1], interpolation=cv2.INTER_CUBIC))


def _with_texture(photo: Rgb, smooth: Rgb, gap: NDArray[np.uint8], fade: float = 3.0) -> Rgb:
    """Paint `smooth` into the gap, plus fine detail of the shift of the photo that avoids it.

    Around the gap it fades into the photo, over about `fade` px.
    """
    height, width = gap.shape
    shifts = [
        (dy, dx) for dy in (0, height // 3, height // 2) for dx in (0, width // 3, width // 2)
    ]
    # The shift whose source lies least inside the gap itself.
    shift = min(shifts[1:], key=lambda s: np.count_nonzero(np.roll(gap, s, (0, 1)) & gap))
    ground = np.where(gap[:, :, None] > 0, smooth, photo)
    detail = ground.astype(np.int16) - cv2.GaussianBlur(ground, (0, 0), width / 100)
    painted = (smooth + np.roll(detail, shift, axis=(0, 1))).clip(0, 255)
    reach = 2 * round(fade - 3) + 1  # beyond shadows at the gap's edge, where it is wide
    wide = cv2.dilate(gap, np.ones((reach, reach), np.uint8)) if reach > 1 else gap
    soft = cv2.GaussianBlur(wide, (0, 0), fade)[:, :, None].astype(np.float32) / 255
    soft = np.maximum(soft, (gap > 0)[:, :, None])
    return np.asarray(photo * (1 - soft) + painted * soft).astype(np.uint8)
