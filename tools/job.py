"""One run of the main job: what was asked for, and where everything lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from rpc.data.dataset import Dataset
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.data.taxonomy import Taxonomy
from rpc.detection import runtime

runtime.setup()
from rpc.detection.dataset import PRODUCT, read_source

Measured = Literal["val", "test", "none"]
Split = Literal["val", "test"]
Step = tuple[str, Callable[[], None]]  # name in the journal, and what it does


@dataclass(frozen=True)
class Job:
    """Settings of one run.

    Attributes:
        data: the store.
        out: folder for everything that is made.
        config: of the detector's training.
        start: class-agnostic model that the detector starts from and that looks at unlabelled val
            trays; None for ImageNet weights and sizes from the exemplars alone.
        recogniser_start: body that the recogniser starts from; None for ImageNet weights.
        minutes: wall time for both trainings together.
        scenes: how many are composed.
        seed: of scenes and trainings.
        workers: processes for cut-outs and scenes.
        single: train on the raw exemplars instead of scenes ('Single').
        one_stage: the detector names SKUs itself, without recogniser, from its config's own weights
            (`start` looks at trays only).
        agnostic: find and count products without naming them: all SKUs are one class.
        measure: the split that is reported on, or "none" for a store that has only exemplars.
            But for "test", the counting rule is chosen on composed scenes of their own, and
            unlabelled val photos are not looked at either.
    """

    data: Path
    out: Path
    config: Path
    start: Path | None
    recogniser_start: Path | None
    minutes: float
    scenes: int
    seed: int
    workers: int
    single: bool = False
    one_stage: bool = False
    agnostic: bool = False
    measure: Measured = "test"

    def settings(self) -> dict[str, Any]:
        """What decides the result, for the journal."""
        files = sorted(self.data.glob("instances_*.json"))
        return {
            "data": _digest(*files),
            "config": self.config.name,
            "start": "none" if self.start is None else _digest(self.start),
            "recogniser_start": (
                "none" if self.recogniser_start is None else _digest(self.recogniser_start)
            ),
            "minutes": self.minutes,
            "scenes": self.scenes,
            "seed": self.seed,
            "single": self.single,
            "one_stage": self.one_stage,
            "agnostic": self.agnostic,
            "measure": self.measure,
        }

    def check(self) -> None:
        """Make sure that the job can be done, before any work.

        Raises:
            DataError: a split is missing or empty, a file is missing, or a number makes no sense.
        """
        wanted: dict[Measured, tuple[Split, ...]] = {"val": ("val",), "test": ("val", "test")}
        for split in wanted.get(self.measure, ()):
            if not self.store.has_split(split):
                raise DataError(
                    f"{self.data}: no instances_{split}.json; expected exemplars/, val/, test/ and "
                    "their JSON files; '--measure none' trains on exemplars alone"
                )
            if not self.store.split(split).images:
                raise DataError(f"{self.data}: its {split} split lists no image")
        for path in (self.start, self.recogniser_start):
            if path is not None and not path.is_file():
                raise DataError(f"{path}: no such model to start from; 'none' does without")
        if not self.config.is_file():
            raise DataError(f"{self.config}: no such config")
        if self.minutes <= 0 or self.scenes < 1 or self.workers < 1:
            raise DataError("expected --minutes above 0, --scenes and --workers of at least 1")

    @cached_property
    def store(self) -> Store:
        """The store."""
        return Store.open(self.data)

    @property
    def taxonomy(self) -> Taxonomy:
        """What is told apart: the store's SKUs, or just products."""
        return PRODUCT if self.agnostic else self.store.taxonomy

    @property
    def names_crops(self) -> bool:
        """Whether a recogniser names what the detector finds."""
        return not (self.single or self.one_stage or self.agnostic)

    @property
    def looks_at_val(self) -> bool:
        """Whether unlabelled val trays may be looked at before the training."""
        return self.start is not None and self.measure == "test"

    @property
    def empty_trays(self) -> Path:
        """Folder of background photos: the store's own, or what the job makes."""
        own = self.data / "backgrounds"
        return own if own.is_dir() else self.out / "backgrounds"

    @property
    def rule_source(self) -> str:
        """What the counting rule is chosen on."""
        return "val" if self.measure == "test" else "composed"

    @property
    def model(self) -> Path:
        """The finished model file."""
        return self.out / "model.pth"

    def split(self, name: Split) -> tuple[Dataset, list[Path]]:
        """A split's trays and the paths of their photos, without SKUs where none are told apart."""
        dataset, path_of = read_source(self.data, name, agnostic=self.agnostic)
        return dataset, [path_of(image) for image in dataset.images]


def _digest(*paths: Path) -> str:
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
