"""The result of a run of train_recognition: figures with their origin, and confusions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import LabelledPhoto, labels_of
from rpc.data.class_sets.class_set import ClassSet
from rpc.metrics.confusion import (
    confusion_matrix,
    family_confusions,
    mean_class_accuracy,
    most_confused,
)
from rpc.metrics.parts import LEAST_IOU, part_rates
from rpc.pipelines.recognition.request import Request
from rpc.recognition.systems.registry import registration
from rpc.recognition.training.model_file import SystemModel
from rpc.recognition.training.schedule import Learned
from rpc.reporting.manifest import manifest, without_folders
from rpc.reporting.provenance import sha256
from rpc.runs.processes import Processes

BEST: Final = "best.pth"
PAIRS: Final = 50

Floats = NDArray[np.float32]
Boxes = NDArray[np.float64]


def training_facts(
    request: Request, learned: Learned, cpu_seconds: float, processes: Processes
) -> dict[str, Any]:
    """The cost of a training; the processor's seconds are those of all processes together."""
    return {
        "batches": learned.batches,
        "cpu_seconds": round(cpu_seconds, 2),
        "cpu_seconds_by_phase": dict(learned.seconds),
        "device": processes.device.type,
        "workers": request.workers,
        "processes": processes.size,
    }


def result_of(
    request: Request,
    data: ClassSet,
    model: SystemModel,
    parameters: int,
    scores: Mapping[str, Floats],
    training: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The figures and where they come from.

    Args:
        request: the run.
        data: with its three splits.
        model: that was measured.
        parameters: how many it has.
        scores: (N, K) of the photos of each split that was measured.
        training: what it took, see `training_facts`; None where nothing was learned.
    """
    # Of a given checkpoint, what it was trained with, as far as it says.
    settings = plain(asdict(replace(request.settings, system=model.settings)))
    if training is None:
        settings |= {part: model.origin.get(part) for part in ("training", "augmentation")}
    checkpoint = request.checkpoint or request.out / BEST
    return {
        "version": 1,
        "system": model.settings.name,
        "title": registration(model.settings.name).info.title,
        "accuracy": {split: _accuracy(_photos(data, split), s) for split, s in scores.items()},
        "checkpoint": {
            "name": without_folders(str(checkpoint)),
            "sha256": sha256(checkpoint),
            "chosen_on": "val, never on test" if data.val else "nothing: the last state",
            "origin": dict(model.origin),
        },
        "parameters": parameters,
        "training": training,
        "seed": model.origin.get("seed"),
        "config": {"name": request.config.stem, "values": settings},
        "data": {
            "name": data.name,
            "classes": len(data.classes),
            **{split: len(_photos(data, split)) for split in ("train", "val", "test")},
            "scenes": request.scenes is not None,
            "known": sorted(data.known),
            "fingerprint": fingerprint(data),
        },
        "protocol": _protocol(data, request, "val" in scores),
        "manifest": manifest(
            threshold=None,
            chosen_on="val: the checkpoint" if data.val else "nothing",
            split="test",
            config=request.config,
            seeds={"validation split": request.settings.validation.seed},
            files={"checkpoint": checkpoint},
        ),
    }


def _protocol(data: ClassSet, request: Request, validated: bool) -> str:
    """One sentence: what was learned from, chosen on, measured on."""
    settings = request.settings
    if not data.val and request.checkpoint is None:
        return (
            f"{data.splits}; the whole training split was learned from; the last state; test "
            "photos measured once, whole, one view each"
        )
    if not validated:
        return (
            f"{data.splits}; a given checkpoint, which may have learned from what would be kept "
            "apart here for validation: test photos alone, measured whole, one view each"
        )
    kept = "validation photos as the data set has them"
    if data.held_out:
        kept = (
            f"validation: {settings.validation.share:g} of each class's training photos, kept "
            f"apart with seed {settings.validation.seed}"
        )
    return (
        f"{data.splits}; {kept}; the checkpoint chosen on validation; test photos measured once, "
        "whole, one view each"
    )


def _accuracy(photos: Sequence[LabelledPhoto], scores: Floats) -> dict[str, Any]:
    labels = labels_of(photos)
    matrix = confusion_matrix(labels, scores.argmax(axis=1), scores.shape[1])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    return {
        "top1": float((best[:, 0] == labels).mean()),
        "top5": float((best == labels[:, None]).any(axis=1).mean()),
        "mean_of_classes": mean_class_accuracy(matrix),
        "photos": len(labels),
    }


def parts_of(
    names: Sequence[str], boxes: Mapping[str, tuple[Boxes, Boxes] | None]
) -> dict[str, Any]:
    """PCP by split and part (`rpc.metrics.parts`), of the splits whose parts are known.

    Args:
        names: of the G parts.
        boxes: found and true ones (N, G, 4) by split; None where there are none.
    """
    made: dict[str, Any] = {}
    for split, pair in boxes.items():
        if pair is None:
            continue
        rates = part_rates(*pair)
        made[split] = {
            "pcp": rates.rate,
            "least_iou": LEAST_IOU,
            "by_part": {
                name: {"pcp": None if np.isnan(rate) else rate, "in_sight": count}
                for name, rate, count in zip(
                    names, rates.rates.tolist(), rates.true.tolist(), strict=True
                )
            },
        }
    return made


def confusions_of(data: ClassSet, scores: Mapping[str, Floats]) -> dict[str, Any]:
    """Classes taken for each other, and what stays within families where the data name some."""
    found = {split: _confusions(data, _photos(data, split), s) for split, s in scores.items()}
    return {"classes": data.classes, **found}


def _confusions(data: ClassSet, photos: Sequence[LabelledPhoto], scores: Floats) -> dict[str, Any]:
    count = len(data.classes)
    matrix = confusion_matrix(labels_of(photos), scores.argmax(axis=1), count)
    pairs = [
        {"truth": data.classes[true], "named": data.classes[named], "times": times}
        for true, named, times in most_confused(matrix, PAIRS)
    ]
    if not data.families:
        return {"pairs": pairs}
    rows = [asdict(row) for row in family_confusions(matrix, data.families)]
    wrong = sum(row["within"] + row["outside"] for row in rows)
    inside = sum(row["within"] for row in rows)
    share = inside / wrong if wrong else None
    return {"pairs": pairs, "errors_within_families": share, "families": rows}


def _photos(data: ClassSet, split: str) -> tuple[LabelledPhoto, ...]:
    return {"train": data.train, "val": data.val, "test": data.test}[split]


def fingerprint(data: ClassSet, splits: Sequence[str] = ("train", "val", "test")) -> str:
    """Which photos, in which split, with which labels."""
    text = "\n".join(
        f"{split} {photo.name} {photo.label} {photo.crop} {photo.box} {photo.points}"
        for split in splits
        for photo in _photos(data, split)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain(values: Any) -> Any:
    """As JSON gives it back: lists for tuples."""
    return json.loads(json.dumps(values, default=list))
