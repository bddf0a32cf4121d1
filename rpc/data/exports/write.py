"""A planned store, written: photos copied as they are, COCO JSON in RPC's shape beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem, by_kind
from rpc.data.dataset import Annotation, Dataset, ImageInfo, write_dataset
from rpc.data.exports.labelme import embedded_photo
from rpc.data.exports.labels import whole_number
from rpc.data.exports.placing import PLACES, Place
from rpc.data.exports.plan import SeenPhoto
from rpc.data.exports.reading import StorePlan
from rpc.data.file_names import PHOTO_SIGNS, FileNames
from rpc.data.files import DataError, atomic_path, require_room, write_bytes, write_json
from rpc.data.levels import level_of
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.taxonomy import Category, Taxonomy

REPORT: Final = "import.json"
MOST_ENTRIES: Final = 1000  # of a kind of findings in it
_FOLDERS: Final[Mapping[Place, tuple[str, str]]] = {  # photos, JSON
    "exemplars": ("exemplars", "instances_train.json"),
    "val": ("val", "instances_val.json"),
    "test": ("test", "instances_test.json"),
    "labelled_trays": ("labelled_trays/images", "labelled_trays/instances.json"),
}


def write_store(
    plan: StorePlan,
    folder: Path,
    *,
    taxonomy: Taxonomy | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the store into a folder; returns the folder.

    Args:
        plan: what it holds.
        folder: made if it is missing.
        taxonomy: SKUs, where others than the plan's own are wanted; it holds all of them.
        progress: called with the photos copied and their total.

    Raises:
        DataError: a photo has gone since, or a file cannot be written.
    """
    skus = taxonomy or plan_taxonomy(plan)
    copies: list[tuple[SeenPhoto, Path]] = []
    names: dict[Place, list[str]] = {}
    for place in PLACES:
        photos = plan.placed[place]
        names[place] = _file_names(photos)
        inner = _FOLDERS[place][0] if place in _FOLDERS else place
        copies += [
            (photo, folder / inner / name) for photo, name in zip(photos, names[place], strict=True)
        ]
    require_room(folder, (one.labelled.file for one, _ in copies if one.labelled.file))
    for _ in map_in_threads(_copy, copies, progress):
        pass
    for place, (_, json) in _FOLDERS.items():
        if plan.placed[place]:
            dataset = _dataset(plan, plan.placed[place], names[place], skus, place)
            write_dataset(folder / json, dataset)
    write_json(folder / REPORT, report(plan), indent=1)
    return folder


def plan_taxonomy(plan: StorePlan) -> Taxonomy:
    """The SKUs of a plan: the export's own ids where all its files agree on them, else from 1."""
    ids = [kept.get("id") for kept in plan.classes.values()]
    own = all(isinstance(one, int) and one >= 0 for one in ids) and len(set(ids)) == len(ids)
    return Taxonomy(
        Category(
            id=kept["id"] if own else number,
            name=name,
            supercategory=str(kept.get("supercategory", "")),
            family=str(kept.get("family", "")),
            title=str(kept.get("title", "")),
        )
        for number, (name, kept) in enumerate(plan.classes.items(), start=1)
    )


def report(plan: StorePlan) -> dict[str, Any]:
    """Plain values for `import.json`: what was read, where it went, what was left out."""
    return {
        "layout": plan.export.layout,
        "files": [path.relative_to(plan.export.root).as_posix() for path in plan.export.files],
        "exemplars": len(plan.placed["exemplars"]),
        "val": len(plan.placed["val"]),
        "test": len(plan.placed["test"]),
        "labelled_trays": len(plan.placed["labelled_trays"]),
        "backgrounds": len(plan.placed["backgrounds"]),
        "left_out": _entries(plan.left_out),
        "changed": _entries(plan.changed),
    }


def _entries(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Findings by kind: how many, and the first ones."""
    return [
        {
            "kind": kind.kind,
            "count": len(kind),
            "entries": [
                {"where": problem.where, "what": problem.what}
                for problem in kind.problems[:MOST_ENTRIES]
            ],
        }
        for kind in by_kind(problems)
    ]


def _file_names(photos: Sequence[SeenPhoto]) -> list[str]:
    """A name for each photo: its own, where it is the only one of this name."""
    names = FileNames(keep=PHOTO_SIGNS)
    return [names.give(_stem(photo), photo.suffix, otherwise="photo") for photo in photos]


def _stem(photo: SeenPhoto) -> str:
    if photo.labelled.file is not None:
        return photo.labelled.file.stem
    return Path(photo.labelled.name.replace("\\", "/")).stem


def _copy(pair: tuple[SeenPhoto, Path]) -> None:
    photo, target = pair
    if photo.labelled.embedded_in is not None:
        write_bytes(target, embedded_photo(photo.labelled.embedded_in))
        return
    assert photo.labelled.file is not None, "a photo that is missing is not placed"
    with atomic_path(target) as part:
        if not photo.labelled.file.is_file():
            raise DataError(f"{photo.labelled.file}: is gone since it was looked at; run again")
        shutil.copyfile(photo.labelled.file, part)


def _dataset(
    plan: StorePlan,
    photos: Sequence[SeenPhoto],
    names: Sequence[str],
    skus: Taxonomy,
    place: Place,
) -> Dataset:
    ids = _image_ids(photos)
    by_name = {sku.name: sku.id for sku in skus.categories}
    images: list[ImageInfo] = []
    items: list[Annotation] = []
    for number, photo, name in zip(ids, photos, names, strict=True):
        extra = {key: value for key, value in photo.labelled.extra.items() if key != "id"}
        level = extra.pop("level", None) if place != "exemplars" else None
        if level is None and place != "exemplars":
            level = level_of(len({item.sku for item in photo.items}), len(photo.items))
        extra["source"] = _source(plan, photo)
        images.append(ImageInfo(number, name, photo.width, photo.height, level, extra))
        for item in photo.items:
            x1, y1, x2, y2 = item.box
            items.append(
                Annotation(
                    id=len(items) + 1,
                    image_id=number,
                    category_id=by_name[item.sku],
                    bbox=item.box,
                    area=round((x2 - x1) * (y2 - y1), 2),
                    visible=_fraction(item.extra.get("visible")),
                    extra={k: v for k, v in item.extra.items() if k != "visible"},
                )
            )
    info = {"description": f"made of a {plan.export.layout} export"}
    return Dataset(tuple(images), tuple(items), skus, extra={"info": info})


def _image_ids(photos: Sequence[SeenPhoto]) -> list[int]:
    """The export's own ids, so that results on it fit the store; from 1 where they are no ids."""
    own = [whole_number(photo.labelled.extra.get("id")) for photo in photos]
    if None in own or len(set(own)) < len(own):
        return list(range(1, len(photos) + 1))
    return [number for number in own if number is not None]


def _source(plan: StorePlan, photo: SeenPhoto) -> str:
    path = photo.labelled.file or photo.labelled.embedded_in
    assert path is not None, "a photo lies in a file or in a label file"
    return path.relative_to(plan.export.root).as_posix()


def _fraction(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None
