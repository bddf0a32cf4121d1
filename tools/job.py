"""The steps of the main job, each a method that reads and writes files of one output folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from progress_bar import bar

from rpc.checkout import Checkout
from rpc.counting import choose_rule
from rpc.data.cutouts import read_cutouts, write_cutouts
from rpc.data.dataset import Dataset
from rpc.data.files import DataError, read_json_value, write_json
from rpc.data.images import read_image, write_image
from rpc.data.store import Store
from rpc.data.taxonomy import Taxonomy
from rpc.detection import runtime

runtime.setup()
from rpc.detection.checkpoint import load_model, save_model
from rpc.detection.dataset import PRODUCT, read_source
from rpc.detection.predict import Detector, load_checkout
from rpc.detection.train import build_config, train
from rpc.features import Embedder
from rpc.recognition.train import RecogniserSettings, train_recogniser
from rpc.reporting import (
    build_report,
    draw_tray,
    manifest,
    results_of_detections,
    results_of_entries,
    truth_of,
    write_report,
)
from rpc.structures import Detections
from synth.compose import SceneConfig, compose_dataset
from synth.compose.exemplar_backgrounds import exemplar_backgrounds, remove_boxes
from synth.exemplar import build_cutouts, write_sheets
from synth.exemplar.apparent_size import estimate_sizes

SURE = 0.4  # a class-agnostic box of an unlabelled tray that is worth measuring
POSSIBLE = 0.1  # one that is worth painting over
BACKGROUNDS = 60
SCENE_SIDE = 512
RULE_SCENES = 60


@dataclass(frozen=True)
class Job:
    """One run of the main job.

    Attributes:
        data: the store.
        out: folder for everything that is made.
        config: of the detector's training.
        start: class-agnostic model that the detector starts from and that looks at unlabelled val
            trays; None for ImageNet weights and sizes from the exemplars alone.
        minutes: wall time for both trainings together.
        scenes: how many are composed.
        seed: of scenes and trainings.
        workers: processes for cut-outs and scenes.
        single: train on the raw exemplars instead of scenes ('Single').
        agnostic: find and count products without naming them: all SKUs are one class.
        measure: the split that is reported on. Where it is "val", the counting rule is chosen on
            composed scenes of their own, and unlabelled val photos are not looked at either.
    """

    data: Path
    out: Path
    config: Path
    start: Path | None
    minutes: float
    scenes: int
    seed: int
    workers: int
    single: bool = False
    agnostic: bool = False
    measure: Literal["val", "test"] = "test"

    def settings(self) -> dict[str, Any]:
        """What decides the result; also checks that the store can be used at all.

        Raises:
            DataError: a split is missing or empty, or a file is.
        """
        for split in {"val", self.measure}:
            if not self.store.has_split(split):
                raise DataError(
                    f"{self.data}: no instances_{split}.json; expected exemplars/, val/, test/ and "
                    "their JSON files; a folder of photos alone is trained with tools/train.py"
                )
            if not self.store.split(split).images:
                raise DataError(f"{self.data}: its {split} split lists no image")
        if self.start is not None and not self.start.is_file():
            raise DataError(
                f"{self.start}: no such model to start from; '--start none' does without"
            )
        if not self.config.is_file():
            raise DataError(f"{self.config}: no such config")
        if self.minutes <= 0 or self.scenes < 1 or self.workers < 1:
            raise DataError("expected --minutes above 0, --scenes and --workers of at least 1")
        files = sorted(self.data.glob("instances_*.json"))
        data = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
        start = "none" if self.start is None else sha256(self.start.read_bytes()).hexdigest()[:16]
        return {
            "data": data,
            "config": self.config.name,
            "start": start,
            "minutes": self.minutes,
            "scenes": self.scenes,
            "seed": self.seed,
            "single": self.single,
            "agnostic": self.agnostic,
            "measure": self.measure,
        }

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
        return not (self.single or self.agnostic)

    @property
    def looks_at_val(self) -> bool:
        """Whether unlabelled val trays may be looked at before the training."""
        return self.start is not None and self.measure != "val"

    @property
    def rule_source(self) -> str:
        """What the counting rule is chosen on."""
        return "composed" if self.measure == "val" else "val"

    @property
    def model(self) -> Path:
        """The finished model file."""
        return self.out / "model.pth"

    def cut_out(self) -> None:
        """Exemplars to cut-outs, and contact sheets to look at."""
        if self.single:
            return
        folder = self.out / "cutouts"
        with bar("cutting out products") as progress:
            build_cutouts(self.store, folder, workers=self.workers, progress=progress)
        names = {c.id: c.name for c in self.store.taxonomy.categories}
        write_sheets(read_cutouts(folder), names=names)

    def estimate_sizes(self) -> None:
        """How large products appear, read off unlabelled val trays (their labels stay unread)."""
        if self.single or not self.looks_at_val:
            return
        crops, sides = [], []
        with bar("measuring unlabelled trays") as progress:
            for rgb, found in self._val_items(progress):
                width = rgb.shape[1]
                for x1, y1, x2, y2 in found.select(found.scores >= SURE).boxes:
                    crop = rgb[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
                    if min(crop.shape[:2]) >= 8:
                        crops.append(crop)
                        sides.append((1000 * (x2 - x1) / width, 1000 * (y2 - y1) / width))
        cutouts = read_cutouts(self.out / "cutouts")
        scaled, matches = estimate_sizes(cutouts, crops, np.array(sides), Embedder())
        write_cutouts(self.out / "cutouts", scaled)
        labels = {str(group): number for group, number in matches.items()}
        write_json(self.out / "sizes.json", {"boxes": len(crops), "matches": labels}, indent=1)

    def find_backgrounds(self) -> None:
        """Empty trays: unlabelled val trays with all items painted over; else exemplar grounds."""
        if self.single:
            return
        folder = self.out / "backgrounds"
        made = 0
        if self.looks_at_val:
            with bar("clearing unlabelled trays") as progress:
                for number, (rgb, found) in enumerate(self._val_items(progress)):
                    boxes = found.select(found.scores >= POSSIBLE).boxes
                    empty = remove_boxes(rgb, boxes)
                    if empty is not None and made < BACKGROUNDS:
                        write_image(folder / f"tray_{number:04d}.jpg", empty)
                        made += 1
        if made == 0:
            with bar("clearing exemplars") as progress:
                rng = np.random.default_rng([self.seed, 1])
                exemplar_backgrounds(self.store, folder, BACKGROUNDS, rng, progress)

    def compose(self) -> None:
        """Cut-outs to scenes."""
        if self.single:
            return
        self._compose("syn", self.scenes, self.seed)
        if self.rule_source == "composed":
            self._compose("syn_rule", RULE_SCENES, self.seed + 1_000_003)

    def _compose(self, folder: str, count: int, seed: int) -> None:
        with bar("composing scenes") as progress:
            compose_dataset(
                self.out / "cutouts",
                self.out / folder,
                count,
                config=SceneConfig(width=SCENE_SIDE, height=SCENE_SIDE),
                seed=seed,
                workers=self.workers,
                background_dir=self.out / "backgrounds",
                plain=0.5,
                taxonomy=self.store.taxonomy,
                progress=progress,
            )

    def train_detector(self, share: float) -> None:
        """Find products: class-agnostic, from the start, on the store's own scenes."""
        options: dict[str, Any] = {"val_cfg": None}
        if self.agnostic or not self.single:
            options["agnostic"] = True
        if self.start is not None:
            options["start"] = str(self.start)
        config = build_config(
            self.config,
            self.data,
            None if self.single else self.out / "syn",
            options,
            minutes=self.minutes * (share if self.names_crops else 1.0),
            amp=runtime.has_fast_bfloat16(),
            seed=self.seed,
        )
        train(config, self.out / "detector", resume=True)

    def train_recogniser(self, share: float) -> None:
        """Name products, on crops of the same scenes; then one model file of both."""
        saved = load_model(self.out / "detector" / "model.pth")
        state, meta = None, dict(saved.meta)
        if self.names_crops:
            settings = RecogniserSettings(
                minutes=self.minutes * share,
                seed=self.seed,
                bfloat16=runtime.has_fast_bfloat16(),
            )
            with bar("learning to name products") as progress:
                model = train_recogniser(
                    self.out / "syn",
                    self.out / "recogniser",
                    settings,
                    lambda done, facts: progress(round(1000 * done), 1000),
                )
            state = model.state_dict()
        weights, text = saved.state_dict, saved.config
        save_model(self.model, weights, text, self.taxonomy, None, meta, state)

    def choose_rule(self) -> None:
        """Choose threshold and duplicate suppression on labelled val trays; kept in the model."""
        checkout = load_checkout(self.model)
        if self.rule_source == "val":
            dataset, paths = self._split("val")
        else:
            dataset, path_of = read_source(self.out / "syn_rule", "scenes", agnostic=self.agnostic)
            paths = [path_of(image) for image in dataset.images]
        found = self._detect(paths, checkout)
        self._write(self.rule_source, dataset, found)
        choice = choose_rule(found, dataset.counts())
        saved = load_model(self.model)
        save_model(
            self.model,
            saved.state_dict,
            saved.config,
            saved.taxonomy,
            choice.rule.to_dict(),
            saved.meta,
            saved.recogniser,
        )

    def detect_test(self) -> None:
        """Detections of the measured trays, once."""
        dataset, paths = self._split(self.measure)
        self._write(self.measure, dataset, self._detect(paths, load_checkout(self.model)))

    def report(self, seconds: dict[str, float]) -> None:
        """report.json, report.md, counts.json and annotated trays."""
        checkout = load_checkout(self.model)
        rule = checkout.rule
        assert rule is not None
        dataset, paths = self._split(self.measure)
        entries = read_json_value(self.out / f"detections_{self.measure}.json")
        results = results_of_entries(entries, dataset)
        origin = manifest(
            threshold=rule.threshold,
            chosen_on=self.rule_source,
            split=self.measure,
            config=self.config,
            seeds={"scenes": self.seed, "training": self.seed},
            data=self.data,
            checkpoint=self.model,
            durations=seconds,
        )
        report = build_report(
            dataset,
            results,
            rule,
            manifest=origin,
            chosen_on=self.rule_source,
            supervision="E",
            method="Single" if self.single else "Syn",
            timings=seconds,
        )
        write_report(self.out, report)
        self._draw(dataset, paths, results.detections, checkout)
        rows = report["levels"]
        print(
            f"{'level':10} {'cAcc':>7} {'ACD':>6} {'mCCD':>6} {'mCIoU':>7} {'mAP50':>7} {'mmAP':>7}"
        )
        for level, row in rows.items():
            print(
                f"{level:10} {row['cAcc']:7.1%} {row['ACD']:6.2f} {row['mCCD']:6.2f} "
                f"{row['mCIoU']:7.1%} {row['mAP50']:7.1%} {row['mmAP']:7.1%}"
            )

    def _draw(self, dataset: Dataset, paths: list[Path], found: Any, checkout: Checkout) -> None:
        """Annotated test trays, one a level, with and without the truth; all lists as JSON."""
        assert checkout.rule is not None
        lists, drawn = {}, set()
        for image, path, detections in zip(dataset.images, paths, found, strict=True):
            kept = checkout.rule.apply(detections)
            counts = checkout.rule.count(detections).counts
            names = {dataset.taxonomy.category(label).name: n for label, n in counts.items()}
            lists[image.file_name] = names
            if image.level in drawn:
                continue
            drawn.add(image.level)
            rgb = read_image(path)
            truth = truth_of(dataset, image.id)
            level = image.level or "tray"
            write_image(self.out / f"tray_{level}.jpg", draw_tray(rgb, kept, dataset.taxonomy))
            checked = draw_tray(rgb, kept, dataset.taxonomy, truth=truth)
            write_image(self.out / f"tray_{level}_checked.jpg", checked)
        write_json(self.out / "counts.json", lists, indent=1)

    def _split(self, split: Literal["val", "test"]) -> tuple[Dataset, list[Path]]:
        """A split's trays and the paths of their photos, without SKUs where none are told apart."""
        dataset, path_of = read_source(self.data, split, agnostic=self.agnostic)
        return dataset, [path_of(image) for image in dataset.images]

    def _detect(self, paths: list[Path], checkout: Checkout) -> list[Detections]:
        found = []
        with bar("reading trays") as progress:
            for done, path in enumerate(paths, start=1):
                found.append(checkout.detect(read_image(path)))
                progress(done, len(paths))
        return found

    def _write(self, name: str, dataset: Dataset, found: list[Detections]) -> None:
        results = results_of_detections(found, dataset)
        write_json(self.out / f"detections_{name}.json", list(results.entries))

    def _val_items(
        self, progress: Callable[[int, int], None]
    ) -> Iterator[tuple[np.ndarray[Any, Any], Detections]]:
        """Val photos with what the class-agnostic start finds on them. No label is read."""
        assert self.start is not None
        detector = Detector.load(self.start)
        images = self.store.split("val").images
        for done, image in enumerate(images, start=1):
            rgb = read_image(self.store.image_path("val", image))
            yield rgb, detector.predict(rgb)
            progress(done, len(images))
