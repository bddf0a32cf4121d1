"""The main job's doubt: learnt on labelled trays and composed scenes, and kept in the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.checkout.seen import Seen
from rpc.counting import CountingRule
from rpc.counting.doubt.decisions import Decisions, Outcomes
from rpc.counting.doubt.doubt import AlikePair, Doubt
from rpc.counting.doubt.learn import Labelled, learn_calibration, learn_doubt
from rpc.counting.doubt.look_alikes import SeenItems, find_alike
from rpc.data.cutouts import CutoutSet
from rpc.data.dataset import Dataset
from rpc.data.file_group import remove_with_group
from rpc.data.images import read_rgba, write_image
from rpc.data.taxonomy import Taxonomy
from rpc.pictures.pairs import Pair, draw_pairs
from rpc.pipelines.labelled_trays import labelled, truths_of

DRAWN: Final = 12  # pairs


def doubt_of_trays(
    rule: CountingRule,
    photos: tuple[Dataset, Sequence[Seen]] | None,
    scenes: tuple[Dataset, Sequence[Seen]] | None,
    cutouts: CutoutSet | None,
) -> Doubt | None:
    """Doubt from labelled photos, composed scenes, or both; None where there are neither.

    Args:
        rule: what counts.
        photos: of validation, and what was seen on them.
        scenes: composed ones that no training saw, likewise.
        cutouts: those that the scenes are made of, for the cameras of their exemplars.
    """
    known = photos or scenes
    if known is None:
        return None
    skus = known[0].taxonomy.names
    of_photos = Labelled() if photos is None else labelled(truths_of(photos[0]), photos[1], rule)
    of_scenes = Labelled() if scenes is None else labelled(truths_of(scenes[0]), scenes[1], rule)
    alike: tuple[AlikePair, ...] = ()
    if scenes is not None and cutouts is not None:
        calibration = learn_calibration(of_photos, of_scenes, len(skus))
        alike = find_alike(seen_items(scenes[0], of_scenes, calibration.names, cutouts), skus)
    return learn_doubt(of_photos, of_scenes, len(skus), alike=alike)


def seen_items(
    scenes: Dataset, trays: Labelled, names: Callable[[Any], Any], cutouts: CutoutSet
) -> SeenItems:
    """The items of composed scenes as a counter saw them, with the cut-out of each."""
    camera = {one.file: -1 if one.camera is None else one.camera for one in cutouts.cutouts}
    rows = [
        (trays.made[tray].shares[place], annotation)
        for tray, image in enumerate(scenes.images)
        for place, annotation in _pairs(scenes, image.id, trays.made[tray], trays.became[tray])
    ]
    files = [str(annotation.extra.get("cutout", "")) for _, annotation in rows]
    skus = len(scenes.taxonomy)
    return SeenItems(
        names=names(np.array([shares for shares, _ in rows]).reshape(-1, skus)),
        labels=scenes.taxonomy.labels(annotation.category_id for _, annotation in rows),
        views=np.array([camera.get(file, -1) for file in files], dtype=np.int64),
        files=files,
        visible=np.array([annotation.visible or 0.0 for _, annotation in rows]),
    )


def write_alike(path: Path, doubt: Doubt, cutouts: CutoutSet, taxonomy: Taxonomy) -> Path | None:
    """Draw the cut-outs of SKUs that cannot be told apart, the worst pairs first.

    Returns:
        The path; None where there is no pair, and then a picture of an earlier run is removed.

    Raises:
        DataError: a cut-out is missing or damaged, or the picture cannot be written.
    """
    files = {one.file: one for one in cutouts.cutouts}
    known = [pair for pair in doubt.alike if pair.examples and files.keys() >= set(pair.examples)]
    if not known:
        remove_with_group(path)
        return None
    pairs = []
    for pair in known[:DRAWN]:
        first, second = (read_rgba(cutouts.path(files[name])) for name in pair.examples)
        titles = [taxonomy.by_name(sku).title or sku for sku in pair.skus]
        cameras = ", ".join("unknown" if view < 0 else str(view) for view in pair.views)
        note = f"camera {cameras}: split on {100 * pair.share:.0f} % of their composed items"
        pairs.append(Pair((first, second), " / ".join(titles), note))
    return write_image(path, draw_pairs(pairs))


def _pairs(
    scenes: Dataset, image_id: int, made: Decisions, became: Outcomes
) -> list[tuple[int, Any]]:
    """Counted decisions of one scene with the annotation of their item."""
    items = scenes.annotations_of(image_id)
    return [
        (place, items[item])
        for place, item in enumerate(became.items[: made.counted].tolist())
        if item >= 0
    ]
