"""One run of the main job: what was asked for, and where everything lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from rpc.data.dataset import Dataset
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.data.taxonomy import Taxonomy
from rpc.detection.dataset import PRODUCT, read_source
from rpc.features.text.installed import missing_reader
from rpc.pipelines.store_job.defaults import (
    CONFIG,
    DETECTOR_PACE,
    RECIPE,
    RECIPES,
    RECOGNISER_PACE,
    RECOGNISER_START,
    RENDERER,
    RULE_SCENES,
    START,
    WORKERS,
    Method,
    Recipe,
    RecipeName,
)
from rpc.reporting.supervision import Supervision
from rpc.runs.devices import resolve_device

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
        recipe: how much is learned, see `Recipe`.
        detector_updates: instead of the recipe's.
        recogniser_updates: instead of the recipe's.
        minutes: wall time that the trainings together may take; None: any. It changes nothing
            unless the updates do not fit, see `rpc.runs.update_plan`.
        scenes: train on so many, composed to disk first; None: every scene is new, composed while
            the trainings run and never written (method Syn; the others write the recipe's number).
        rule_scenes: composed scenes of their own to learn on where the counter is in doubt, and to
            choose the counting rule on where there are no labelled photos; None: `RULE_SCENES`, or
            `scenes` where these are fewer.
        seed: of scenes and trainings.
        workers: processes for cut-outs and scenes.
        device: that networks are trained and run on, see `rpc.runs.devices`.
        method: what is trained on: the raw exemplars ("Single"), composed scenes ("Syn"), the same
            made to look like val photos ("Render"), or both.
        renderer: config of the renderer, or a renderer's file.
        prepared: folder whose scenes are used, made by another job; None makes them in `out`.
        one_stage: the detector names SKUs itself, without recogniser, from its config's own weights
            (`start` looks at trays only).
        agnostic: find and count products without naming them: all SKUs are one class.
        measure: the split that is reported on, or "none" for a store that has only exemplars.
            But for "test", the counting rule is chosen on composed scenes of their own, and
            unlabelled val photos are not looked at either.
        allow_missing_skus: go on without SKUs that have no usable cut-out: the counter will never
            name them.
        words: read the exemplars, and items whose name is in doubt, where the extra `words` is
            installed.
        pictures: keep pictures of the exemplars, and compare items whose name is in doubt with
            them.

    Raises:
        DataError: a number makes no sense, or the settings contradict each other.
    """

    data: Path
    out: Path
    config: Path = CONFIG
    start: Path | None = START
    recogniser_start: Path | None = RECOGNISER_START
    recipe: RecipeName = RECIPE
    detector_updates: int | None = None
    recogniser_updates: int | None = None
    minutes: float | None = None
    scenes: int | None = None
    rule_scenes: int | None = None
    seed: int = 0
    workers: int = WORKERS
    device: str = "auto"
    method: Method = "Syn"
    renderer: Path = RENDERER
    prepared: Path | None = None
    one_stage: bool = False
    agnostic: bool = False
    measure: Measured = "test"
    allow_missing_skus: bool = False
    words: bool = True
    pictures: bool = True

    def __post_init__(self) -> None:
        if self.recipe not in RECIPES:
            known = ", ".join(RECIPES)
            raise DataError(f"--recipe: expected one of {known}, got {self.recipe!r:.40}")
        if self.minutes is not None and not self.minutes > 0:
            raise DataError(f"--minutes: expected above 0, got {self.minutes}")
        for name, number in (("workers", self.workers), ("rule-scenes", self.doubt_scenes)):
            if number < 1:
                raise DataError(f"--{name}: expected 1 or more, got {number}")
        _ = self.amounts  # refuses numbers that are too small
        if self.method == "Single" and self.rule_source == "composed":
            raise DataError(
                "--method Single composes no scenes to choose a counting rule on: it needs "
                f"--measure test, got {self.measure}"
            )

    def settings(self) -> dict[str, Any]:
        """The settings that decide the result, for the journal."""
        return (
            self.scene_settings()
            | self.render_settings()
            | {
                "method": self.method,
                "config": self.config.name,
                "recogniser_start": (
                    "none" if self.recogniser_start is None else _digest(self.recogniser_start)
                ),
                "detector_updates": self.detector_steps,
                "recogniser_updates": (
                    self.amounts.recogniser_updates if self.names_crops else None
                ),
                "detector_side": self.amounts.detector_side,
                "minutes": self.minutes,
                "one_stage": self.one_stage,
                "agnostic": self.agnostic,
                "words": self.words and self.names_crops and not missing_reader(),
                "pictures": self.pictures and self.names_crops,
            }
        )

    def scene_settings(self) -> dict[str, Any]:
        """The settings that decide the images that are trained on."""
        files = sorted(self.data.glob("instances_*.json"))
        return {
            "data": _digest(*files),
            "start": "none" if self.start is None else _digest(self.start),
            "scenes": "new" if self.streams else self.amounts.scenes,
            "scene_side": self.amounts.scene_side,
            "rule_scenes": self.doubt_scenes,
            "seed": self.seed,
            "measure": self.measure,
        }

    def render_settings(self) -> dict[str, Any]:
        """The settings that decide the look of the images that are trained on."""
        return {"renderer": _digest(self.renderer) if self.renders else "none"}

    def check(self) -> None:
        """Make sure that the job can be done, before any work.

        Raises:
            DataError: a split is missing or empty, a file is missing, or there is no such device.
        """
        resolve_device(self.device)
        wanted: dict[Measured, tuple[Split, ...]] = {"val": ("val",), "test": ("val", "test")}
        for split in wanted.get(self.measure, ()):
            if not self.store.has_split(split):
                raise DataError(
                    f"{self.data}: no instances_{split}.json; expected exemplars/, val/, test/ and "
                    "their JSON files; '--measure none' trains on exemplars alone"
                )
            if not self.store.split(split).images:
                raise DataError(f"{self.data}: its {split} split lists no image")
        if self.renders and not self.store.has_split("val"):
            raise DataError(
                f"{self.data}: {self.method} needs unlabelled val photos to look like; "
                "--method Syn does without"
            )
        if self.renders and not self.renderer.is_file():
            raise DataError(f"{self.renderer}: no such renderer; expected a file of configs/render")
        for path in (self.start, self.recogniser_start):
            if path is not None and not path.is_file():
                raise DataError(f"{path}: no such model to start from; 'none' does without")
        if not self.config.is_file():
            raise DataError(f"{self.config}: no such config")

    @cached_property
    def store(self) -> Store:
        """The store."""
        return Store.open(self.data)

    @property
    def taxonomy(self) -> Taxonomy:
        """The classes to tell apart: the store's SKUs, or just products."""
        return PRODUCT if self.agnostic else self.store.taxonomy

    @property
    def amounts(self) -> Recipe:
        """The recipe with the numbers that were asked for instead of its own."""
        asked = {
            "detector_updates": self.detector_updates,
            "alone_updates": self.detector_updates,
            "recogniser_updates": self.recogniser_updates,
            "scenes": self.scenes,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return replace(RECIPES[self.recipe], **given)

    @property
    def doubt_scenes(self) -> int:
        """How many scenes doubt, or the counting rule, is learnt on."""
        if self.rule_scenes is not None:
            return self.rule_scenes
        return min(RULE_SCENES, self.amounts.scenes)

    @property
    def detector_steps(self) -> int:
        """Updates of the detector: more where no recogniser learns beside it."""
        return self.amounts.detector_updates if self.names_crops else self.amounts.alone_updates

    @property
    def detector_minutes(self) -> float | None:
        """The detector's part of the cap, by the paces of the two trainings; None for no cap."""
        if self.minutes is None or not self.names_crops:
            return self.minutes
        finds = self.amounts.detector_updates / DETECTOR_PACE
        names = self.amounts.recogniser_updates / RECOGNISER_PACE
        return self.minutes * finds / (finds + names)

    @property
    def names_crops(self) -> bool:
        """Whether a recogniser names what the detector finds."""
        return not (self.one_stage or self.agnostic)

    @property
    def renders(self) -> bool:
        """Whether scenes are made to look like val photos."""
        return self.method in ("Render", "Syn+Render")

    @property
    def streams(self) -> bool:
        """Whether every scene is new, composed while the trainings run."""
        return self.method == "Syn" and self.scenes is None and self.prepared is None

    @property
    def scenes_in(self) -> Path:
        """Folder of the cut-outs and of all sets of scenes."""
        return self.prepared or self.out

    @property
    def training_images(self) -> Path:
        """Folder of the images that the trainings see, where they are written."""
        names = {"Single": "single", "Syn": "syn", "Render": "render", "Syn+Render": "both"}
        return self.scenes_in / names[self.method]

    @property
    def supervision(self) -> Supervision:
        """The supervision letter: a renderer that used the measured photos has seen test photos."""
        return "T" if self.renders and self.measure == "val" else "E"

    @property
    def looks_at_val(self) -> bool:
        """Whether unlabelled val trays may be looked at before the training."""
        return self.start is not None and self.measure == "test"

    @property
    def empty_trays(self) -> Path:
        """Folder of background photos: the store's own, or what the job makes."""
        own = self.data / "backgrounds"
        return own if own.is_dir() else self.scenes_in / "backgrounds"

    @property
    def rule_source(self) -> str:
        """The images that the counting rule is chosen on."""
        return "val" if self.measure == "test" else "composed"

    @property
    def model(self) -> Path:
        """The finished model file."""
        return self.out / "model.pth"

    def split(self, name: Split) -> tuple[Dataset, list[Path]]:
        """A split's trays and the paths of their photos, without SKUs where none are told apart."""
        dataset, path_of = read_source(self.data, name, agnostic=self.agnostic)
        return dataset, [path_of(image) for image in dataset.images]


def measurable_split(data: Path) -> Measured:
    """The split that a store can be measured on; "none" where it has exemplars alone.

    Raises:
        DataError: it is no store.
    """
    store = Store.open(data)
    return "test" if store.has_split("val") or store.has_split("test") else "none"


def _digest(*paths: Path) -> str:
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
