"""A counter in int8: scenes that show its networks' ranges, and the lists that may not change."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.checkout.counter import Checkout
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError
from rpc.data.images import Rgb
from rpc.data.store import Store
from rpc.detection.detector import Detector
from rpc.inference.crops import box_extents, cut_crops
from rpc.inference.letterbox import letterbox
from rpc.inference.network_counter import CROPS, EXTENTS, PICTURES
from rpc.runs.openvino_files import Inputs
from rpc.runs.progress import bar
from synth.compose import SceneConfig
from synth.compose.sources import SceneSources
from synth.compose.stream import ComposedScenes
from synth.exemplar import build_cutouts

SCENES: Final = 300  # composed trays that the ranges are read off
SCENE_SIDES: Final = (512, 1024)  # px; within them as large as the store's trays
SEED: Final = 5
MOST_TRAYS: Final = 300  # that lists are compared on
MOST_CHANGED: Final = 0.01  # share of them whose list may change
TOLD: Final = 5  # trays that an error names


@dataclass(frozen=True)
class Examples:
    """The calls of the networks on some scenes.

    Attributes:
        detector: a call a scene.
        recogniser: a call for each scene on which something was found.
    """

    detector: tuple[Inputs, ...]
    recogniser: tuple[Inputs, ...]


def examples_of(store: Store, detector: Detector, crop: int | None, floor: float) -> Examples:
    """Calls of a counter's networks on trays that are composed of a store's exemplars.

    Args:
        store: has the exemplars; trays are composed on its empty ones, where it has `backgrounds`.
        detector: finds what the recogniser is asked about.
        crop: side of the recogniser's crops, px; None where there is none.
        floor: score from which a detection is worth a look by the recogniser.

    Raises:
        DataError: no scenes can be composed of the exemplars.
    """
    pictures: list[Inputs] = []
    crops: list[Inputs] = []
    with tempfile.TemporaryDirectory(prefix="rpc-int8-") as folder:
        scenes = _scenes(store, Path(folder) / "cutouts")
        with bar("composing trays to read ranges off") as progress:
            for index in range(SCENES):
                rgb = scenes.scene(index).read()
                pictures.append({PICTURES: letterbox(rgb, *detector.image_size)[0][None]})
                if crop is not None:
                    crops += _crops(rgb, detector, crop, floor)
                progress(index + 1, SCENES)
    return Examples(tuple(pictures), tuple(crops))


def _scenes(store: Store, cutouts: Path) -> ComposedScenes:
    with bar("cutting out products") as progress:
        build_cutouts(store, cutouts, allow_missing=True, progress=progress)
    trays = store.split("val").images if store.has_split("val") else ()
    longest = max((max(tray.width, tray.height) for tray in trays), default=SCENE_SIDES[1])
    side = int(np.clip(longest, *SCENE_SIDES))
    empty = store.root / "backgrounds"
    return ComposedScenes.open(
        SceneSources(
            cutouts=cutouts,
            config=SceneConfig(width=side, height=side),
            seed=SEED,
            taxonomy=store.taxonomy,
            background_dir=empty if empty.is_dir() else None,
        )
    )


def _crops(rgb: Rgb, detector: Detector, side: int, floor: float) -> list[Inputs]:
    """The recogniser's call on a scene; none where nothing was found."""
    found = detector.predict(rgb)
    boxes = found.select(found.scores >= floor).boxes
    if not len(boxes):
        return []
    return [{CROPS: cut_crops(rgb, boxes, side), EXTENTS: box_extents(boxes, rgb.shape[1])}]


@dataclass(frozen=True, eq=False)
class Trial:
    """The val trays of a store, and their lists as a counter makes them before it becomes int8.

    Attributes:
        store: the store.
        trays: that are compared, evenly over the split.
        lists: of each, SKUs with their counts.
    """

    store: Store
    trays: tuple[Path, ...]
    lists: tuple[dict[str, int], ...]

    @classmethod
    def begin(cls, store: Store, counter: Checkout) -> Trial:
        """Count the trays as they are counted in float32.

        Raises:
            DataError: the store has no val trays, or the counter no rule to count by.
        """
        images = store.split("val").images if store.has_split("val") else ()
        if not images:
            raise DataError(
                f"{store.root}: has no val trays to compare the lists of int8 on; "
                "take a store that has"
            )
        rows = evenly_spaced(len(images), MOST_TRAYS)
        trays = tuple(store.image_path("val", images[row]) for row in rows)
        return cls(store, trays, lists_of(counter, trays, "counting val trays in float32"))

    def end(self, counter: Checkout) -> dict[str, Any]:
        """Numbers of the trial, for the record, where lists stay as they were.

        Raises:
            DataError: more than one list in a hundred changed; names the trays.
        """
        after = lists_of(counter, self.trays, "counting val trays in int8")
        changed = changed_trays([tray.name for tray in self.trays], self.lists, after)
        return {"scenes": SCENES, "val_trays": len(self.trays), "changed": changed}


def lists_of(counter: Checkout, trays: Sequence[Path], what: str) -> tuple[dict[str, int], ...]:
    """The list of each tray, one after the other."""
    lists = []
    with bar(what) as progress:
        for done, tray in enumerate(trays, start=1):
            lists.append(dict(counter(tray).counts))
            progress(done, len(trays))
    return tuple(lists)


def changed_trays(
    names: Sequence[str], before: Sequence[dict[str, int]], after: Sequence[dict[str, int]]
) -> list[str]:
    """Names of the trays whose lists changed, where they are few enough.

    Raises:
        DataError: more than one in a hundred changed; names them.
    """
    pairs = zip(names, before, after, strict=True)
    changed = [name for name, one, other in pairs if one != other]
    if len(changed) > MOST_CHANGED * len(names):
        more = f" and {len(changed) - TOLD} more" if len(changed) > TOLD else ""
        raise DataError(
            f"int8 changes the shopping lists of {len(changed)} of {len(names)} val trays, "
            f"expected at most {MOST_CHANGED:.0%}: {', '.join(changed[:TOLD])}{more}; "
            "nothing was written; export without --int8"
        )
    return changed
