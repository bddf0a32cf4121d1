"""The starts of every store's training, learned from drawn packages: OUT/training or its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rpc.data.images import write_image
from rpc.data.shipped import shipped
from rpc.detection.train import build_config, train
from rpc.recognition.counter.start import write_start
from rpc.recognition.counter.train import recogniser_learning, train_recogniser
from rpc.runs.devices import resolve_device
from rpc.runs.folder_lock import writes_into
from rpc.runs.processes import has_fast_bfloat16
from rpc.runs.progress import bar
from synth.compose import SceneConfig, compose_dataset
from synth.compose.sources import SceneSources
from synth.compose.stream import ComposedScenes
from synth.drawn import draw_cutouts, draw_texture, drawn_taxonomy

STORE: Final = shipped("examples/ministore")
CONFIG: Final = shipped("configs/start.py")
SURFACES: Final = 60
Part = Literal["detector", "recogniser"]


@dataclass(frozen=True)
class Usual:
    """A part's usual numbers.

    Attributes:
        products: packages to draw.
        siblings: look-alikes in a family; None for none.
        scenes: trays to compose first; None composes them while the training runs.
        updates: of the training.
        package_side: pixels of the longer side of a drawn package.
        detailed: packages with many typefaces, caps, seams and folds, see `draw_package`.
        largest: long side of the largest packages, as a fraction of a tray's width.
        scene: what a tray looks like. Wide ranges: nobody knows how large the products of the next
            store are, or how they lie.
    """

    products: int
    siblings: int | None
    scenes: int | None
    updates: int
    package_side: int
    detailed: bool
    largest: float
    scene: SceneConfig


USUAL: Final[Mapping[Part, Usual]] = {
    # It tells no product from another.
    "detector": Usual(
        products=800,
        siblings=None,
        scenes=None,
        updates=2000,
        package_side=256,
        detailed=True,
        largest=0.36,
        scene=SceneConfig(
            width=512,
            height=512,
            scene_scale=(0.6, 1.6),
            spread=(0.1, 0.36),
            overlap=0.4,
            min_visible=0.4,
        ),
    ),
    "recogniser": Usual(
        products=800,
        siblings=4,
        scenes=4000,
        updates=1440,
        package_side=224,
        detailed=False,
        largest=0.26,
        scene=SceneConfig(width=512, height=512, scene_scale=(0.8, 1.6), spread=(0.1, 0.36)),
    ),
}
PLAIN: Final = 0.6  # fraction of trays of one colour


@dataclass(frozen=True)
class StartRequest:
    """A start to be trained; None takes what is usual for the part.

    Attributes:
        part: what is trained.
        out: folder.
        products: packages to draw.
        scenes: trays to compose before the training.
        updates: of the training.
        minutes: cap on its time; None: any.
        seed: of everything.
        data: any store: a detector's training wants one, its photos are not used.
        device: that is trained on, see `rpc.runs.devices`.
    """

    part: Part
    out: Path | None = None
    products: int | None = None
    scenes: int | None = None
    updates: int | None = None
    minutes: float | None = None
    seed: int = 0
    data: Path = STORE
    device: str = "auto"

    @property
    def folder(self) -> Path:
        """The folder of all that is made."""
        return self.out or Path("out/start") / self.part


@writes_into(lambda request: request.folder)
def make_start(request: StartRequest) -> Path:
    """Draw packages, compose trays, train on them; the path of the model.

    Raises:
        DataError: a number makes no sense, the folder holds a run with other settings, or an
            unknown device.
    """
    resolve_device(request.device)  # before any work
    scenes = _scenes(request)
    if request.part == "detector":
        return _train_detector(request, scenes)
    return _train_recogniser(request, scenes)


def _scenes(request: StartRequest) -> Path | ComposedScenes:
    """Trays of drawn packages on drawn surfaces: a written set, or what composes them."""
    usual = USUAL[request.part]
    products = request.products or usual.products
    packages, surfaces = request.folder / "packages", request.folder / "surfaces"
    with bar("drawing packages") as progress:
        draw_cutouts(
            packages,
            products,
            seed=request.seed,
            siblings=usual.siblings,
            long_side=usual.package_side,
            lettered=usual.detailed,
            bodied=usual.detailed,
            largest=usual.largest,
            progress=progress,
        )
    for index in range(SURFACES):
        write_image(surfaces / f"surface_{index:03d}.jpg", draw_texture(request.seed, index))
    sources = SceneSources(
        cutouts=packages.resolve(),
        config=usual.scene,
        seed=request.seed,
        taxonomy=drawn_taxonomy(products),
        background_dir=surfaces.resolve(),
        plain=PLAIN,
    )
    count = request.scenes or usual.scenes
    if count is None:
        return ComposedScenes.open(sources)
    with bar("composing scenes") as progress:
        compose_dataset(
            sources.cutouts,
            request.folder / "scenes",
            count,
            config=sources.config,
            seed=sources.seed,
            background_dir=sources.background_dir,
            plain=sources.plain,
            taxonomy=sources.taxonomy,
            progress=progress,
        )
    return request.folder / "scenes"


def _train_detector(request: StartRequest, scenes: Path | ComposedScenes) -> Path:
    config = build_config(
        CONFIG,
        request.data,  # names one class here, no more: there is no validation
        scenes,
        {"val_cfg": None},
        iterations=request.updates or USUAL[request.part].updates,
        minutes=request.minutes,
        amp=has_fast_bfloat16(request.device),
        seed=request.seed,
        device=request.device,
    )
    streamed = None if isinstance(scenes, Path) else scenes
    return train(config, request.folder / "training", resume=True, scenes=streamed)


def _train_recogniser(request: StartRequest, scenes: Path | ComposedScenes) -> Path:
    settings = recogniser_learning(
        iterations=request.updates or USUAL[request.part].updates,
        cap_minutes=request.minutes,
        seed=request.seed,
        bfloat16=has_fast_bfloat16(request.device),
    )
    with bar("learning to tell look-alikes apart") as progress:
        model = train_recogniser(
            scenes,
            request.folder / "training",
            settings,
            device=request.device,
            progress=lambda done, facts: progress(round(1000 * done), 1000, facts),
        )
    return write_start(request.folder / "recogniser_start.pth", model)
