"""From key points to masks of parts, and from masks to the windows around them (Mask-CNN).

A mask is drawn on a grid; the cell in column i of w covers x from i S / w to (i + 1) S / w.

Key: B photos of S x S pixels, P key points, G groups of them, h x w cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final, Literal

import torch
from torch import Tensor

from rpc.features.parts.warp import affine_view

Overlap = Literal["line", "first"]

IGNORED: Final = -1  # label of cells of which nothing is known


def point_labels(
    points: Tensor,
    groups: Sequence[Sequence[int]],
    side: int,
    cells: tuple[int, int],
    overlap: Overlap = "line",
) -> Tensor:
    """Label each cell by rectangles around key points (Wei et al., PR 2018, section 3.1).

    A group of points gives the smallest rectangle that holds those in sight. Where rectangles
    overlap, a line shares the cells out (`split_overlap`), as in the paper. What is in no rectangle
    is background.

    Args:
        points: (B, P, 3), x and y in px, and above 0 if in sight.
        groups: numbers of the points of each group, from 0.
        side: S.
        cells: h and w.
        overlap: "line"; or "first": the earlier group has all the cells (of a bird: the head, which
            is smaller), so that no point of it lies in another part.

    Returns:
        (B, h, w) int64: 0 background, g + 1 of group g; `IGNORED` all over a photo no point of
        whose groups is in sight: it may show the object all the same.

    Raises:
        ValueError: an empty group, or a number that is no point's.
    """
    ends = point_ends(points, groups)
    held = torch.stack([cells_between(own, side, cells) for own in ends.unbind(1)], dim=1)
    own = split_overlap(ends, held, side) if overlap == "line" else held
    labels = torch.zeros(len(points), *cells, dtype=torch.int64, device=points.device)
    for number in reversed(range(len(groups))):
        labels = labels.masked_fill(own[:, number], number + 1)
    known = torch.isfinite(ends).all(dim=2).any(dim=1)
    return labels.masked_fill(~known[:, None, None], IGNORED)


def point_ends(points: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """The smallest rectangles (B, G, 4), px, that hold the points of each group in sight.

    Infinite where none is in sight.

    Raises:
        ValueError: an empty group, or a number that is no point's.
    """
    count = points.shape[1]
    if bad := [g for g in groups if not len(g) or not 0 <= min(g) <= max(g) < count]:
        raise ValueError(f"groups: expected numbers from 0 to {count - 1}, got {list(bad[0])}")
    made = []
    for group in groups:
        own = points[:, list(group)]
        seen = own[:, :, 2:] > 0  # (B, p, 1)
        low = own[:, :, :2].masked_fill(~seen, torch.inf).amin(dim=1)
        high = own[:, :, :2].masked_fill(~seen, -torch.inf).amax(dim=1)
        made.append(torch.cat([low, high], dim=1))
    return torch.stack(made, dim=1)


def cell_boxes(ends: Tensor, side: int, cells: tuple[int, int]) -> Tensor:
    """The cells that rectangles (B, 4) touch (`cells_between`) as boxes (B, 4) px; else NaN."""
    return mask_boxes(cells_between(ends, side, cells), side)


def mask_boxes(masks: Tensor, side: int) -> Tensor:
    """The tight boxes (B, 4), px, of masks (B, h, w); NaN of an empty one."""
    boxes = (mask_ends(masks) + 1) * side / 2
    empty = ~masks.flatten(1).any(dim=1)
    return boxes.masked_fill(empty[:, None], torch.nan)


def split_overlap(rectangles: Tensor, held: Tensor, side: int) -> Tensor:
    """Share out, by a line for each pair of rectangles, the cells that lie in both.

    The line goes through the middle of the overlap, and so gives each rectangle half of it; it
    stands at right angles to the way from one rectangle's middle to the other's. Which line the
    paper draws could not be read; that it is a line is its own. Ours too: a rectangle that lies
    within the other keeps all its cells, and one of the same middle gives way to an earlier group.

    Args:
        rectangles: (B, G, 4), x1, y1, x2, y2 px; not finite where there is none.
        held: (B, G, h, w) bool, the cells of each.
        side: S.

    Returns:
        (B, G, h, w) bool: no cell that was in a rectangle is in none, and of two parts each cell is
        in one at most.
    """
    height, width = held.shape[2:]
    rows = (torch.arange(height, device=held.device) + 0.5) * side / height
    columns = (torch.arange(width, device=held.device) + 0.5) * side / width
    lost = torch.zeros_like(held)
    for first, second in combinations(range(held.shape[1]), 2):
        one, other = rectangles[:, first], rectangles[:, second]
        low, high = torch.maximum(one, other)[:, :2], torch.minimum(one, other)[:, 2:]
        away = (other[:, :2] + other[:, 2:] - one[:, :2] - one[:, 2:]) / 2
        middle = (low + high) / 2
        across = (columns - middle[:, :1]) * away[:, :1]  # (B, w)
        down = (rows - middle[:, 1:]) * away[:, 1:]  # (B, h)
        beyond = down[:, :, None] + across[:, None, :] > 0  # on the second's side of the line
        beyond = beyond | _within(other, one)[:, None, None]
        beyond = beyond & ~_within(one, other)[:, None, None]
        both = held[:, first] & held[:, second]
        lost[:, first] |= both & beyond
        lost[:, second] |= both & ~beyond
    kept = held & ~lost
    return torch.where(kept.any(dim=1, keepdim=True), kept, held)  # three can each lose to another


def _within(inner: Tensor, outer: Tensor) -> Tensor:
    """Which rectangles (B, 4) lie within others, and are not the same, (B,)."""
    inside = ((inner[:, :2] >= outer[:, :2]) & (inner[:, 2:] <= outer[:, 2:])).all(dim=1)
    return inside & (inner != outer).any(dim=1)


def box_labels(boxes: Tensor, side: int, cells: tuple[int, int]) -> Tensor:
    """1 in the cells that a photo's box (B, 4) touches, else 0: (B, h, w) int64.

    In place of `point_labels` for photos without key points.
    """
    inner = torch.cat([boxes[:, :2], boxes[:, 2:] - 1e-3], dim=1)  # its edge is no longer the box
    return cells_between(inner, side, cells).long()


def cells_between(ends: Tensor, side: int, cells: tuple[int, int]) -> Tensor:
    """The smallest rectangle of cells that holds both ends (B, 4; x1, y1, x2, y2 px), (B, h, w).

    Nothing where an end is infinite.
    """
    height, width = cells
    inside = ends.clamp(0, side * (1 - 1e-6))
    finite = torch.isfinite(ends).all(dim=1)[:, None, None]
    columns = torch.arange(width, device=ends.device)
    rows = torch.arange(height, device=ends.device)
    first = (inside[:, :2] * inside.new_tensor([width, height]) / side).floor()
    last = (inside[:, 2:] * inside.new_tensor([width, height]) / side).floor()
    across = (columns >= first[:, :1]) & (columns <= last[:, :1])  # (B, w)
    down = (rows >= first[:, 1:]) & (rows <= last[:, 1:])  # (B, h)
    return down[:, :, None] & across[:, None, :] & finite


def mask_ends(masks: Tensor) -> Tensor:
    """The tight rectangles (B, 4), x1, y1, x2, y2 from -1 to 1, of masks (B, h, w).

    The whole photo, -1 to 1, where a mask is empty.
    """
    whole = torch.tensor([-1.0, -1.0, 1.0, 1.0], device=masks.device)
    found = []
    for held in (masks.any(dim=1), masks.any(dim=2)):  # columns (B, w), then rows (B, h)
        size = held.shape[1]
        places = torch.arange(size, device=masks.device)
        first = torch.where(held, places, size).amin(dim=1)
        last = torch.where(held, places + 1, 0).amax(dim=1)
        found.append(torch.stack([first, last], dim=1) * 2.0 / size - 1)
    ends = torch.stack([found[0][:, 0], found[1][:, 0], found[0][:, 1], found[1][:, 1]], dim=1)
    return torch.where(masks.flatten(1).any(dim=1)[:, None], ends, whole)


def square_around(ends: Tensor, least: float = 0.1) -> tuple[Tensor, Tensor]:
    """Centres (B, 2) and half sides (B,) of the squares around rectangles (B, 4), in -1 to 1.

    Undistorted, no smaller than `least` a half side, no larger than the photo.
    """
    halves = ((ends[:, 2:] - ends[:, :2]) / 2).amax(dim=1).clamp(least, 1.0)
    return (ends[:, :2] + ends[:, 2:]) / 2, halves


def masks_through(masks: Tensor, transforms: Tensor, cells: int) -> Tensor:
    """Masks (B, h, w) as views (B, 2, 3) of the photos see them, (B, cells, cells) bool.

    A cell is in the mask if it is covered at least half as much as the cell covered most: so that
    an object smaller than a cell is not lost. An empty mask stays empty.
    """
    share = affine_view(masks[:, None].float(), transforms, cells)[:, 0]
    most = share.flatten(1).amax(dim=1)[:, None, None]
    return (share >= 0.5 * most) & (share > 1e-3)
