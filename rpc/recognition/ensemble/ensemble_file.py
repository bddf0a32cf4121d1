"""A recognition system, and how it is joined with a counter's recogniser, in a folder.

`recogniser.pth` is the system's model file, `fusion.json` what was chosen on validation trays.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from rpc.data.files import DataError, atomic_path, read_json, write_json
from rpc.recognition.box_classifier import BoxClassifier
from rpc.recognition.ensemble.ensemble_classifier import EnsembleClassifier, SystemClassifier
from rpc.recognition.training.model_file import read_model
from rpc.retrieval.gallery.fusion import Fusion
from rpc.runs.devices import resolve_device
from rpc.runs.folder_lock import settle

MODEL: Final = "recogniser.pth"
CHOICE: Final = "fusion.json"
FORMAT: Final = "rpc recogniser fusion"
VERSION: Final = 1


@dataclass(frozen=True)
class EnsembleChoice:
    """The settings chosen for a system beside a counter's recogniser.

    Attributes:
        fusion: weight of the system, and its constant for SKUs that it does not know.
        temperature: of its softmax.
        margin: around a box, as a share of its sides.
        turns: quarter turns of a box, averaged.
        skus: of the counter, by label.
        counting: the counting rule that was chosen with it; None where none was.
    """

    fusion: Fusion
    temperature: float
    margin: float
    turns: int
    skus: tuple[str, ...]
    counting: Mapping[str, Any] | None = None


def write_ensemble(
    folder: str | Path, model: str | Path, ensemble: EnsembleChoice, origin: Mapping[str, Any]
) -> Path:
    """Write both files; the choice last, so that a folder with one is whole.

    Args:
        folder: made where it is not there.
        model: the system's file, which is copied.
        ensemble: the choice.
        origin: where and on what, as plain values.

    Raises:
        DataError: a file cannot be written or the model is none.
    """
    root = Path(folder)
    read_model(model)
    with atomic_path(root / MODEL) as part:
        shutil.copyfile(model, part)
    content = {
        "format": FORMAT,
        "version": VERSION,
        **ensemble.fusion.to_dict(),
        "temperature": ensemble.temperature,
        "margin": ensemble.margin,
        "turns": ensemble.turns,
        "skus": list(ensemble.skus),
        "counting": None if ensemble.counting is None else dict(ensemble.counting),
        "origin": dict(origin),
    }
    return write_json(root / CHOICE, content, indent=1)


def read_ensemble(
    folder: str | Path, device: str | torch.device = "cpu"
) -> tuple[SystemClassifier, EnsembleChoice]:
    """The system, ready to look at boxes, and what was chosen for it.

    Args:
        folder: of `write_ensemble`.
        device: that the system runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a file is missing, damaged, of another kind or version.
    """
    path = Path(folder) / CHOICE
    settle(folder)
    if not path.is_file():
        raise DataError(f"{folder}: no {CHOICE}; expected a folder that rpc-checkout fuse wrote")
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: expected what rpc-checkout fuse wrote")
    if content.get("version") != VERSION:
        raise DataError(f"{path}: version {content.get('version')!r:.20}, expected {VERSION}")
    model = read_model(Path(folder) / MODEL)
    try:
        ensemble = EnsembleChoice(
            Fusion.from_dict(content),
            float(content["temperature"]),
            float(content["margin"]),
            int(content["turns"]),
            tuple(map(str, content["skus"])),
            content["counting"],
        )
        if not 0 < ensemble.temperature < math.inf:
            raise ValueError(f"temperature: expected above 0, got {ensemble.temperature}")
        system = model.build().to(resolve_device(device))
        classifier = SystemClassifier(
            system, model.classes, margin=ensemble.margin, turns=ensemble.turns
        )
    except DataError:
        raise
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error!s:.120}); choose the fusion anew") from error
    return classifier, ensemble


def read_ensemble_classifier(
    folder: str | Path,
    own: BoxClassifier,
    skus: tuple[str, ...],
    device: str | torch.device = "cpu",
) -> tuple[EnsembleClassifier, EnsembleChoice]:
    """The counter's recogniser joined with the folder's system, and what was chosen for them.

    Raises:
        DataError: as `read_ensemble`; or it was chosen for another counter's SKUs.
    """
    classifier, ensemble = read_ensemble(folder, device)
    if ensemble.skus != skus:
        raise DataError(
            f"{folder}: chosen for a counter of {len(ensemble.skus)} SKUs other than the model's "
            f"{len(skus)}; run rpc-checkout fuse with this model"
        )
    joined = EnsembleClassifier(
        own, skus, classifier, temperature=ensemble.temperature, fusion=ensemble.fusion
    )
    return joined, ensemble
