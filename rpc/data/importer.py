"""Import a plain folder of photos, which is what a shop has, as a store in RPC's shape."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rpc.data.dataset import Annotation, Dataset, ImageInfo, write_dataset
from rpc.data.exemplars import parse_exemplar_name
from rpc.data.file_content import PHOTO_SUFFIXES as SUFFIXES
from rpc.data.files import DataError, atomic_path, safe_join, write_json
from rpc.data.images import read_image
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.product_box import find_product_box
from rpc.data.records import Box
from rpc.data.taxonomy import Category, Taxonomy

REPORT = "import.json"


@dataclass(frozen=True)
class _Photo:
    """A photo to import: its path relative to `root`, and the name it gets."""

    root: Path
    relative: str
    name: str
    category_id: int = 0


@dataclass(frozen=True)
class _Found:
    """The findings on one photo; `reason` says why it cannot be used, empty where it can."""

    photo: _Photo
    width: int = 0
    height: int = 0
    box: Box = (0, 0, 0, 0)
    quality: float = 0.0
    reason: str = ""


def import_folder(
    photos: str | Path,
    out: str | Path,
    backgrounds: str | Path | None = None,
    *,
    progress: Progress | None = None,
) -> Path:
    """Make a store of `photos/<sku>/*.jpg`, one product a photo; returns its folder `out`.

    Files are copied to `exemplars/<id>_<sku>_<n>.jpg`; the folder's name is the SKU's name as it
    is. Camera and view are kept where a photo is named `<sku>_camera<c>-<view>.jpg`, otherwise
    unknown. Boxes are found by contrast (`rpc.data.product_box`) and carry `box_quality`, 0 where
    the whole frame was taken. Unreadable photos are skipped; `out/import.json` lists them, and the
    photos whose box is not sure. `instances_train.json` is written last: an interrupted import is
    simply run again. Trays (`val`, `test`) are not made: a store without them can train, but not
    choose a threshold nor report.

    Args:
        photos: a folder with one folder of photos for each SKU.
        out: a new folder, not inside `photos`.
        backgrounds: a folder of photos of the empty tray, copied to `out/backgrounds/`.
        progress: called with the photos done and their total.

    Raises:
        DataError: `photos` or `backgrounds` is missing or has nothing readable, a SKU has no
            readable photo, `out` holds a store already, or a file cannot be written.
    """
    photos, out = Path(photos), Path(out)
    _refuse_place(photos, out)
    taxonomy = _taxonomy(photos)
    wanted = [photo for category in taxonomy.categories for photo in _photos_of(photos, category)]
    trays = list(_backgrounds(Path(backgrounds))) if backgrounds is not None else []

    def examine(photo: _Photo) -> _Found:
        return _copy(photo, out / ("exemplars" if photo.category_id else "backgrounds"))

    found = list(map_in_threads(examine, wanted + trays, progress))
    good = [f for f in found if not f.reason and f.photo.category_id]
    _refuse_missing(photos, taxonomy, found, good)
    if trays and not any(not f.reason and not f.photo.category_id for f in found):
        raise DataError(f"{backgrounds}: no photo of an empty tray can be read: {found[-1].reason}")
    write_json(out / REPORT, _report(found), indent=1)
    write_dataset(out / "instances_train.json", _dataset(good, taxonomy))
    return out


def _refuse_place(photos: Path, out: Path) -> None:
    if not photos.is_dir():
        raise DataError(f"{photos}: no such folder; expected one with a folder of photos per SKU")
    if out.resolve().is_relative_to(photos.resolve()):
        raise DataError(f"{out}: lies inside the photos; choose a folder beside them")
    if (out / "instances_train.json").exists():
        raise DataError(f"{out}: holds a store already; choose a new folder or remove it first")


def _taxonomy(photos: Path) -> Taxonomy:
    """One SKU for each folder, in the order of their names; ids from 1."""
    names = sorted(p.name for p in photos.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not names:
        raise DataError(f"{photos}: expected one folder of photos for each SKU, found no folder")
    return Taxonomy(Category(number, name) for number, name in enumerate(names, start=1))


def _photos_of(photos: Path, category: Category) -> Iterator[_Photo]:
    slug = _slug(category)
    for number, file in enumerate(_files(photos / category.name), start=1):
        relative = file.relative_to(photos).as_posix()
        name = f"{slug}_{number}{file.suffix.lower()}"
        yield _Photo(photos, relative, name, category.id)


def _backgrounds(folder: Path) -> Iterator[_Photo]:
    files = _files(folder) if folder.is_dir() else []
    if not files:
        raise DataError(f"{folder}: expected a folder with photos of the empty tray, found none")
    for number, file in enumerate(files, start=1):
        relative = file.relative_to(folder).as_posix()
        yield _Photo(folder, relative, f"background_{number}{file.suffix.lower()}")


def _files(folder: Path) -> list[Path]:
    """The files below a folder, in the order of their names; hidden ones are passed over."""
    return sorted(
        p
        for p in folder.rglob("*")
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
    )


def _slug(category: Category) -> str:
    """The SKU's name as a file name: letters of any script, digits, `-`; unique by the id."""
    text = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", category.name))
    return f"{category.id}_{text[:40].strip('_')}"


def _copy(photo: _Photo, folder: Path) -> _Found:
    """Read a photo, find its product and copy the file as it is; bad photos only give a reason."""
    try:
        if Path(photo.relative).suffix.lower() not in SUFFIXES:
            raise DataError(f"not a photo: expected one of {', '.join(sorted(SUFFIXES))}")
        source = safe_join(photo.root, photo.relative)
        rgb = read_image(source)
    except DataError as error:
        return _Found(photo, reason=str(error).removeprefix(f"{photo.root / photo.relative}: "))
    box, quality = find_product_box(rgb)
    with atomic_path(folder / photo.name) as part:
        shutil.copyfile(source, part)
    return _Found(photo, rgb.shape[1], rgb.shape[0], box, quality)


def _refuse_missing(
    photos: Path, taxonomy: Taxonomy, found: list[_Found], good: list[_Found]
) -> None:
    usable = {f.photo.category_id for f in good}
    for category in taxonomy.categories:
        if category.id not in usable:
            reasons = [f for f in found if f.photo.category_id == category.id]
            why = f": {reasons[0].photo.relative}: {reasons[0].reason}" if reasons else " at all"
            raise DataError(
                f"{photos / category.name}: the SKU has no readable photo{why}; "
                "add one or remove the folder"
            )


def _dataset(good: list[_Found], taxonomy: Taxonomy) -> Dataset:
    images, annotations = [], []
    for number, f in enumerate(good, start=1):
        _, camera, view = parse_exemplar_name(f.photo.relative)
        extra: dict[str, object] = {"source": f.photo.relative}
        if camera is not None:
            extra |= {"camera": camera, "view": view}
        images.append(ImageInfo(number, f.photo.name, f.width, f.height, extra=extra))
        x1, y1, x2, y2 = (round(n, 2) for n in f.box)
        annotations.append(
            Annotation(
                id=number,
                image_id=number,
                category_id=f.photo.category_id,
                bbox=(x1, y1, x2, y2),
                area=round((x2 - x1) * (y2 - y1), 2),
                extra={
                    "point_xy": [round((x1 + x2) / 2, 2), round((y1 + y2) / 2, 2)],
                    "box_quality": round(f.quality, 3),
                },
            )
        )
    info = {"description": "imported from a folder of photos; boxes found by contrast"}
    return Dataset(tuple(images), tuple(annotations), taxonomy, extra={"info": info})


def _report(found: list[_Found]) -> dict[str, object]:
    exemplars = [f for f in found if f.photo.category_id and not f.reason]
    return {
        "exemplars": len(exemplars),
        "backgrounds": sum(not f.reason for f in found) - len(exemplars),
        "skipped": [{"file": f.photo.relative, "why": f.reason} for f in found if f.reason],
        "box_not_sure": [f.photo.relative for f in exemplars if f.quality == 0],
    }
