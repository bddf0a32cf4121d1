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

from rpc.data.files import DataError, read_json, write_json
from rpc.recognition.ensemble.gallery_namer import TellsSkus
from rpc.recognition.ensemble.renaming import Renamer, SystemNamer
from rpc.recognition.training.model_file import read_model
from rpc.retrieval.gallery.fusion import Fusion

MODEL: Final = "recogniser.pth"
CHOICE: Final = "fusion.json"
FORMAT: Final = "rpc recogniser fusion"
VERSION: Final = 1


@dataclass(frozen=True)
class Renaming:
    """What was chosen for a system beside a counter's recogniser.

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


def write_renaming(
    folder: str | Path, model: str | Path, renaming: Renaming, origin: Mapping[str, Any]
) -> Path:
    """Write both files; the choice last, so that a folder with one is whole.

    Args:
        folder: made where it is not there.
        model: the system's file, which is copied.
        renaming: what was chosen.
        origin: where and on what, as plain values.

    Raises:
        DataError: a file cannot be written or the model is none.
    """
    root = Path(folder)
    read_model(model)
    try:
        root.mkdir(parents=True, exist_ok=True)
        beside = root / f".{MODEL}.new"
        shutil.copyfile(model, beside)
        beside.replace(root / MODEL)
    except OSError as error:
        raise DataError(f"{root / MODEL}: cannot be written: {error}") from error
    content = {
        "format": FORMAT,
        "version": VERSION,
        **renaming.fusion.to_dict(),
        "temperature": renaming.temperature,
        "margin": renaming.margin,
        "turns": renaming.turns,
        "skus": list(renaming.skus),
        "counting": None if renaming.counting is None else dict(renaming.counting),
        "origin": dict(origin),
    }
    return write_json(root / CHOICE, content, indent=1)


def read_renaming(folder: str | Path) -> tuple[SystemNamer, Renaming]:
    """The system, ready to look at boxes, and what was chosen for it.

    Raises:
        DataError: a file is missing, damaged, of another kind or version.
    """
    path = Path(folder) / CHOICE
    if not path.is_file():
        raise DataError(
            f"{folder}: no {CHOICE}; expected a folder that tools/fuse_recogniser.py wrote"
        )
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: expected what tools/fuse_recogniser.py wrote")
    if content.get("version") != VERSION:
        raise DataError(f"{path}: version {content.get('version')!r:.20}, expected {VERSION}")
    model = read_model(Path(folder) / MODEL)
    try:
        renaming = Renaming(
            Fusion.from_dict(content),
            float(content["temperature"]),
            float(content["margin"]),
            int(content["turns"]),
            tuple(map(str, content["skus"])),
            content["counting"],
        )
        if not 0 < renaming.temperature < math.inf:
            raise ValueError(f"temperature: expected above 0, got {renaming.temperature}")
        namer = SystemNamer(
            model.build(), model.classes, margin=renaming.margin, turns=renaming.turns
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: damaged ({error!s:.120}); choose the fusion anew") from error
    return namer, renaming


def read_renamer(
    folder: str | Path, own: TellsSkus, skus: tuple[str, ...]
) -> tuple[Renamer, Renaming]:
    """The counter's recogniser joined with the folder's system, and what was chosen for them.

    Raises:
        DataError: as `read_renaming`; or it was chosen for another counter's SKUs.
    """
    namer, renaming = read_renaming(folder)
    if renaming.skus != skus:
        raise DataError(
            f"{folder}: chosen for a counter of {len(renaming.skus)} SKUs other than the model's "
            f"{len(skus)}; run tools/fuse_recogniser.py with this model"
        )
    joined = Renamer(own, skus, namer, temperature=renaming.temperature, fusion=renaming.fusion)
    return joined, renaming
