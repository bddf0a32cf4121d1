"""Import a plain folder of photos, which is what a shop has, as a store in RPC's shape."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rpc.data.dataset import Annotation, Dataset, ImageInfo, write_dataset
from rpc.data.exemplars import parse_exemplar_name
from rpc.data.file_content import content_of
from rpc.data.file_names import FileNames
from rpc.data.files import DataError, atomic_path, require_room, write_json
from rpc.data.images import read_with_notes
from rpc.data.import_layout import PhotoLayout, SkuFolders, SkuPhotos, find_sku_photos
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.photo_files import LeftOut, scan_photos
from rpc.data.product_box import DOUBTFUL, find_product_box
from rpc.data.records import Box
from rpc.data.shown_names import shown_name
from rpc.data.store_staging import refuse_store, staging
from rpc.data.taxonomy import Category, Taxonomy

REPORT: Final = "import.json"
# Suffixes of a format; a copy whose own is none of them gets the first.
SUFFIXES: Final = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "HEIF": (".heic", ".heics", ".heif", ".heifs", ".hif"),
    "AVIF": (".avif",),
}


@dataclass(frozen=True)
class _Photo:
    """A photo to import: its path, relative to `root`, and the name it gets."""

    root: Path
    path: Path
    name: str
    category_id: int = 0

    @property
    def relative(self) -> str:
        """The path from `root`, as it can be written."""
        return shown_name(self.path.relative_to(self.root).as_posix())


@dataclass(frozen=True)
class _Found:
    """The findings on one photo; `reason` says why it cannot be used, empty where it can."""

    photo: _Photo
    width: int = 0
    height: int = 0
    box: Box = (0, 0, 0, 0)
    quality: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()


def import_folder(
    photos: str | Path,
    out: str | Path,
    backgrounds: str | Path | None = None,
    *,
    sku_folders: SkuFolders | None = None,
    follow_links: bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a store of `photos/<sku>/*.jpg`, one product a photo; returns its folder `out`.

    Folders around the SKUs' are looked through, see `rpc.data.import_layout`; all names are checked
    before anything is written, and what fails or is stopped leaves nothing. Files are copied to
    `exemplars/<id>_<sku>_<n>.jpg`; the folder's name is the SKU's. Camera and view are kept where a
    photo is named `<sku>_camera<c>-<view>.jpg`, otherwise unknown. Boxes are found by contrast
    (`rpc.data.product_box`) and carry `box_quality`, 0 where the whole frame was taken. Unreadable
    photos are skipped; `out/import.json` lists them, whatever else was passed over, what was
    understood of the folders, values that were scaled, and the photos whose box is not sure. Trays
    (`val`, `test`) are not made: a store without them can train, but not choose a threshold nor
    report.

    Args:
        photos: a folder with one folder of photos for each SKU.
        out: a new folder, not inside `photos`.
        backgrounds: a folder of photos of the empty tray, copied to `out/backgrounds/`.
        sku_folders: where folders hold folders of photos: which of the two are the SKUs.
        follow_links: whether links may lead out of the folders; None as `rpc.data.files.safe_join`.
        progress: called with the photos done and their total.

    Raises:
        DataError: `photos` or `backgrounds` is missing or has nothing readable, a SKU has no
            readable photo, `out` is not new, or a file cannot be written.
    """
    photos, out = Path(photos), Path(out)
    _refuse_place(photos, out)
    layout = find_sku_photos(photos, sku_folders, follow_links)
    taxonomy = Taxonomy(Category(n, sku.name) for n, sku in enumerate(layout.skus, start=1))
    names = FileNames()
    wanted = [
        photo
        for category, sku in zip(taxonomy.categories, layout.skus, strict=True)
        for photo in _photos_of(photos, category, sku, names)
    ]
    trays, beside = _backgrounds(backgrounds, follow_links)
    require_room(out, (photo.path for photo in wanted + trays))
    with staging(out) as folder:

        def examine(photo: _Photo) -> _Found:
            return _copy(photo, folder / ("exemplars" if photo.category_id else "backgrounds"))

        found = list(map_in_threads(examine, wanted + trays, progress))
        good = [f for f in found if not f.reason and f.photo.category_id]
        _refuse_missing(layout, found, good)
        if trays and not any(not f.reason and not f.photo.category_id for f in found):
            reason = found[-1].reason
            raise DataError(f"{backgrounds}: no photo of an empty tray can be read: {reason}")
        dataset = _dataset(good, taxonomy)
        passed = [(photos, one) for one in layout.left_out] + beside
        write_json(folder / REPORT, _report(found, layout, passed), indent=1)
        write_dataset(folder / "instances_train.json", dataset)
    return out


def _refuse_place(photos: Path, out: Path) -> None:
    if not photos.is_dir():
        raise DataError(f"{photos}: no such folder; expected one with a folder of photos per SKU")
    if out.resolve().is_relative_to(photos.resolve()):
        raise DataError(f"{out}: lies inside the photos; choose a folder beside them")
    refuse_store(out)


def _photos_of(
    root: Path, category: Category, sku: SkuPhotos, names: FileNames
) -> Iterator[_Photo]:
    slug = _slug(category)
    for number, file in enumerate(sku.photos, start=1):
        yield _Photo(root, file, names.give(f"{slug}_{number}", copy_suffix(file)), category.id)


def _backgrounds(
    folder: str | Path | None, follow_links: bool | None
) -> tuple[list[_Photo], list[tuple[Path, LeftOut]]]:
    """The photos of empty trays, and what lies beside them.

    Raises:
        DataError: there is none.
    """
    if folder is None:
        return [], []
    root = Path(folder)
    found = scan_photos(
        root, "a folder with photos of the empty tray", recursive=True, follow_links=follow_links
    )
    if not found.photos:
        beside = "; ".join(["found none", *found.told()])
        raise DataError(f"{root}: expected a folder with photos of the empty tray, {beside}")
    photos = [
        _Photo(root, file, f"background_{number}{copy_suffix(file)}")
        for number, file in enumerate(found.photos, start=1)
    ]
    return photos, [(root, one) for one in found.left_out]


def copy_suffix(file: Path) -> str:
    """The suffix of a copy: the file's own, unless its content is of another kind."""
    try:
        kind = content_of(file).format
    except OSError:
        kind = ""
    suffixes = SUFFIXES.get(kind, ())
    own = file.suffix.lower()
    return suffixes[0] if suffixes and own not in suffixes else own


def _slug(category: Category) -> str:
    """The SKU's name as a file name: letters of any script, digits, `-`; unique by the id."""
    text = re.sub(r"[^\w-]+", "_", category.name)
    return f"{category.id}_{text[:40].strip('_')}"


def _copy(photo: _Photo, folder: Path) -> _Found:
    """Read a photo, find its product and copy the file as it is; bad photos only give a reason."""
    try:
        read = read_with_notes(photo.path)
    except DataError as error:
        return _Found(photo, reason=str(error).removeprefix(f"{shown_name(photo.path)}: "))
    box, quality = find_product_box(read.rgb)
    with atomic_path(folder / photo.name) as part:
        shutil.copyfile(photo.path, part)
    height, width = read.rgb.shape[:2]
    return _Found(photo, width, height, box, quality, notes=read.notes)


def _refuse_missing(layout: PhotoLayout, found: list[_Found], good: list[_Found]) -> None:
    usable = {f.photo.category_id for f in good}
    for number, sku in enumerate(layout.skus, start=1):
        if number not in usable:
            first = next(f for f in found if f.photo.category_id == number)
            raise DataError(
                f"{shown_name(sku.folders[0])}: the SKU has no readable photo: "
                f"{first.photo.relative}: {first.reason}; add one or remove the folder"
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


def _report(
    found: list[_Found], layout: PhotoLayout, passed: list[tuple[Path, LeftOut]]
) -> dict[str, object]:
    exemplars = [f for f in found if f.photo.category_id and not f.reason]
    return {
        "exemplars": len(exemplars),
        "backgrounds": sum(not f.reason for f in found) - len(exemplars),
        "layout": list(layout.notes),
        "skipped": [{"file": f.photo.relative, "why": f.reason} for f in found if f.reason],
        "converted": [{"file": f.photo.relative, "what": note} for f in found for note in f.notes],
        "box_not_sure": [f.photo.relative for f in exemplars if f.quality == 0],
        "box_doubtful": [f.photo.relative for f in exemplars if 0 < f.quality < DOUBTFUL],
        "passed_over": [
            {
                "file": shown_name(one.path.relative_to(root).as_posix()),
                "kind": one.kind,
                "remedy": one.remedy,
            }
            for root, one in passed
        ],
    }
