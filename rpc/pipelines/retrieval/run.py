"""The work of eval_retrieval: encodings fitted, photos described, rankings scored."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import LabelledPhoto, labels_of
from rpc.data.files import DataError
from rpc.features.backbones.feature_maps import FeatureMaps, fitted_size
from rpc.features.encodings.encoding_files import Encoding, read_encodings, write_encodings
from rpc.features.encodings.local_encodings import FisherVector, Vlad, fit_fisher, fit_vlad
from rpc.features.encodings.normalise import l2_normalised
from rpc.features.encodings.root_sift import dense_root_sift
from rpc.features.encodings.whitening import fit_whitening, write_whitening
from rpc.metrics.retrieval import average_precision_at, top_k
from rpc.pipelines.retrieval.photos import ClassPhotos
from rpc.retrieval.descriptors.extraction import Described, describe_all
from rpc.retrieval.descriptors.handcrafted import (
    HandCrafted,
    fit_hand_crafted,
    two_stage_similarity,
)
from rpc.retrieval.descriptors.methods import ENCODED, FLIP, METHODS, PhotoMaps, methods_with
from rpc.retrieval.descriptors.scda import selected_descriptors
from rpc.runs.journal import StepJournal
from rpc.runs.progress import Report, bar

FloatArray = NDArray[np.floating[Any]]
Rgb = NDArray[np.uint8]

HAND_FINE: Final = "RootSIFT FV"
HAND_STAGES: Final = "RootSIFT two-stage"
HAND: Final = (HAND_FINE, HAND_STAGES)
HAND_BAG: Final = "RootSIFT bag"  # what two-stage decides the groups by; no method of its own
HAND_SIDE: Final = 300  # px, the shorter side at which local descriptors are taken
ALL_METHODS: Final = (*ENCODED, *METHODS, *HAND)
WHITENED: Final = ("SCDA", "SCDA+", FLIP)

FIT_PHOTOS: Final = 600  # of the gallery, evenly over it, that encodings are fitted on
FIT_CELLS: Final = 40_000  # descriptors at most
FIT_LOCAL: Final = 30_000


@dataclass(frozen=True)
class Settings:
    """The settings that decide the figures, beside photos and backbone.

    Attributes:
        methods: names, of `ALL_METHODS`.
        clusters: of VLAD, and Gaussians of FV: 2 in the tutorial.
        whiten: dimensions of whitened SCDA; 0 for none.
        seed: of everything fitted.
    """

    methods: tuple[str, ...] = ALL_METHODS
    clusters: int = 2
    whiten: int = 512
    seed: int = 0


@dataclass(frozen=True)
class Scored:
    """Figures and rankings of one method.

    Attributes:
        figures: top1, top5, dimension, seconds, empty.
        nearest: of each query the first five of the gallery (Q, 5).
    """

    figures: dict[str, Any]
    nearest: NDArray[np.integer[Any]]


def evaluate(
    data: ClassPhotos, maps: FeatureMaps, settings: Settings, out: Path
) -> tuple[dict[str, Scored], dict[str, float]]:
    """Figures by method, and seconds by step.

    Raises:
        DataError: `out` holds a run with other settings, or a photo cannot be read.
    """
    decides = {
        "photos": _fingerprint(data),
        "maps": maps.identity,
        "settings": {**vars(settings), "methods": list(settings.methods)},
    }
    journal = StepJournal(out, decides)
    file = out / "encodings.pth"
    if not file.is_file():
        journal.steps.pop("fitting done", None)
    journal.run("fitting", lambda: _fit(data.gallery, maps, settings, file))
    encodings = read_encodings(file)
    describe = _describer(maps, settings, encodings)
    photos = (*data.gallery, *data.queries)
    with bar("describing photos") as progress:
        # Named by what decides them: no journal that was deleted can mix two runs' vectors.
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
        described = describe_all(photos, describe, out / f"descriptors_{digest}", progress)
    scored = _score(data, described, settings, out)
    return scored, {**journal.seconds, **described.seconds}


def _fingerprint(data: ClassPhotos) -> str:
    """Which photos, in the gallery or not, with which labels, and how large their files are."""
    text = [
        f"{part} {p.name} {p.label} {p.path.stat().st_size}{'' if p.crop is None else p.crop}"
        for part, photos in (("gallery", data.gallery), ("query", data.queries))
        for p in photos
    ]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def _fit(
    gallery: Sequence[LabelledPhoto], maps: FeatureMaps, settings: Settings, file: Path
) -> None:
    """Fit what must be fitted, on gallery photos only, and write it."""
    chosen = np.linspace(0, len(gallery) - 1, min(FIT_PHOTOS, len(gallery))).round().astype(int)
    photos = [gallery[index] for index in chosen.tolist()]
    rng = np.random.default_rng([settings.seed, 0])
    fitted: dict[str, Encoding] = {}
    if set(ENCODED) & set(settings.methods):
        with bar("looking at gallery photos") as progress:
            cells = _sample(
                photos, lambda rgb: selected_descriptors(maps(rgb)[0]), rng, FIT_CELLS, progress
            )
        fitted["vlad"] = fit_vlad(cells, settings.clusters, settings.seed)
        fitted["fisher"] = fit_fisher(cells, settings.clusters, settings.seed)
    if set(HAND) & set(settings.methods):
        with bar("local descriptors of gallery photos") as progress:
            local = _sample(photos, _local_descriptors, rng, FIT_LOCAL, progress)
        hand = fit_hand_crafted(local, settings.seed)
        fitted |= {f"hand {name}": part for name, part in vars(hand).items()}
    write_encodings(file, fitted)


def _sample(
    photos: Sequence[LabelledPhoto],
    describe: Callable[[Rgb], FloatArray],
    rng: np.random.Generator,
    most: int,
    progress: Report,
) -> FloatArray:
    """Descriptors of photos, the same share of each, about `most` in all."""
    kept = []
    each = -(-most // len(photos))
    for done, photo in enumerate(photos, start=1):
        found = describe(photo.read())
        kept.append(found[rng.permutation(len(found))[:each]])
        progress(done, len(photos))
    return np.concatenate(kept)


def _local_descriptors(rgb: Rgb) -> FloatArray:
    height, width = fitted_size(*rgb.shape[:2], short_side=HAND_SIDE, least_side=1)
    if (height, width) != rgb.shape[:2]:
        return dense_root_sift(_shrunk(rgb, height, width))
    return dense_root_sift(rgb)


def _shrunk(rgb: Rgb, height: int, width: int) -> Rgb:
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _describer(
    maps: FeatureMaps, settings: Settings, encodings: Mapping[str, Encoding]
) -> Callable[[LabelledPhoto], Described]:
    """A function from a photo to its vector by every method, and the seconds of each."""
    vlad, fisher = encodings.get("vlad"), encodings.get("fisher")
    assert vlad is None or isinstance(vlad, Vlad)
    assert fisher is None or isinstance(fisher, FisherVector)
    every = methods_with(vlad, fisher)
    methods = {name: every[name] for name in settings.methods if name in every}
    parts = {k.removeprefix("hand "): v for k, v in encodings.items() if k.startswith("hand ")}
    hand = HandCrafted(**parts) if parts else None  # type: ignore[arg-type]

    def describe(photo: LabelledPhoto) -> Described:
        clock = _Clock()
        rgb = clock.time("reading", photo.read)
        vectors = {}
        if methods:
            last, finer = clock.time("backbone", lambda: maps(rgb))
            mirrored = None
            if FLIP in methods:
                mirrored = clock.time("backbone, mirror image", lambda: maps(_mirror(rgb)))
            seen = PhotoMaps(last, finer, mirrored)
            for name, method in methods.items():
                vectors[name] = clock.time(name, partial(method, seen))
        if hand is not None:
            local = clock.time("RootSIFT", lambda: _local_descriptors(rgb))
            vectors[HAND_FINE] = clock.time(HAND_FINE, lambda: hand.fine(local))
            vectors[HAND_BAG] = clock.time(HAND_STAGES, lambda: hand.coarse(local))
        return Described(vectors, clock.seconds)

    return describe


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, step: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        answer = step()
        self.seconds[name] = time.perf_counter() - started
        return answer


def _mirror(rgb: Rgb) -> Rgb:
    return np.ascontiguousarray(rgb[:, ::-1])


def _score(
    data: ClassPhotos, described: Described, settings: Settings, out: Path
) -> dict[str, Scored]:
    split = len(data.gallery)
    labels = labels_of(data.queries), labels_of(data.gallery)
    scored: dict[str, Scored] = {}
    for name in settings.methods:
        if name == HAND_STAGES:
            continue
        vectors = described.vectors[name]
        unit = l2_normalised(vectors)
        close = unit[split:] @ unit[:split].T
        cost = described.seconds[name]
        scored[name] = _figures(close, labels, vectors.shape[1], cost, vectors)
    if HAND_STAGES in settings.methods:
        fine, bag = described.vectors[HAND_FINE], described.vectors[HAND_BAG]
        similarity = two_stage_similarity(
            (fine[split:], fine[:split]),
            (bag[split:], bag[:split]),
            groups=max(round(len(data.classes) ** 0.5), 1),
            seed=settings.seed,
        )
        cost = described.seconds[HAND_FINE] + described.seconds[HAND_STAGES]
        dimension = fine.shape[1] + bag.shape[1]
        scored[HAND_STAGES] = _figures(similarity, labels, dimension, cost, fine)
    for name in WHITENED if settings.whiten else ():
        if name in settings.methods:
            unit = l2_normalised(described.vectors[name])
            whitening = fit_whitening(unit[:split], settings.whiten)
            write_whitening(out / f"whitening_{name}.pth", whitening)
            white = whitening(unit)
            cost = described.seconds[name]
            title = f"{name} whitened"
            close = white[split:] @ white[:split].T
            scored[title] = _figures(close, labels, white.shape[1], cost, unit)
    return scored


def _figures(
    similarity: FloatArray,
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    dimension: int,
    seconds: float,
    vectors: FloatArray,
) -> Scored:
    queries, gallery = labels
    nearest = top_k(similarity, 5)
    hits = gallery[nearest] == queries[:, None]
    figures = {
        "top1": float(average_precision_at(hits, 1).mean()),
        "top5": float(average_precision_at(hits, 5).mean()),
        "recall5": float(hits.any(axis=1).mean()),
        "dimension": dimension,
        "seconds": round(seconds, 4),
        "empty": int((~vectors.any(axis=1)).sum()),
    }
    return Scored(figures, nearest)


def require_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Methods as they were asked for, without repetition.

    Raises:
        DataError: an unknown name.
    """
    unknown = [name for name in names if name not in ALL_METHODS]
    if unknown:
        raise DataError(f"--methods {unknown[0]}: expected some of {', '.join(ALL_METHODS)}")
    chosen = dict.fromkeys(names)
    if HAND_STAGES in chosen:
        chosen = dict.fromkeys([*chosen, HAND_FINE])  # ranks within the groups
    return tuple(name for name in ALL_METHODS if name in chosen)
