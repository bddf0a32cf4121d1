"""Shares of tray products that exemplar photos name, by recipe: OUT/naming.json and its page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.file_group import file_group
from rpc.data.files import DataError, write_bytes, write_json
from rpc.data.images import write_image
from rpc.data.store import Split, Store
from rpc.features.text.pack_reader import PackReader
from rpc.metrics.naming import naming_lead, naming_metrics, ranks_of_truth
from rpc.pipelines.naming.pictures import picture_evidence
from rpc.pipelines.naming.repeats import in_the_light_of_trays
from rpc.pipelines.naming.run import RECIPES, Crops, Naming, read_crops
from rpc.pipelines.naming.sheet import failure_sheet, failures, naming_text
from rpc.pipelines.naming.words import with_words, word_evidence
from rpc.reporting.provenance import code_version, library_versions, machine, sha256
from rpc.retrieval.descriptors.product_descriptor import PROJECTION
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import Report, bar
from rpc.runs.screen import say

DEFAULT: Final = "product"
FURTHER: Final = {
    "words": "with words",
    "pictures": "with pictures",
    "both": "with words and pictures",
    "tray": "in the light of the tray",
}


@dataclass(frozen=True)
class NamingRequest:
    """A measurement of naming crops.

    Attributes:
        data: the store.
        out: folder of the results.
        exemplars: split of the gallery.
        queries: split whose boxes are named.
        recipes: names, of `RECIPES`.
        few: exemplars of a SKU at most; None for all.
        projection: file of a discriminant; None takes the package's own.
        seed: of `few` and of the intervals.
        device: that the network runs on, see `rpc.runs.devices`.
        words: read exemplars and queries as well, and tell what the words add to each recipe.
        pictures: lay exemplars on the queries as well, and tell what that adds to each recipe.

    Raises:
        DataError: a recipe is unknown, or `few` below 1.
    """

    data: Path
    out: Path
    exemplars: Split = "train"
    queries: Split = "val"
    recipes: tuple[str, ...] = (DEFAULT,)
    few: int | None = None
    projection: Path | None = None
    seed: int = 0
    device: str = "auto"
    words: bool = False
    pictures: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.recipes) - set(RECIPES)):
            raise DataError(f"--recipes {unknown[0]}: expected some of {', '.join(RECIPES)}")
        if self.few is not None and self.few < 1:
            raise DataError(f"--few: expected at least 1 photo a SKU, got {self.few}")


@writes_into(lambda request, *_, **__: request.out)
def measure_naming(request: NamingRequest) -> Path:
    """Cut, describe, compare, write; the path of naming.json.

    Raises:
        DataError: a split is missing, damaged or empty, or the projection's file is; or an unknown
            device.
    """
    cv2.setNumThreads(1)
    store = Store.open(request.data)
    exemplars = read_crops(store, request.exemplars)
    if request.few is not None:
        exemplars = _few(exemplars, request.few, request.seed)
    queries = read_crops(store, request.queries)
    naming = Naming(exemplars, queries, request.projection, device=request.device)
    report = _facts(request, naming)
    evidence = _read(naming) if request.words else None
    found: dict[str, NDArray[Any]] = {}
    drawn: NDArray[np.uint8] | None = None
    for name in request.recipes:
        started = time.perf_counter()
        with bar(name) as progress:
            photos = naming.photo_scores(RECIPES[name], _counter(naming, name, progress))
        scores = naming.sku_scores(photos)
        found[name] = ranks = ranks_of_truth(scores, naming.truth)
        rng = np.random.default_rng(request.seed)
        row = asdict(naming_metrics(ranks, queries.groups, rng))
        row |= {"settings": asdict(RECIPES[name]), "what": RECIPES[name].what}
        row["seconds"] = round(time.perf_counter() - started, 1)
        report["recipes"][name] = row
        say(f"{name}: first {row['top1']:.3f}, top 5 {row['top5']:.3f}")
        row |= _more_evidence(request, naming, scores, evidence, ranks)
        for kind, what in FURTHER.items():
            if kind in row:
                say(f"  {what}: first {row[kind]['top1']:.3f}, top 5 {row[kind]['top5']:.3f}")
        if name == DEFAULT or len(request.recipes) == 1:
            drawn = _failures(naming, photos, ranks, store)
    if DEFAULT in found:
        for name in set(found) - {DEFAULT}:
            rng = np.random.default_rng(request.seed)
            lead = naming_lead(found[DEFAULT], found[name], queries.groups, rng)
            report["recipes"][name]["default_leads_by"] = lead
    with file_group(request.out):
        if drawn is not None:
            write_image(request.out / "failures.png", drawn)
        write_bytes(request.out / "naming.md", naming_text(report).encode())
        return write_json(request.out / "naming.json", report, indent=1)


def _read(naming: Naming) -> NDArray[np.float64]:
    """Evidence (N, K) of the words on the queries."""
    reader = PackReader()
    with bar("reading") as progress:
        return word_evidence(naming.exemplars, naming.owner, naming.queries, reader, progress)


def _more_evidence(
    request: NamingRequest,
    naming: Naming,
    scores: NDArray[np.float64],
    evidence: NDArray[np.float64] | None,
    ranks: NDArray[Any],
) -> dict[str, Any]:
    """Figures of a recipe with words, and in the light of the photo's other items."""
    queries, truth = naming.queries, naming.truth

    def row(found: NDArray[np.float64]) -> dict[str, Any]:
        now = ranks_of_truth(found, truth)
        figures = asdict(naming_metrics(now, queries.groups, np.random.default_rng(request.seed)))
        rng = np.random.default_rng(request.seed)
        return figures | {"lead": naming_lead(now, ranks, queries.groups, rng)}

    told = {} if evidence is None else {"words": evidence}
    if request.pictures:
        with bar("comparing pictures") as progress:
            told["pictures"] = picture_evidence(
                naming.exemplars, naming.owner, queries, scores, progress
            )
    rows = {}
    for kind, some in told.items():
        legible = float((some.max(axis=1) > some.min(axis=1)).mean())
        alone = with_words(scores, some, truth, queries.groups)
        rows[kind] = row(alone) | {"legible": legible}
    every = sum(told.values(), np.zeros_like(scores))
    joined = with_words(scores, every, truth, queries.groups)
    if len(told) > 1:
        rows["both"] = row(joined)
    return rows | {"tray": row(in_the_light_of_trays(joined, queries, truth))}


def _counter(naming: Naming, name: str, progress: Report) -> Callable[[int], None]:
    """Adds up crops for a bar."""
    turns, windows = RECIPES[name].turns, RECIPES[name].windows
    total = windows * (len(naming.queries.pictures) + turns * len(naming.exemplars.pictures))
    done = 0

    def count_views(views: int) -> None:
        nonlocal done
        done += views
        progress(done, total)

    return count_views


def _few(crops: Crops, most: int, seed: int) -> Crops:
    """At most so many exemplars of each SKU, drawn by chance."""
    rng = np.random.default_rng(seed)
    kept = [
        index
        for label in np.unique(crops.labels)
        for index in sorted(rng.permutation(np.flatnonzero(crops.labels == label))[:most].tolist())
    ]
    pictures = [crops.pictures[index] for index in kept]
    names = [crops.names[index] for index in kept]
    return Crops(pictures, crops.labels[kept], crops.groups[kept], names, crops.boxes[kept])


def _facts(request: NamingRequest, naming: Naming) -> dict[str, Any]:
    queries, exemplars = naming.queries, naming.exemplars
    return {
        "store": request.data.name,
        "exemplars": len(exemplars.pictures),
        "skus": len(naming.skus),
        "queries": len(queries.pictures),
        "trays": len(set(queries.names)),
        "groups": len(set(queries.groups.tolist())),
        "settings": {"split": request.queries, "few": request.few, "seed": request.seed},
        "projection": sha256(request.projection or PROJECTION),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
        "recipes": {},
    }


def _failures(
    naming: Naming, photos: NDArray[Any], ranks: NDArray[Any], store: Store
) -> NDArray[np.uint8]:
    """The items that were named wrong, drawn."""
    wrong = np.flatnonzero(ranks > 0)
    names = [store.taxonomy.category(int(label)).name for label in naming.skus]
    lines = failures(
        [naming.queries.pictures[row] for row in wrong],
        naming.exemplars.pictures,
        photos[wrong],
        naming.truth[wrong],
        naming.owner,
        names,
    )
    return failure_sheet(lines)
