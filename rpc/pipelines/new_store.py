"""A store of whatever a shop has: photos by SKU, or an export of an annotation tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpc.data.exports.found import ExportFiles, look_at, told_unread
from rpc.data.exports.product_photos import (
    ProductPhotos,
    copy_backgrounds,
    import_product_photos,
    join_exemplars,
    joined_taxonomy,
)
from rpc.data.exports.reading import ReadOptions, StorePlan, plan_store
from rpc.data.exports.write import plan_taxonomy, write_store
from rpc.data.files import DataError
from rpc.data.import_layout import SkuFolders
from rpc.data.importer import import_folder
from rpc.data.parallel import Progress
from rpc.data.store import SPLITS, Store
from rpc.data.store_staging import STAGING, refuse_store, staging
from rpc.runs.folder_lock import writing_folder


@dataclass(frozen=True)
class NewStore:
    """A store that was made.

    Attributes:
        root: its folder.
        plan: how an export became it; None for a folder of photos.
        added: product photos that were added to an export's.
    """

    root: Path
    plan: StorePlan | None = None
    added: ProductPhotos | None = None


def new_store(
    source: str | Path,
    out: str | Path,
    backgrounds: str | Path | None = None,
    *,
    exemplars: str | Path | None = None,
    options: ReadOptions | None = None,
    follow_links: bool | None = None,
    sku_folders: SkuFolders | None = None,
    progress: Progress | None = None,
) -> NewStore:
    """Make a store in RPC's shape of an export, or of a folder of photos for each SKU.

    Args:
        source: the folder of an export, one of its label files, or a folder of photos by SKU.
        out: the store's folder, a new one.
        backgrounds: a folder of photos of the empty tray.
        exemplars: for an export of trays: product photos, a folder for each SKU.
        options: how an export is read; layout `photos` takes the source for photos by SKU.
        follow_links: whether photos may be links to another disk.
        sku_folders: for photos by SKU, see `rpc.data.import_layout.find_sku_photos`.
        progress: called with the photos done and their total.

    Raises:
        DataError: nothing in `source` can be read, `out` is not new, or a file cannot be written.
    """
    source, out, options = Path(source), Path(out), options or ReadOptions()
    if options.layout == "photos" or not source.exists():
        return _of_photos(source, out, backgrounds, sku_folders, follow_links, progress)
    files = look_at(source, follow_links=follow_links)
    if not files.layouts:
        if _may_be_photos_by_sku(files):
            return _of_photos(source, out, backgrounds, sku_folders, follow_links, progress)
        raise DataError(unread(files))
    _refuse_store(files)
    _refuse_few_labels(files, options)
    _refuse_place(source, out)
    with writing_folder(out), staging(out) as folder:
        plan = plan_store(files, options, progress=progress)
        if not plan.photos:
            raise DataError(f"{source}: no photo of the export can be taken: {_first_loss(plan)}")
        taxonomy, added, ids = plan_taxonomy(plan), None, dict[int, int]()
        if exemplars is not None:
            added = import_product_photos(exemplars, folder, progress)
            taxonomy, ids = joined_taxonomy(taxonomy, added)
        write_store(plan, folder, taxonomy=taxonomy, progress=progress)
        if added is not None:
            join_exemplars(folder, added, taxonomy, ids)
        if backgrounds is not None:
            copy_backgrounds(backgrounds, folder)
    return NewStore(out, plan, added)


def _of_photos(
    source: Path,
    out: Path,
    backgrounds: str | Path | None,
    sku_folders: SkuFolders | None,
    follow_links: bool | None,
    progress: Progress | None,
) -> NewStore:
    with writing_folder(out):
        made = import_folder(
            source,
            out,
            backgrounds,
            sku_folders=sku_folders,
            follow_links=follow_links,
            progress=progress,
        )
    return NewStore(made)


def unread(files: ExportFiles) -> str:
    """One line on a folder that is neither an export that can be read nor photos by SKU."""
    told = told_unread(files)
    photos = f"{len(files.index.photos)} photos" if files.index.photos else "no photo"
    return (
        f"{files.root}: expected a folder of photos for each SKU, or an export of COCO, YOLO, "
        f"Pascal VOC, CVAT, Label Studio, labelme, VIA, CreateML or FiftyOne; found {photos}"
        f"{': ' + told if told else ' and no label file'}"
    )


def is_store(root: Path) -> bool:
    """Whether a folder is a store in RPC's shape: its JSON, and a folder of its photos."""
    store = Store(root)
    return any(store.has_split(split) and store.image_dir(split).is_dir() for split in SPLITS)


def _refuse_store(files: ExportFiles) -> None:
    if is_store(files.root):
        raise DataError(
            f"{files.root}: is a store in RPC's shape already: rpc-checkout check {files.root}"
        )


def _folders_of_photos(files: ExportFiles) -> set[str]:
    """Names of the folders right below the root that hold photos at any depth."""
    below = (path.relative_to(files.root).parts for path in files.index.photos)
    return {parts[0] for parts in below if len(parts) > 1}


def _may_be_photos_by_sku(files: ExportFiles) -> bool:
    """Whether import by folder has something to say: photos in folders, or no label file at all."""
    has_labels = bool(files.labels or files.unknown or files.broken)
    return bool(_folders_of_photos(files)) or not has_labels


def _refuse_few_labels(files: ExportFiles, options: ReadOptions) -> None:
    """Refuse to guess where a few label files lie among many photos in folders.

    Raises:
        DataError: the folder may be photos by SKU as well as an export.
    """
    one_a_photo = [kind for kind in ("labelme", "Pascal VOC", "YOLO") if files.labels.get(kind)]
    if options.layout is not None or files.layouts[0] not in one_a_photo:
        return
    labels, photos = len(files.labels[files.layouts[0]]), len(files.index.photos)
    if 2 * labels < photos and len(_folders_of_photos(files)) > 1:
        name = {"Pascal VOC": "voc"}.get(files.layouts[0], files.layouts[0].lower())
        raise DataError(
            f"{files.root}: holds {labels} {files.layouts[0]} label files for {photos} photos: add "
            f"--layout {name} to take the labelled ones alone, or --layout photos where each "
            "folder is a SKU"
        )


def _first_loss(plan: StorePlan) -> str:
    return str(plan.left_out[0]) if plan.left_out else "it lists none"


def _refuse_place(source: Path, out: Path) -> None:
    root = source if source.is_dir() else source.parent
    if out.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{out}: lies inside the export; choose a folder beside it")
    refuse_store(out)
    if not out.is_dir() or (out / STAGING).is_dir():
        return
    if any(not path.name.startswith(".") for path in out.iterdir()):
        raise DataError(f"{out}: is not empty; choose a new folder or remove it first")
