"""Invented packages as a set of cut-outs, ready to be composed into scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import write_image
from rpc.data.taxonomy import Category, Taxonomy
from synth.drawn.package import View, draw_package

VIEWS: tuple[tuple[View, int], ...] = (("front", 3), ("back", 1), ("end", 1))
SMALLEST = 30  # px of a scene 1000 px wide: less can not be told from dirt


def draw_cutouts(
    out: str | Path,
    products: int,
    *,
    seed: int = 0,
    siblings: int | None = None,
    long_side: int = 224,
    lettered: bool = False,
    bodied: bool = False,
    largest: float = 0.26,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw `products` packages, five views each, into `out`.

    Sizes are spread as in a shop: the long side of a product takes 6 % of a tray's width or more.

    Args:
        out: folder.
        products: how many.
        seed: of all that is drawn.
        siblings: products in a family of look-alikes of one size; None for products without family.
        long_side: of the pictures, pixels; tells how sharp they are, not how large they appear.
        lettered: see `draw_package`.
        bodied: see `draw_package`.
        largest: long side of the largest products, as a fraction of a tray's width.
        progress: is told products done and all.

    Returns:
        Path of `cutouts.json`.

    Raises:
        DataError: a file cannot be written.
    """
    out = Path(out)
    entries = []
    for product in range(products):
        family, sibling = (product, None) if siblings is None else divmod(product, siblings)
        chance = np.random.default_rng([seed, family, 7])
        fraction = float(np.exp(chance.uniform(np.log(0.06), np.log(largest))))
        # A slim product is long, or it could not be told from dirt.
        slim = min(draw_package(seed, family, "front", 0).shape[:2])
        fraction = max(fraction, 224 * 1.3 * SMALLEST / 1000 / slim)
        views = [(view, n) for view, count in VIEWS for n in range(count)]
        for view, variant in views:
            picture = draw_package(
                seed,
                family,
                view,
                variant,
                long_side=long_side,
                sibling=sibling,
                lettered=lettered,
                bodied=bodied,
            )
            file = f"package_{product:04d}/{view}_{variant}.png"
            write_image(out / file, picture)
            height, width = picture.shape[:2]
            scale = 1000 * fraction / long_side
            entries.append(
                Cutout(
                    file=file,
                    source=file,
                    category_id=product + 1,
                    camera=None,
                    view=None,
                    width=width,
                    height=height,
                    area=int((picture[..., 3] > 127).sum()),
                    quality=1.0,
                    pose_ratio=1.0,
                    scale=scale,
                    keep=min(height, width) * scale >= SMALLEST,
                    reason="" if min(height, width) * scale >= SMALLEST else "size",
                )
            )
        if progress is not None:
            progress(product + 1, products)
    return write_cutouts(out, CutoutSet(tuple(entries), out, "drawn", "drawn packages"))


def drawn_taxonomy(products: int) -> Taxonomy:
    """The SKUs of `draw_cutouts`."""
    return Taxonomy([Category(n + 1, f"package_{n:04d}") for n in range(products)])
