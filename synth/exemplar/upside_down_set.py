"""Cut-outs of cans and cups on their heads, beside those of a store's photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts, write_cutouts
from rpc.data.files import safe_join
from rpc.data.images import read_rgba, write_image
from synth.exemplar.upside_down import VIEWS, Cone, Rgba, find_cone, upside_down

NAME: Final = "on_its_head"
PICTURES: Final = 8  # of a SKU
SHARE: Final = 0.12  # of a SKU's items in scenes; on drawn trays about a tenth stands on its head


def add_upside_down(folder: str | Path) -> int:
    """Add cans and cups on their heads to the cut-outs of a folder; says of how many SKUs.

    Which SKUs are cans and cups is read off their outlines (`find_cone`); their pictures depend on
    their photos and their category id alone.

    Raises:
        DataError: the cut-outs are missing or damaged, or a file cannot be written.
    """
    found = read_cutouts(folder)
    photos = [c for c in found.cutouts if not _is_made(c)]
    made = [one for sku in _by_sku(photos) for one in _made(found, sku)]
    if made or len(photos) < len(found):
        write_cutouts(folder, replace(found, cutouts=(*photos, *made)))
    return len({cutout.category_id for cutout in made})


def _is_made(cutout: Cutout) -> bool:
    return Path(cutout.file).name.startswith(f"{NAME}-") and cutout.camera is None


def _by_sku(cutouts: Sequence[Cutout]) -> list[list[Cutout]]:
    groups: dict[int, list[Cutout]] = {}
    for cutout in cutouts:
        groups.setdefault(cutout.category_id, []).append(cutout)
    return list(groups.values())


def _made(found: CutoutSet, sku: Sequence[Cutout]) -> list[Cutout]:
    """The pictures of one SKU, written; none where it is no can or cup."""
    weight = sum(cutout.weight for cutout in sku if cutout.keep)
    side = _side_views(found, sku)
    if side is None or weight == 0:
        return []
    views, pictures, cone = side
    rng = np.random.default_rng([views[0].category_id, VIEWS])
    made = []
    for number in range(1, PICTURES + 1):
        near, far = rng.choice(len(pictures), size=2, replace=False)
        rgba = upside_down(pictures[near], pictures[far], cone, rng)
        file = f"{Path(views[near].file).parent.as_posix()}/{NAME}-{number}.png"
        write_image(safe_join(found.root, file), rgba)
        made.append(
            replace(
                views[near],
                file=file,
                camera=None,
                view=None,
                width=rgba.shape[1],
                height=rgba.shape[0],
                area=int((rgba[..., 3] > 127).sum()),
                pose_ratio=1.0,
                weight=round(SHARE / (1 - SHARE) * weight / PICTURES, 6),
                keep=True,
                reason="",
            )
        )
    return made


def _side_views(
    found: CutoutSet, sku: Sequence[Cutout]
) -> tuple[list[Cutout], list[Rgba], Cone] | None:
    """The photos from the side and the shape, where a camera shows a can or a cup from there."""
    for camera in sorted({c.camera for c in sku if c.camera is not None}):
        views = [c for c in sku if c.camera == camera and c.reason in ("", "pose")]
        if len(views) < VIEWS:
            continue
        pictures = [read_rgba(found.path(view)) for view in views]
        cone = find_cone([picture[..., 3] > 127 for picture in pictures])
        if cone is not None:
            return views, pictures, cone
    return None
