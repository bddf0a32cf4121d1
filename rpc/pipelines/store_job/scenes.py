"""The main job's first half: exemplar photos to the images that are trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.cutouts import FILE_NAME, read_cutouts, write_cutouts
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import read_json, write_json
from rpc.data.images import read_image, write_image
from rpc.data.scene_sets import exemplars_as_scenes
from rpc.detection.detector import Detector
from rpc.features.backbones.embedding import Embedder
from rpc.pipelines.store_job.job import Job, Step
from rpc.runs.progress import bar
from rpc.runs.screen import say
from rpc.structures import Detections
from synth.compose import SceneConfig, compose_dataset
from synth.compose.exemplar_backgrounds import (
    NoGroundError,
    empty_trays,
    exemplar_backgrounds,
    with_gap,
)
from synth.compose.preview import contact_sheet
from synth.compose.sources import SceneSources
from synth.compose.stream import ComposedScenes
from synth.drawn import draw_cutouts, drawn_taxonomy
from synth.exemplar import build_cutouts, write_sheets
from synth.exemplar.apparent_size import estimate_sizes
from synth.exemplar.cutouts import REPORT
from synth.exemplar.upside_down_set import add_upside_down

SURE = 0.4  # a class-agnostic box of an unlabelled tray that is worth measuring
POSSIBLE = 0.1  # one that is worth painting over
BACKGROUNDS = 60
LOOKED_AT = 300  # unlabelled val trays: sizes are known well by then, RPC has 6,000 of them
SMALLEST = 512  # pixels: a scene is as large as the store's trays, but no smaller
MEASURED_SCALE = (0.92, 1.09)  # sizes were read off trays: the camera hangs where it hung
RULE_FOLDER = "syn_rule"
PLAIN = 0.5  # fraction of plain trays among photographed ones
FOREIGN = "foreign"  # folder of drawn products, which a recogniser learns not to take for its own
FOREIGN_PRODUCTS = 200
FOREIGN_LOOK: Final[Mapping[str, Any]] = {
    "seed": 2_000_003,  # other packages than those that the starts have learnt
    "long_side": 256,
    "lettered": True,
    "bodied": True,
    "largest": 0.36,
}
PREVIEW = "scenes.jpg"  # some of the scenes that are trained on, to look at
PREVIEWED = 12
NAMED = 10  # SKUs in a line on the screen

Photo = NDArray[np.uint8]


def scene_steps(job: Job) -> list[Step]:
    """The steps of this half; none where another job has made the scenes."""
    if job.prepared is not None:
        return []
    if job.method == "Single":
        return [("exemplars", lambda: _take_exemplars(job))]
    steps: list[Step] = [("cut-outs", lambda: _cut_out(job))]
    if job.looks_at_val:
        steps.append(("trays", lambda: _look_at_trays(job)))
    elif _makes_backgrounds(job):
        steps.append(("backgrounds", lambda: _clear_exemplars(job)))
    return [*steps, ("scenes", lambda: _compose_all(job))]


def _makes_backgrounds(job: Job) -> bool:
    return job.empty_trays.parent == job.out


def never_shown(job: Job) -> tuple[str, ...]:
    """SKUs that no scene shows, because they have no usable cut-out and that was allowed."""
    if job.prepared is not None or not (job.out / "cutouts" / FILE_NAME).is_file():
        return ()
    gone = read_cutouts(job.out / "cutouts").left_out
    return tuple(c.name for c in job.store.taxonomy.categories if c.id in gone)


def _take_exemplars(job: Job) -> None:
    """The raw exemplars as they are."""
    exemplars_as_scenes(job.store, job.training_images)


def _cut_out(job: Job) -> None:
    """Exemplars to cut-outs, and contact sheets to look at.

    Raises:
        DataError: an exemplar is damaged or missing; the cut-outs of the others are kept.
    """
    folder = job.out / "cutouts"
    with bar("cutting out products") as progress:
        build_cutouts(
            job.store,
            folder,
            workers=job.workers,
            allow_missing=job.allow_missing_skus,
            progress=progress,
        )
    report = read_json(folder / REPORT)
    skipped = report["skipped"]
    sizes = {exemplar.path: exemplar.size for exemplar in job.store.exemplars()}
    for entry in skipped:  # no product found: the SKU's other photos serve; damaged: say so now
        path = job.store.image_dir("train") / entry["file"]
        read_entry_photo(path, sizes.get(path))
    if skipped:
        say(f"{len(skipped)} exemplars left out, see {folder / REPORT}")
    if report["doubted"]:
        say(f"{len(report['doubted'])} exemplars with a doubtful mask, see {folder / REPORT}")
    if weak := report["skus_doubtful"]:
        named = ", ".join(sku["name"] for sku in weak[:NAMED]) + ", ..." * (len(weak) > NAMED)
        say(f"{len(weak)} SKUs have only a doubtful cut-out: {named}; see {folder}/again_001.jpg")
    if round_ones := add_upside_down(folder):
        say(f"{round_ones} SKUs are cans or cups: scenes show them on their heads, too")
    names = {c.id: c.name for c in job.store.taxonomy.categories}
    write_sheets(read_cutouts(folder), names=names)


def _look_at_trays(job: Job) -> None:
    """Read off unlabelled val trays how large products appear, and what an empty tray looks like.

    Labels stay unread: the class-agnostic start finds the items.
    """
    crops: list[Photo] = []
    sides: list[tuple[float, float]] = []
    trays: list[tuple[Photo, Photo]] = []  # with gaps, not more than BACKGROUNDS of them
    with bar("looking at unlabelled trays") as progress:
        for rgb, found in _val_items(job, progress):
            width = rgb.shape[1]
            for x1, y1, x2, y2 in found.select(found.scores >= SURE).boxes:
                crop = rgb[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
                if min(crop.shape[:2]) >= 8:
                    crops.append(crop)
                    sides.append((1000 * (x2 - x1) / width, 1000 * (y2 - y1) / width))
            if len(trays) < BACKGROUNDS and _makes_backgrounds(job):
                trays.append(with_gap(rgb, found.select(found.scores >= POSSIBLE).boxes))
    cutouts = read_cutouts(job.out / "cutouts")
    embedder = Embedder(device=job.device)
    scaled, matches = estimate_sizes(cutouts, crops, np.array(sides), embedder)
    write_cutouts(job.out / "cutouts", scaled)
    labels = {str(group): number for group, number in matches.items()}
    write_json(job.out / "sizes.json", {"boxes": len(crops), "matches": labels}, indent=1)
    if _makes_backgrounds(job):
        made = [tray for tray in empty_trays(trays) if tray is not None]
        for number, tray in enumerate(made):
            write_image(job.empty_trays / f"tray_{number:04d}.jpg", tray)
        if not made:
            _clear_exemplars(job)


def _val_items(
    job: Job, progress: Callable[[int, int], None]
) -> Iterator[tuple[Photo, Detections]]:
    """Val photos with what the class-agnostic start finds on them."""
    assert job.start is not None
    detector = Detector.load(job.start, device=job.device)
    images = job.store.split("val").images
    images = images[:: -(-len(images) // LOOKED_AT)]  # evenly over the split
    for done, image in enumerate(images, start=1):
        rgb = read_image(job.store.image_path("val", image))
        yield rgb, detector.predict(rgb)
        progress(done, len(images))


def _clear_exemplars(job: Job) -> None:
    """Empty grounds from the exemplars, their product painted over."""
    with bar("clearing exemplars") as progress:
        rng = np.random.default_rng([job.seed, 1])
        try:
            exemplar_backgrounds(job.store, job.empty_trays, BACKGROUNDS, rng, progress)
        except NoGroundError as error:
            say(f"{error}; all trays are plain")


def _compose_all(job: Job) -> None:
    """Cut-outs to scenes; some more of another seed, for what is learnt after the trainings."""
    if job.streams and job.names_crops:
        with bar("drawing foreign products") as progress:
            draw_cutouts(job.out / FOREIGN, FOREIGN_PRODUCTS, progress=progress, **FOREIGN_LOOK)
    if job.streams:
        shown = streamed_scenes(job).pictures(range(PREVIEWED))
        write_image(job.out / PREVIEW, contact_sheet(shown))
    else:
        _compose(job, "syn", job.amounts.scenes, job.seed)
    if job.rule_source == "composed" or job.names_crops:
        _compose(job, RULE_FOLDER, job.doubt_scenes, job.seed + 1_000_003)


def compose_clean(job: Job) -> None:
    """The same scenes on the photographed trays, before the camera: what a renderer starts from.

    Chance goes by step, so that places and items are those of Syn.
    """
    plain = 0.0 if job.empty_trays.is_dir() else 1.0
    _compose(job, "clean", job.amounts.scenes, job.seed, plain=plain, photometric=0.0)


def training_scenes(job: Job) -> Path | ComposedScenes:
    """The scenes that the trainings see: a written set, or what makes them.

    Raises:
        DataError: cut-outs or empty trays are missing or damaged.
    """
    return streamed_scenes(job) if job.streams else job.training_images


def streamed_scenes(job: Job) -> ComposedScenes:
    """Scenes without end, of the cut-outs and empty trays that the job made.

    Raises:
        DataError: cut-outs or empty trays are missing or damaged.
    """
    return ComposedScenes.open(_sources(job, job.seed, PLAIN))


def foreign_scenes(job: Job) -> ComposedScenes | None:
    """Scenes of drawn products that the store does not have; None where the job drew none.

    Raises:
        DataError: cut-outs or empty trays are missing or damaged.
    """
    folder = job.out / FOREIGN
    if not (folder / FILE_NAME).is_file():
        return None
    own = _sources(job, job.seed, PLAIN, scene_scale=(0.8, 1.25), overlap=0.0)
    products = drawn_taxonomy(FOREIGN_PRODUCTS)
    return ComposedScenes.open(replace(own, cutouts=folder.resolve(), taxonomy=products))


def _sources(job: Job, seed: int, plain: float, **look: Any) -> SceneSources:
    """The look of the job's scenes: as large as the store's trays, on its empty ones."""
    trays = job.store.split("val").images if job.store.has_split("val") else ()
    largest = job.amounts.scene_side
    longest = max((max(tray.width, tray.height) for tray in trays), default=largest)
    side = int(np.clip(longest, min(SMALLEST, largest), largest))
    options: dict[str, Any] = {"width": side, "height": side, **look}
    if job.looks_at_val:
        options.setdefault("scene_scale", MEASURED_SCALE)
    return SceneSources(
        cutouts=(job.out / "cutouts").resolve(),
        config=SceneConfig(**options),
        seed=seed,
        taxonomy=job.store.taxonomy,
        background_dir=job.empty_trays.resolve() if job.empty_trays.is_dir() else None,
        plain=plain,
    )


def _compose(
    job: Job, folder: str, count: int, seed: int, plain: float = PLAIN, **look: Any
) -> None:
    sources = _sources(job, seed, plain, **look)
    with bar("composing scenes") as progress:
        compose_dataset(
            sources.cutouts,
            job.out / folder,
            count,
            config=sources.config,
            seed=seed,
            workers=job.workers,
            background_dir=sources.background_dir,
            plain=plain,
            taxonomy=sources.taxonomy,
            progress=progress,
        )
