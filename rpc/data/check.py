"""Check a store: its contents, missing files and damaged files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rpc.data.check_notes import few_exemplars, split_notes
from rpc.data.check_photos import look_at_photos
from rpc.data.dataset import Dataset, Problem, scan_dataset
from rpc.data.exemplars import list_exemplars
from rpc.data.files import DataError
from rpc.data.levels import LEVELS
from rpc.data.parallel import Progress
from rpc.data.store import SPLITS, Split, Store, other_json


@dataclass(frozen=True)
class SplitCheck:
    """The contents of one split.

    Attributes:
        name: `train`, `val` or `test`.
        file: its JSON file.
        images: usable entries.
        annotations: usable entries.
        skus: SKUs that occur.
        levels: images by clutter level; empty on exemplars.
        licence: as the file's `info` or `licenses` say it; empty where they do not.
    """

    name: Split
    file: str
    images: int
    annotations: int
    skus: int
    levels: dict[str, int]
    licence: str


@dataclass(frozen=True)
class StoreCheck:
    """The contents of a store and its faults.

    Attributes:
        root: the store.
        skus: K SKUs.
        splits: those that are there.
        cameras: exemplars by camera; `unknown` where the camera is not known.
        problems: what training or evaluation would trip over.
        notes: what is unusual and does no harm.
    """

    root: str
    skus: int
    splits: tuple[SplitCheck, ...]
    cameras: dict[str, int]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing is in the way of training."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"usable": self.usable}


def check_store(
    root: str | Path,
    *,
    decode: bool = True,
    follow_links: bool | None = None,
    progress: Progress | None = None,
) -> StoreCheck:
    """Look at all of a store; damage is reported, not raised.

    Args:
        root: the store's folder.
        decode: decode every photo, which finds truncated ones; otherwise read headers only.
        follow_links: whether links may lead out of the store, to photos on another disk; None as
            `safe_join`.
        progress: called with the photos looked at and their total.

    Raises:
        DataError: `root` is no folder.
    """
    store = Store(Path(root), follow_links=follow_links)
    if not store.root.is_dir():
        raise DataError(f"{root}: no such folder")
    problems: list[Problem] = []
    notes: list[Problem] = []
    datasets: dict[Split, Dataset] = {}
    for name in SPLITS:
        dataset = _scan(store, name, datasets.get("train"), problems, notes)
        if dataset is not None:
            datasets[name] = dataset
    found, told = look_at_photos(store, datasets, decode=decode, progress=progress)
    problems += found
    for name, dataset in datasets.items():
        notes += split_notes(store, name, dataset)
    notes += told
    train = datasets.get("train")
    if train is not None:
        problems += _lonely_skus(train)
        notes += few_exemplars(train)
    return StoreCheck(
        root=str(root),
        skus=len(train.taxonomy) if train else 0,
        splits=tuple(_summary(name, dataset) for name, dataset in datasets.items()),
        cameras=_cameras(train) if train else {},
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _scan(
    store: Store,
    name: Split,
    train: Dataset | None,
    problems: list[Problem],
    notes: list[Problem],
) -> Dataset | None:
    if not store.has_split(name):
        others = other_json(store.root) if name == "train" else ""
        missing = Problem(str(store.root), f"has no instances_{name}.json{others}")
        (problems if name == "train" else notes).append(missing)
        return None
    dataset, damaged = scan_dataset(store.json_path(name), store.size_of(name))
    problems += damaged
    if dataset is None:
        return None
    if not dataset.annotations:
        problems.append(Problem(str(dataset.path), "lists no usable annotation at all"))
    if train is not None and (unlike := train.taxonomy.difference(dataset.taxonomy)):
        what = f"its categories differ from those of train: {unlike}"
        problems.append(Problem(str(dataset.path), what))
    return dataset


def _lonely_skus(train: Dataset) -> list[Problem]:
    per_sku = train.counts().sum(axis=0)
    return [
        Problem(str(train.path), f"SKU {c.id} {c.name!r} has no exemplar: it cannot be learned")
        for c, number in zip(train.taxonomy.categories, per_sku, strict=True)
        if number == 0
    ]


def _cameras(train: Dataset) -> dict[str, int]:
    exemplars = list_exemplars(train, lambda image: Path(image.file_name))
    counts = Counter("unknown" if e.camera is None else str(e.camera) for e in exemplars)
    return dict(sorted(counts.items()))


def _summary(name: Split, dataset: Dataset) -> SplitCheck:
    levels = Counter(level for level in dataset.levels() if level is not None)
    return SplitCheck(
        name=name,
        file=str(dataset.path),
        images=len(dataset.images),
        annotations=len(dataset.annotations),
        skus=len({a.category_id for a in dataset.annotations}),
        levels={level: levels[level] for level in LEVELS if levels[level]},
        licence=_licence(dataset),
    )


def _licence(dataset: Dataset) -> str:
    info = dataset.extra.get("info")
    if isinstance(info, dict) and info.get("license"):
        return str(info["license"])
    entries = dataset.extra.get("licenses")
    names = [e.get("name") for e in entries if isinstance(e, dict)] if entries else []
    return ", ".join(str(name) for name in names if name)
