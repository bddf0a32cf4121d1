"""Retrieval methods measured on photos by class: OUT/retrieval.json, its page and two sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.file_group import file_group
from rpc.data.files import write_bytes, write_json
from rpc.data.images import write_image
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.pictures.lettering import Lettering
from rpc.pipelines.retrieval.page import PORT, TUTORIAL, retrieval_text
from rpc.pipelines.retrieval.photos import ClassPhotos, read_class_photos
from rpc.pipelines.retrieval.run import (
    ALL_METHODS,
    Scored,
    Settings,
    evaluate,
    require_methods,
)
from rpc.pipelines.retrieval.sheets import answer_sheet, mask_sheet
from rpc.reporting.manifest import manifest
from rpc.runs.folder_lock import writes_into
from rpc.runs.settings import require_at_least

DEFAULT_BACKBONE: Final = "efficientnet_lite0"
DEFAULT_SIDE: Final = 700  # px
MASKS: Final = 24
ANSWERS: Final = 10


@dataclass(frozen=True)
class RetrievalRequest:
    """A measurement of retrieval methods.

    Attributes:
        data: folder of a data set, of any layout that recognition reads.
        out: folder of the results.
        backbone: name of the network.
        weights: file of its weights; None takes the published ones.
        layers: the last layer and a finer one, by name or number.
        methods: names; None for all.
        short_side: px that photos are shrunk to.
        limit: photos of each class; 0 for all.
        clusters: of VLAD, and Gaussians of FV.
        whiten: dimensions of whitened SCDA; 0 for none.
        seed: of everything fitted.
        device: that the backbone runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a number is too small, or a method unknown.
    """

    data: Path
    out: Path
    backbone: str = DEFAULT_BACKBONE
    weights: Path | None = None
    layers: tuple[str | int, str | int] = ("last", "finer")
    methods: tuple[str, ...] | None = None
    short_side: int = DEFAULT_SIDE
    limit: int = 0
    clusters: int = 2
    whiten: int = 512
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_at_least("--limit", self.limit, 0)
        require_at_least("--whiten", self.whiten, 0)
        require_at_least("--clusters", self.clusters, 1)
        require_at_least("--short-side", self.short_side, 64)
        require_methods(self.methods or ALL_METHODS)


@writes_into(lambda request, *_, **__: request.out)
def measure_retrieval(request: RetrievalRequest) -> Path:
    """Describe all photos, score every method; the path of retrieval.md.

    Raises:
        DataError: data or weights do not fit, or `out` holds a run with other settings.
    """
    methods = require_methods(request.methods or ALL_METHODS)
    settings = Settings(methods, request.clusters, request.whiten, request.seed)
    data = read_class_photos(request.data)
    if request.limit:
        data = data.limited(request.limit)
    maps = FeatureMaps(
        request.backbone,
        request.layers,
        weights=request.weights,
        short_side=request.short_side,
        device=request.device,
    )
    scored, seconds = evaluate(data, maps, settings, request.out)
    report = _report(data, maps, settings, scored, seconds, request.limit)
    with file_group(request.out):
        write_json(request.out / "retrieval.json", report, indent=1)
        _draw(data, maps, scored, request.out)
        return write_bytes(request.out / "retrieval.md", retrieval_text(report).encode())


def _report(
    data: ClassPhotos,
    maps: FeatureMaps,
    settings: Settings,
    scored: dict[str, Scored],
    seconds: dict[str, float],
    limit: int,
) -> dict[str, Any]:
    photos = len(data.gallery) + len(data.queries)
    return {
        "methods": {name: one.figures for name, one in scored.items()},
        "data": {
            "name": data.name,
            "classes": len(data.classes),
            "gallery": len(data.gallery),
            "queries": len(data.queries),
            "limited": limit,
            "split": data.split,
        },
        "photos": photos,
        "backbone": maps.identity,
        "backbone_seconds": seconds.get("backbone", 0.0) / photos,
        "settings": vars(settings),
        "published": {
            "tutorial, VGG-16, per cent [top1, top5]": TUTORIAL.get(data.name, {}),
            "PyTorch port, VGG-16 of torchvision, per cent top1": PORT.get(data.name, {}),
        },
        "manifest": manifest(
            threshold=None,
            chosen_on="nothing is chosen",
            split=data.split,
            seeds={"fits": settings.seed},
            durations=seconds,
        ),
    }


def _draw(data: ClassPhotos, maps: FeatureMaps, scored: dict[str, Scored], out: Path) -> None:
    lettering = Lettering()
    rows = evenly_spaced(len(data.queries), MASKS)
    write_image(out / "masks.jpg", mask_sheet(data, maps, rows, lettering), quality=90)
    shown = next((name for name in ("SCDA", "SCDA_flip+") if name in scored), next(iter(scored)))
    rows = evenly_spaced(len(data.queries), ANSWERS)
    sheet = answer_sheet(data, scored[shown].nearest, rows, lettering)
    write_image(out / "answers.jpg", sheet, quality=90)
