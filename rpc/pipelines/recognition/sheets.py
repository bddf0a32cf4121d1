"""Pictures of a recognition run to look at: confusions, and what the system looked at."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data import Category, Taxonomy
from rpc.data.class_sets.class_folders import LabelledPhoto, labels_of
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.evenly_spaced import evenly_spaced
from rpc.metrics.confusion import confusion_matrix, most_confused
from rpc.pictures.confusion_picture import confusion_picture
from rpc.pictures.lettering import Lettering
from rpc.pictures.looked_at import draw_looked_at
from rpc.pictures.palette import MISSED, PAPER, RIGHT
from rpc.pipelines.naming.sheet import Cell, failure_sheet
from rpc.recognition.systems.system import System
from rpc.recognition.training.photo_batches import seen_whole
from rpc.reporting.evaluation.look_alikes import look_alikes

Rgb = NDArray[np.uint8]
Ints = NDArray[np.integer[Any]]

PAIRS: Final = 10
LOOKS: Final = 12
TILE: Final = 210  # px


def confusion_sheet(data: ClassSet, named: Ints, title: str) -> Rgb:
    """The classes most confused, and below of each worst pair: a photo, and both classes' own.

    Args:
        data: with its test photos.
        named: (N,) what the system took each test photo for.
        title: of the system.
    """
    truth = labels_of(data.test)
    pairs = most_confused(
        confusion_matrix(truth, named.astype(np.int64), len(data.classes)), len(truth)
    )
    families = data.families or ("",) * len(data.classes)
    taxonomy = Taxonomy(
        Category(label, f"{label} {name}", family=family, title=name)
        for label, (name, family) in enumerate(zip(data.classes, families, strict=True))
    )
    rows = [
        {"truth": {"category_id": true}, "predicted": {"category_id": wrong}, "times": times}
        for true, wrong, times in pairs
    ]
    wrong = int((truth != named).sum())
    heading = f"{title}: {wrong} of {len(truth)} test photos are named wrongly"
    heat = confusion_picture(look_alikes(rows, taxonomy), heading)
    lines: list[list[Cell]] = []
    for true, other, times in pairs[:PAIRS]:
        row = int(np.flatnonzero((truth == true) & (named == other))[0])
        lines.append(
            [
                (_picture(data.test[row]), f"{times} x: {_called(data, true)}", MISSED),
                (_picture(_middle(data, true)), _called(data, true), RIGHT),
                (_picture(_middle(data, other)), f"named: {_called(data, other)}", None),
            ]
        )
    return _stacked(heat, failure_sheet(lines, columns=2, tile=TILE)) if lines else heat


def _called(data: ClassSet, label: int) -> str:
    """A class's name as far as it can be drawn, else its number."""
    return Lettering().plain(data.classes[label]) or f"class {label + 1}"


def look_sheet(data: ClassSet, system: System, named: Ints) -> Rgb | None:
    """Validation photos beside what the system looked at; None where it does not say.

    Args:
        data: with its validation photos.
        system: in evaluation mode.
        named: (N,) what it took each validation photo for.
    """
    chosen = evenly_spaced(len(data.val), LOOKS)
    seen = [seen_whole(data.val[row], system.side).image for row in chosen]
    device = next(system.parameters()).device
    images = torch.from_numpy(np.stack(seen).transpose(0, 3, 1, 2).copy()).to(device)
    looks = system.look(images)
    if all(look.heat is None and len(look.boxes) == 0 for look in looks):
        return None
    lines: list[list[Cell]] = []
    for row, picture, look in zip(chosen, seen, looks, strict=True):
        drawn = draw_looked_at(picture, look.boxes, look.names, look.heat, 2 * TILE)
        right = int(named[row]) == data.val[row].label
        answer = _called(data, int(named[row]))
        lines.append(
            [
                (picture, _called(data, data.val[row].label), None),
                (drawn, f"named: {answer}", RIGHT if right else MISSED),
            ]
        )
    return failure_sheet(lines, columns=3, tile=TILE)


def _middle(data: ClassSet, label: int) -> LabelledPhoto | None:
    """The training photo in the middle of a class's; None where a class is never seen."""
    own = [photo for photo in data.train if photo.label == label]
    return own[len(own) // 2] if own else None


def _picture(photo: LabelledPhoto | None) -> Rgb:
    if photo is None:
        return np.full((TILE, TILE, 3), PAPER, np.uint8)
    return seen_whole(photo, TILE).image


def _stacked(*pictures: Rgb) -> Rgb:
    """One below the other, on the paper's colour."""
    width = max(picture.shape[1] for picture in pictures)
    padded = []
    for picture in pictures:
        page = np.full((picture.shape[0], width, 3), PAPER, np.uint8)
        page[:, : picture.shape[1]] = picture
        padded.append(page)
    return np.concatenate(padded)
