"""Checkout scenes composed from cut-outs: OUT/images/ and OUT/instances.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from rpc.data.cutouts import read_cutouts
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.store import Store
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import bar
from rpc.runs.settings import require_at_least
from synth.compose import (
    Backgrounds,
    CutoutLibrary,
    SceneConfig,
    compose_dataset,
    compose_scene,
    exemplar_backgrounds,
)
from synth.compose.executors import Executor
from synth.compose.preview import contact_sheet, sample_photos

PREVIEW: Final = "preview.png"


@dataclass(frozen=True)
class ComposeRequest:
    """A set of scenes to be composed.

    Attributes:
        cutouts: folder with cutouts.json.
        out: folder of the set; one that is there already is completed.
        count: scenes.
        seed: names the set.
        config: of the scenes.
        backgrounds: photos of empty trays; None for plain trays.
        plain: fraction of plain trays among photos.
        exemplar_backgrounds: backgrounds to make from the store's exemplars, products painted over.
        store: of the SKUs' names; None takes the one that the cut-outs name.
        workers: processes; None for one a core.
        executor: who composes, in which way of `synth.compose.executors`.
        preview: scenes of a contact sheet, which is all that is written then; 0 composes the set.
        beside: photos of real trays for the preview.

    Raises:
        DataError: a number is out of range, or two kinds of backgrounds are asked for.
    """

    cutouts: Path
    out: Path
    count: int = 1000
    seed: int = 0
    config: SceneConfig = field(default_factory=SceneConfig)
    backgrounds: Path | None = None
    plain: float = 0.3
    exemplar_backgrounds: int = 0
    store: Path | None = None
    workers: int | None = None
    executor: Executor = "process"
    preview: int = 0
    beside: Path | None = None

    def __post_init__(self) -> None:
        require_at_least("--count", self.count, 1)
        require_at_least("--seed", self.seed, 0)
        require_at_least("--workers", 1 if self.workers is None else self.workers, 1)
        require_at_least("--exemplar-backgrounds", self.exemplar_backgrounds, 0)
        require_at_least("--preview", self.preview, 0)
        if not 0 <= self.plain <= 1:
            raise DataError(f"--plain {self.plain}: expected 0 to 1")
        if self.exemplar_backgrounds and self.backgrounds is not None:
            raise DataError("--backgrounds and --exemplar-backgrounds: choose one of them")


@writes_into(lambda request, *_, **__: request.out)
def compose_scenes(request: ComposeRequest) -> Path:
    """Compose the set, or a preview of it; the path of instances.json or preview.png.

    Raises:
        DataError: cut-outs, backgrounds or settings do not fit, or `out` holds another set.
    """
    store = _store(request)
    backgrounds = request.backgrounds
    if request.exemplar_backgrounds:
        backgrounds = _made_backgrounds(request, store)
    taxonomy = None if store is None else store.taxonomy
    if request.preview:
        library = CutoutLibrary.open(request.cutouts, taxonomy=taxonomy)
        return _preview(request, library, Backgrounds.from_folder(backgrounds, request.plain))
    with bar("composing scenes") as progress:
        return compose_dataset(
            request.cutouts,
            request.out,
            request.count,
            config=request.config,
            seed=request.seed,
            workers=request.workers,
            executor=request.executor,
            background_dir=backgrounds,
            plain=request.plain,
            taxonomy=taxonomy,
            progress=progress,
        )


def _made_backgrounds(request: ComposeRequest, store: Store | None) -> Path:
    """Folder of exemplar photos whose product is painted over."""
    if store is None:
        raise DataError("--exemplar-backgrounds: give the store with --store")
    chance = np.random.default_rng(request.seed)
    folder = request.out / "backgrounds"
    with bar("backgrounds") as progress:
        return exemplar_backgrounds(store, folder, request.exemplar_backgrounds, chance, progress)


def _preview(request: ComposeRequest, library: CutoutLibrary, trays: Backgrounds) -> Path:
    """Write a contact sheet of the first scenes, beside real trays where there are some."""
    scenes = []
    with bar("composing preview") as progress:
        for index in range(request.preview):
            scene = compose_scene(
                library, seed=request.seed, index=index, config=request.config, background=trays
            )
            scenes.append(scene.image)
            progress(index + 1, request.preview)
    beside = sample_photos(request.beside, request.preview) if request.beside else []
    return write_image(request.out / PREVIEW, contact_sheet(scenes, beside))


def _store(request: ComposeRequest) -> Store | None:
    """The store that the SKUs' names come from: as given, or as the cut-outs say."""
    if request.store is not None:
        return Store.open(request.store)
    named = read_cutouts(request.cutouts).store
    return Store.open(named) if named and Path(named).is_dir() else None
